"""How far a measured chip is from its network and its circuit, as blocks of a page."""

from __future__ import annotations

from collections.abc import Iterator

from kanspice.experiments.verify.chip import plots, wording
from kanspice.experiments.verify.result import GapResult
from kanspice.gap import ChipGaps, Gap
from kanspice.report.blocks import Block, Detail, Facts, Line, Picture, Pictures, Table
from kanspice.report.formatting import NOTHING, many, number, percentage
from kanspice.report.verdict import Verdict

_SHOWN = 16
"""Outputs that a page of text shows."""


def blocks(result: GapResult, chip: ChipGaps) -> Iterator[Block]:
    """The three gaps over the same samples, then output by output, then pictures."""
    said = wording.explained(chip)
    yield Line(Verdict(f"{said.text}.", said.warning))
    yield Table(
        ("from - to", "relative\nRMSE", "RMSE, model\nunits", "largest\nerror", "same\nargmax"), list(_gaps(chip))
    )
    how = (
        "All three over the same outputs of the same samples. Errors add up, output by output: chip - network is"
        " circuit - network and chip - circuit. What is explained is 1 less the ratio of the squares of chip - circuit"
        " and chip - network. What noise of the measurement adds to the chip's outputs is in both of its gaps."
    )
    yield Detail([Line(Verdict(how), small=True)])
    yield Facts(list(wording.facts(chip, result.samples, result.numerical)))
    if not chip.compared:
        return
    yield _outputs(chip)
    if result.chip_outputs.size:
        yield Pictures(
            [
                Picture.of("The chip's outputs against the network's and the circuit's", plots.parity, result),
                Picture.of("The chip's errors against those of the circuit", plots.errors, result),
            ]
        )


def _gaps(chip: ChipGaps) -> Iterator[tuple[str, ...]]:
    yield _row("chip - network: the real gap", chip.network)
    yield _row("chip - circuit: what the simulation misses", chip.circuit)
    if chip.unfitted is not None:
        where = f"over {many(chip.unfitted.samples, 'sample')} not fitted to"
        yield _row(f"chip - network, {where}", chip.unfitted.network)
        yield _row(f"chip - circuit, {where}", chip.unfitted.circuit)
    yield _row("circuit - network: the simulated gap", chip.simulated)
    if chip.nominal is not None:
        less = f", {many(chip.nominal.failed, 'sample')} fewer" if chip.nominal.failed else ""
        yield _row(f"chip - circuit without random parts{less}", chip.nominal.gap)


def _row(name: str, gap: Gap) -> tuple[str, ...]:
    agreement = NOTHING if gap.argmax_agreement is None else percentage(gap.argmax_agreement)
    return name, number(gap.relative_rmse), number(gap.rmse), number(gap.max_relative), agreement


def _outputs(chip: ChipGaps) -> Table:
    shown = chip.outputs[:_SHOWN]
    rows = [
        (str(each.index), f"{each.values:,}", *map(number, (each.from_network, each.from_circuit, each.offset)))
        for each in shown
    ]
    header = ("output", "values", "RMSE from\nnetwork", "RMSE from\ncircuit", "mean, chip\n- circuit")
    more = len(chip.outputs) - len(shown)
    return Table(header, rows, more=more, fold=many(len(chip.outputs), "output"), spare=frozenset({1}))
