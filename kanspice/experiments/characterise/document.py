"""An amplifier's figures as JSON: the one definition of `kanspice.amplifier/1`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from kanspice.engine.ngspice.characterise.states import ColumnStates, Start
from kanspice.experiments.characterise.figures import FIGURES, Figure
from kanspice.experiments.characterise.result import AmplifierResult
from kanspice.report.codec import Count, Key, Part, Size, SizeOrNone
from kanspice.report.codec import Figure as Number
from kanspice.subcircuits.characterisation import Characterisation


@dataclass(frozen=True)
class _Found:
    """A figure of an amplifier."""

    figure: Figure
    of: Characterisation

    @property
    def value(self) -> float | None:
        return self.figure.value(self.of)

    @property
    def why_not(self) -> str | None:
        return self.figure.why_not(self.of)


@dataclass(frozen=True)
class _Document:
    """A result as its document has it."""

    result: AmplifierResult

    @property
    def figures(self) -> tuple[_Found, ...]:
        return tuple(_Found(figure, self.result.figures_found) for figure in FIGURES)

    @property
    def states(self) -> ColumnStates | None:
        states = self.result.measured.states
        return None if isinstance(states, str) else states

    @property
    def starts(self) -> tuple[_Started, ...]:
        half_v = self.result.measured.benches.half_v
        return tuple(_Started(start, half_v) for start in self.states.starts) if self.states else ()


@dataclass(frozen=True)
class _Started:
    start: Start
    half_v: float

    @property
    def is_right(self) -> bool | None:
        return self.start.is_right(self.half_v)

    @property
    def recovers(self) -> bool | None:
        return self.start.recovers(self.half_v)


class FigurePart(Part):
    """A figure. Voltages are from the middle of the supplies."""

    name: Annotated[str, Key("figure.name")]
    """Its key."""
    value: Number
    """null where it was not measured, or has no limit."""
    unit: Annotated[str, Key("figure.unit")]
    """Of the value."""
    how: Annotated[str, Key("figure.how")]
    """It was measured."""
    depends: Annotated[str, Key("figure.depends")]
    """On what it depends."""
    why_not: str | None
    """Why there is no value."""


class GainAtPart(Part):
    """The open-loop gain with the output at a voltage."""

    output_v: float
    """From the middle of the supplies."""
    gain: Number
    """Not in decibels."""


class OscillationPart(Part):
    """What a follower does instead of coming to rest."""

    hertz: SizeOrNone
    """null where it has no even rate."""
    peak_to_peak_v: Size
    """Of its output."""


class CurrentsPart(Part):
    """Currents into a column."""

    low_a: Annotated[float, Key("low")]
    """From here."""
    high_a: Annotated[float, Key("high")]
    """To here."""


class StartPart(Part):
    """A column whose supplies come up."""

    current_a: Annotated[float, Key("start.current_a")]
    """Into it."""
    is_right: bool | None
    """Whether the output comes up where it belongs; null: not known."""
    recovers: bool | None
    """Whether it comes back after an overload; null: not known."""


class AmplifierDocument(Part):
    """An operational amplifier, measured."""

    schema_: Annotated[Literal["kanspice.amplifier/1"], Field(alias="schema")]
    """The contract."""
    subcircuit: Annotated[str, Key("result.amplifier.subcircuit.name")]
    """Its name."""
    source: Annotated[str, Key("result.amplifier.subcircuit.source")]
    """The file that it is from."""
    sha256: Annotated[str, Key("result.amplifier.subcircuit.sha256")]
    """Of its lines."""
    pins: Annotated[list[str], Key("result.amplifier.roles")]
    """What its pins are, in order."""
    process: Annotated[str | None, Key("result.amplifier.models.process")]
    """Whose transistors it is made of; null for none."""
    corner: Annotated[str | None, Key("result.amplifier.models.corner")]
    """Of the process."""
    vdd_v: Annotated[float, Key("result.amplifier.vdd_v")]
    """Upper supply."""
    vss_v: Annotated[float, Key("result.amplifier.vss_v")]
    """Lower supply."""
    bias_a: Annotated[float, Key("result.amplifier.bias_a")]
    """Into its pin `bias`."""
    temperature_c: Annotated[float, Key("result.amplifier.temperature_c")]
    """Degrees Celsius."""
    load_ohm: Annotated[SizeOrNone, Key("result.load.ohm")]
    """To the middle of the supplies; null for none."""
    load_f: Annotated[Size, Key("result.load.farad")]
    """The same."""
    engine_version: Annotated[str, Key("result.measured.engine_version")]
    """Of ngspice."""
    seed: Annotated[Count, Key("result.seed")]
    """Of the parts drawn."""
    figures: list[FigurePart]
    """What was measured."""
    gain_over_output: Annotated[list[GainAtPart], Key("result.gain_over_output")]
    """Where a tenth of the gain is left, or more."""
    offset_draws_v: Annotated[list[float], Key("result.figures_found.offset_draws_v")]
    """Offsets of parts drawn."""
    oscillation: Annotated[OscillationPart | None, Key("result.measured.steps.oscillation")]
    """Of a follower; null where it comes to rest."""
    feedback_ohm: Annotated[SizeOrNone, Key("states.column.feedback_ohm")]
    """Of the column whose states were looked for; null where it has no operating point."""
    one_state: Annotated[CurrentsPart | None, Key("states.right")]
    """With which every operating point is where it belongs; null where the column has none."""
    other_states: Annotated[CurrentsPart | None, Key("states.others")]
    """With which another one was found; null where there is no other."""
    other_state_v: Annotated[Number, Key("states.other_v")]
    """Where the output is there."""
    starts: list[StartPart]
    """Columns whose supplies come up."""
    oscillates: Annotated[bool, Key("result.oscillates")]
    """Whether a follower does."""
    latches: Annotated[bool, Key("result.latches")]
    """Whether a column starts in a wrong state, or stays in one, or the output depends on where it came from."""
    command: Annotated[str | None, Key("result.command")]
    """What was called, if a command was."""


def amplifier_json(result: AmplifierResult) -> str:
    """JSON text; a figure that does not exist is null."""
    return AmplifierDocument.text(_Document(result))
