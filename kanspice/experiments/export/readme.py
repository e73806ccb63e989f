"""The README of an export: what it is, how it is run by hand, what then should come out, and what names mean."""

from __future__ import annotations

from collections.abc import Iterator

from kanspice.circuit import Crossbar, FilterBank, OdePeriod, SynapseBank
from kanspice.experiments.export.bench import Probe
from kanspice.experiments.export.circuit import PlainCircuit
from kanspice.experiments.export.formats.format import ExportPlan
from kanspice.experiments.export.formats.spice import of_sample
from kanspice.experiments.export.receipt import Receipt

_SHOWN = 20


def readme_text(plan: ExportPlan, receipt: Receipt) -> str:
    """All of it, as Markdown."""
    return "\n".join(_lines(plan, receipt)) + "\n"


def _lines(plan: ExportPlan, receipt: Receipt) -> Iterator[str]:
    written, circuit, bench = plan.written, plan.circuit, plan.bench
    design = circuit.compiled
    yield f"# A {design.family} network as a circuit for {written.title}"
    yield ""
    yield f"{design.device_count:,} devices in {len(design.stages)} stages, with a test bench for {of_sample(bench)}."
    yield from (f"Note: {note}." for note in circuit.notes)
    yield ""
    yield "## Run it"
    yield ""
    yield "```"
    yield written.by_hand
    yield "```"
    yield ""
    yield written.prints
    yield ""
    yield "## What should come out"
    yield ""
    yield (
        "| output | node | volts | model units |"
        if bench.transient is None
        else ("| output | node | at / s | volts | model units |")
    )
    yield "|---|---|---:|---:|" if bench.transient is None else "|---|---|---:|---:|---:|"
    for each in bench.outputs[:_SHOWN]:
        yield _row(each)
    if len(bench.outputs) > _SHOWN:
        yield ""
        yield f"and {len(bench.outputs) - _SHOWN} more."
    yield ""
    yield "`expected.csv` has the voltages of all stages."
    yield ""
    yield "## Receipt"
    yield ""
    yield f"{receipt.line()}."
    yield ""
    yield "## Names"
    yield ""
    yield from (f"- {line}" for line in meaning_of_names(circuit, named=True))


def _row(each: Probe) -> str:
    volts = 0.0 if each.expected_v is None else each.expected_v
    time = "" if each.at_s is None else f" {each.at_s:.9g} |"
    return f"| {each.index} | `{each.node}` |{time} {volts:.12g} | {volts / each.v_per_unit:.9g} |"


def meaning_of_names(circuit: PlainCircuit, *, named: bool) -> Iterator[str]:
    """What names mean, of the kinds of stages that there are; they begin with the layer. named: devices bear theirs."""
    stages = circuit.compiled.stages
    if circuit.compiled.periods:
        yield "`l1_v3`: node 3 of the first layer; a later layer has its own names for nodes that come new"
    else:
        yield "`in4`: input 4; `l1_r5`: row 5 of layer 1, behind its input stage; `l1_y3`: output 3 of layer 1"
    if any(isinstance(stage, Crossbar) for stage in stages):
        yield "`l1_c3p`, `l1_c3n`: the positive and the negative column of output 3; `l1_t3p`: what its amplifier gives"
        if named:
            yield "`Xl1_r5_c3p_...`: the device between row 5 and that column; its name is its type"
    if any(isinstance(stage, FilterBank | SynapseBank) for stage in stages):
        yield "`Xl1_k5_3_1`: connection 1 from input 5 to output 3; `l1_s3`: where the currents for output 3 are added"
    if named and any(isinstance(stage, OdePeriod) for stage in stages):
        yield "`Xl1_e17`: branch 17; `l1_b3`: node 3 behind its switch; `l1_clock`: 1 V while they are on"
    yield "rows, outputs, devices, connections and branches count from 0, layers and nodes from 1"
