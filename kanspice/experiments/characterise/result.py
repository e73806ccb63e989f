"""What characterising an amplifier gives: its figures, what is wrong with it, its curves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kanspice.engine.ngspice.characterise.measure import MeasuredAmplifier
from kanspice.experiments.characterise.figures import FIGURES
from kanspice.report.blocks import Page
from kanspice.report.frames import Columns
from kanspice.report.shown import Shown
from kanspice.subcircuits.amplifier import Amplifier
from kanspice.subcircuits.characterisation import Characterisation, Load

_GAIN_POINTS = 25
"""Of the gain over the output's voltage in documents."""


@dataclass(frozen=True)
class GainAt:
    """An open-loop gain with the output at a voltage, from the middle of the supplies."""

    output_v: float
    gain: float


@dataclass(frozen=True, repr=False)
class AmplifierResult(Shown):
    """One amplifier, measured. path: of its netlist. seed: of the draws. command: what was called, if a command was."""

    measured: MeasuredAmplifier
    path: str
    seed: int = 0
    command: str | None = None

    @property
    def amplifier(self) -> Amplifier:
        """What was measured."""
        return self.measured.benches.amplifier

    @property
    def load(self) -> Load:
        """What its output drove."""
        return self.measured.benches.load

    @property
    def figures_found(self) -> Characterisation:
        """The figures."""
        return self.measured.figures

    @property
    def oscillates(self) -> bool:
        """Whether a follower of it does not come to rest."""
        return self.measured.steps.oscillation is not None

    @property
    def latches(self) -> bool:
        """Whether a column of it starts in a wrong state, or stays in one, or its output depends on its past."""
        states, half_v = self.measured.states, self.measured.benches.half_v
        if self.measured.static.led.other_states("v(out)") is not None:
            return True
        if isinstance(states, str):
            return False
        return any(start.is_right(half_v) is False or start.recovers(half_v) is False for start in states.starts)

    @property
    def exit_code(self) -> int:
        """3 where it oscillates or latches: its figures then are not those of a circuit with it. 0 else."""
        return 3 if self.oscillates or self.latches else 0

    @property
    def gain_over_output(self) -> tuple[GainAt, ...]:
        """The open-loop gain over the output's voltage, in the range where it is no less than a tenth."""
        transfer, linear = self.measured.static.transfer, self.figures_found.linear
        inside = [
            GainAt(float(volts), float(gain))
            for volts, gain in zip(transfer.output_v, transfer.gain, strict=True)
            if linear.low <= volts <= linear.high
        ]
        step = max(len(inside) // _GAIN_POINTS, 1)
        return tuple(inside[::step])

    def page(self) -> Page:
        from kanspice.experiments.characterise.page import amplifier_page  # noqa: PLC0415 - which shows this

        return amplifier_page(self)

    def technology(self, folder: Path | None = None) -> str:
        """A technology file, in TOML, that says of amplifiers what was measured, to be written in a folder."""
        from kanspice.experiments.characterise.technology import technology_text  # noqa: PLC0415 - which reads this

        return technology_text(self, folder)

    def columns(self) -> Columns:
        """A row for each figure."""
        found = self.figures_found
        return {
            "figure": [figure.name for figure in FIGURES],
            "value": [figure.value(found) for figure in FIGURES],
            "unit": [figure.unit for figure in FIGURES],
        }
