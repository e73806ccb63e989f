"""What an inference of every shipped example, and of reference checkpoints, costs as a circuit and digitally.

    python -m benchmarks.energy [--only "NAME;..."] [--samples 20] [-o FILE.json]

With `--tech typical`, and with amplifiers that take as much for a megahertz as kanspice's own in gf180 does as it was
characterised (104 uA for 7.5 MHz); where nothing says how fast amplifiers are, with 1 MHz. Crossbars get their latency
and energy from `settle`, on three samples; KirchhoffNets from the waveforms of three, PhyKANs from their slots. Rows of
gf180 are of that process: the KANalogue's by its figures, the KirchhoffNet's of its transistors in ngspice. "lean" are
resistors of 10 megohm and amplifiers of 2 MHz.

Checkpoints are looked for where KANSPICE_REFERENCE_DATA says. Rows of a file that is there already are kept.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import kanspice
from benchmarks.report import cpu_s, surroundings, write
from kanspice.experiments.verify.physical import si

EXAMPLES = Path(__file__).parents[1] / "examples"
A_PER_HZ = 1.04e-4 / 7.5e6
"""Supply current of netlists/gf180/opamp.cir for its gain-bandwidth product."""
SLOW_HZ = 1e6
SETTLED, FOLLOWED = 1e-2, 3


@dataclass(frozen=True)
class Case:
    """A network and its technology. model, inputs: beside each other in a folder, of the examples or `reference`.

    amplifier_hz: what its amplifiers take is that of such; None: it has none. settles: whether `settle` follows it.
    engine: what simulates it; ngspice three samples only.
    """

    folder: str
    model: str = "model.pt"
    config: str | None = None
    curves: str | None = None
    reference: bool = False
    tech: str = "typical"
    set_: dict[str, float] = field(default_factory=dict)
    amplifier_hz: float | None = None
    settles: bool = False
    engine: str = "batched"

    @property
    def path(self) -> Path:
        """Its folder."""
        return (Path(os.environ["KANSPICE_REFERENCE_DATA"]) if self.reference else EXAMPLES) / self.folder

    @property
    def given(self) -> dict[str, object]:
        """What every experiment is told."""
        config, curves = (None if name is None else self.path / name for name in (self.config, self.curves))
        model = kanspice.load(self.path / self.model, config, curves)
        supply = {} if self.amplifier_hz is None else {"supply.quiescent_a": A_PER_HZ * self.amplifier_hz}
        return {"model": model, "inputs": self.path / "inputs.npy", "tech": self.tech, "set": {**supply, **self.set_}}


CROSSBAR = {"amplifier_hz": 1e8, "settles": True}
FILTERS = {"amplifier_hz": 5e7}
LEAN = {"filters.gain_ohm": 1e7, "filters.amplifier_hz": 2e6}
CASES = {
    "01 KANalogue digits": Case("01_kanalogue_digits", **CROSSBAR),
    "01 KANalogue digits, gf180": Case(
        "01_kanalogue_digits", tech="gf180", amplifier_hz=7.5e6, settles=True, set_={"process.pdk": "none"}
    ),
    "02 KirchhoffNet moons": Case("02_kirchhoffnet_moons"),
    "02 KirchhoffNet moons, gf180 transistors": Case("02_kirchhoffnet_moons", tech="gf180", engine="ngspice"),
    "03 KirchhoffNet regression, small": Case("03_kirchhoffnet_regression", "model_small.pt"),
    "03 KirchhoffNet regression, medium": Case("03_kirchhoffnet_regression", "model_medium.pt"),
    "04 PhyKAN arm": Case("04_phykan_arm", **FILTERS),
    "04 PhyKAN arm, lean": Case("04_phykan_arm", amplifier_hz=2e6, set_=LEAN),
    "05 PhyKAN cart-pole": Case("05_phykan_cartpole", **FILTERS),
    "05 PhyKAN cart-pole, lean": Case("05_phykan_cartpole", amplifier_hz=2e6, set_=LEAN),
    "06 MemKAN kinematics": Case("06_memkan_kinematics", amplifier_hz=SLOW_HZ),
    "07 KirchhoffNet digits": Case("07_kirchhoffnet_digits"),
    "08 PhyKAN photovoltaic": Case("08_phykan_photovoltaic", **FILTERS),
    "kanalogue/mnist_batchnorm_3basis": Case(
        "kanalogue/mnist_batchnorm_3basis", "best.pth", "config.json", "../iv", reference=True, **CROSSBAR
    ),
    "phykan/arm_forward_kinematics": Case(
        "phykan/arm_forward_kinematics", config="config.json", reference=True, **FILTERS
    ),
    "phykan/cartpole_controller": Case("phykan/cartpole_controller", config="config.json", reference=True, **FILTERS),
    "kirchhoffnet/circle": Case("kirchhoffnet/circle", "model.pth", "config.yaml", reference=True),
}


def main() -> None:
    """Measures every case, prints a table, and writes the JSON as soon as each is measured."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", help="parts of names, semicolons between (default: all that there is data for)")
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("-o", "--output", type=Path, default=Path("out/benchmark_energy.json"))
    arguments = parser.parse_args()
    rows = json.loads(arguments.output.read_text())["rows"] if arguments.output.exists() else {}
    for name in chosen(arguments.only):
        rows[name] = row(CASES[name], arguments.samples)
        write({**surroundings(), "rows": {known: rows[known] for known in CASES if known in rows}}, arguments.output)
    print("\n".join(table(rows)))


def chosen(names: str | None) -> list[str]:
    """Cases by parts of their names. All that there is data for if None."""
    if names is not None:
        wanted = [part.strip() for part in names.split(";")]
        return [name for name in CASES if any(part in name for part in wanted)]
    there = "KANSPICE_REFERENCE_DATA" in os.environ
    return [name for name, case in CASES.items() if there or not case.reference]


def row(case: Case, samples: int) -> dict[str, object]:
    """What one network costs."""
    given = case.given
    waveforms = {"waveforms": FOLLOWED} if given["model"].family == "kirchhoffnet" else {}
    limit = samples if case.engine == "batched" else FOLLOWED
    result, seconds = cpu_s(lambda: kanspice.verify(**given, limit=limit, engine=case.engine, **waveforms))
    cost, digital = result.physical, result.physical.digital
    found = {
        "tech": case.tech,
        "set": given["set"],
        "relative_rmse": result.gap.relative_rmse,
        "samples": cost.samples,
        "devices": cost.devices,
        "amplifiers": cost.amplifiers,
        "power_w": cost.power_w,
        "signals_w": None if "supplies" in cost.parts_w else cost.power_w - cost.parts_w.get("quiescent", 0.0),
        "parts_w": cost.parts_w,
        "latency_s": cost.latency_s,
        "energy_j": cost.energy_j,
        "parts_j": cost.parts_j,
    }
    if case.settles:
        settled = kanspice.settle(**given, limit=FOLLOWED, within=[SETTLED])
        found |= {"latency_s": settled.latency_s, "energy_j": settled.energy_j, "settled_within": SETTLED}
    operations = digital.operations
    return found | {
        "multiplications": operations.multiplications,
        "additions": operations.additions,
        "parameters_read": operations.reads,
        "evaluations": dict(digital.evaluations),
        "digital_j": {each.arithmetic: each.energy_j for each in digital.energies},
        "digital_memory": {each.arithmetic: each.memory for each in digital.energies},
        "chips_j": {each.chip: each.energy_j for each in digital.chips},
        "against_digital": {each.arithmetic: _against(found, each.energy_j) for each in digital.energies},
        "processor_s": round(seconds, 1),
    }


def _against(found: dict[str, object], digital_j: float) -> dict[str, float]:
    """Times the digital energy; or at how many inferences a second the circuit's power is the digital one."""
    if found["energy_j"] is not None:
        return {"times": found["energy_j"] / digital_j}
    return {"even_hz": found["power_w"] / digital_j}


def table(rows: dict[str, dict]) -> Iterator[str]:
    """As Markdown."""
    yield "| network | circuit | without supply currents | latency | an inference | int8 | float32 | against int8 |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for name, each in rows.items():
        watts = (si(each[key], "W") for key in ("power_w", "signals_w"))
        cells = *watts, si(each["latency_s"], "s"), si(each["energy_j"], "J")
        digital = (si(each["digital_j"][kind], "J") for kind in ("int8", "float32"))
        against = each["against_digital"]["int8"]
        said = f"{against['times']:.3g} times" if "times" in against else f"even at {si(against['even_hz'], 'Hz')}"
        yield f"| {' | '.join((name, *cells, *digital, said))} |"


if __name__ == "__main__":
    main()
