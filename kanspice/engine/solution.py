"""What every engine returns: one outcome per sample, and the voltages of those that were solved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array


class Outcome(Enum):
    """How the simulation of one sample ended."""

    CONVERGED = "converged"
    NO_REFERENCE = "no reference"
    DIVERGED = "diverged"
    SINGULAR = "singular"
    MULTISTABLE = "multistable"
    UNSTABLE = "unstable"
    BEYOND_RAIL = "beyond the rail"
    UNSETTLED = "not settled"
    OSCILLATES = "oscillates"
    OUT_OF_RANGE = "out of range"
    UNBALANCED = "unbalanced"
    TIMED_OUT = "timed out"
    CRASHED = "crashed"

    @property
    def advice(self) -> str:
        """What to try when a sample ended so."""
        return _ADVICE[self]

    @property
    def is_of_the_simulator(self) -> bool:
        """True where it was the engine that came to its end, which says nothing of the circuit."""
        return self in (Outcome.TIMED_OUT, Outcome.CRASHED)


_ADVICE = {
    Outcome.CONVERGED: "",
    Outcome.NO_REFERENCE: "the network has no answer for this input either: leave it out, or train on inputs like it",
    Outcome.DIVERGED: "no operating point, or no next time step, was found: raise the amplifiers' gain, lower the"
    " resistances of wires, drivers or switches, or look for a multistable device",
    Outcome.SINGULAR: "a node has no path that fixes its voltage: check the technology for zero or infinite values",
    Outcome.MULTISTABLE: "the circuit can settle in more than one state: raise the amplifiers' gain, or lower the"
    " resistances of drivers and wires",
    Outcome.UNSTABLE: "amplifiers are too slow for columns whose currents fall: leave tia.feedback_f to kanspice or"
    " raise it, size the circuit with samples like this one, raise tia.gbw_hz, or lower units.i_unit_a",
    Outcome.BEYOND_RAIL: "size the amplifiers with samples like this one, lower tia.headroom, or raise tia.rail_v",
    Outcome.UNSETTLED: "give it more time with --period, or raise tia.gbw_hz or tia.slew_v_per_s",
    Outcome.OSCILLATES: "falling device currents, or capacitance at the columns, undo the amplifiers' feedback: leave"
    " tia.feedback_f to kanspice or raise it, raise tia.gbw_hz, or lower units.i_unit_a or capacitances",
    Outcome.OUT_OF_RANGE: "no such voltage or current is possible: this is numerical garbage; please report it",
    Outcome.UNBALANCED: "the simulator's answer is none of this circuit: name another version of it, or use another"
    " engine",
    Outcome.TIMED_OUT: "raise --timeout, use more --jobs, or pass fewer samples with --limit",
    Outcome.CRASHED: "the simulator ended by itself: see the message, check memory and disk, run `kanspice doctor`",
}


@dataclass(frozen=True)
class FailedSample:
    """A sample without a result. `index` counts from 0 in the order of the inputs."""

    index: int
    outcome: Outcome
    detail: str = ""

    @property
    def advice(self) -> str:
        """What was seen, if anything, and what to try."""
        return f"{self.detail}; {self.outcome.advice}" if self.detail else self.outcome.advice


def unstable_fraction(failed: Sequence[FailedSample], samples: int) -> float:
    """Fraction of all samples that failed because the circuit does not stand still."""
    return sum(failure.outcome is Outcome.UNSTABLE for failure in failed) / samples


@dataclass(frozen=True)
class NumericalError:
    """How far the answers move when the same samples are solved again: tighter, where anything can be."""

    samples: tuple[int, ...]
    max_abs_v: float
    """Largest change of any output, volts."""
    rmse_v: float

    @classmethod
    def of(cls, samples: Sequence[int], change_v: Array) -> NumericalError:
        """From how far each sample's outputs moved, (samples, outputs)."""
        return cls(tuple(samples), float(np.abs(change_v).max()), float(np.sqrt(np.mean(change_v**2))))


@dataclass(frozen=True)
class Size:
    """How large the problem was. Without a netlist its nodes are the voltages solved for, its elements the devices."""

    nodes: int
    elements: int
    netlist_bytes: int


@dataclass(frozen=True)
class Waveform:
    """How one sample's node voltages change during one stage, from its beginning to its end.

    time_s: (points,) since the inference began. node_v: (points, nodes) volts. supply_w: (points,) what the circuit's
    supplies deliver, where it has some.
    """

    sample: int
    stage: str
    time_s: Array
    node_v: Array
    supply_w: Array | None = None


def columns_hint(crossbar: str) -> str:
    """What a crossbar's columns are called among hints: (samples, 2 * pairs), volts."""
    return f"{crossbar}.columns"


@dataclass(frozen=True)
class Solution:
    """Results of one engine on one design.

    stage_v: stage name -> (samples, width), volts; rows of failed samples are NaN.
    column_v: crossbar name -> (samples, 2 * pairs), volts: positive and negative columns in turn; where probed.
    row_a: crossbar name -> (samples, rows), amps that rows take from what drives them.
    amplifier_a: crossbar name -> (samples, 2 * pairs), amps that amplifiers' output stages take from their columns.
    supply_w: (samples,) watts that the supplies of amplifiers deliver, where these are subcircuits and were simulated.
    simulator_peak_bytes: the most memory that a simulator's process held, where the system says so.
    engine_at_most_bytes: the most that the engine said beforehand it would take, of this process or a simulator's.
    waveforms: of a few samples, stage by stage, where they were asked for.
    """

    engine: str
    engine_version: str
    engine_options: Mapping[str, object]
    samples: int
    failed: tuple[FailedSample, ...]
    stage_v: Mapping[str, Array]
    column_v: Mapping[str, Array]
    timing_s: Mapping[str, float]
    notes: tuple[str, ...] = ()
    numerical_error: NumericalError | None = None
    size: Size = Size(0, 0, 0)
    waveforms: tuple[Waveform, ...] = ()
    simulator_peak_bytes: int | None = None
    engine_at_most_bytes: int | None = None
    row_a: Mapping[str, Array] = field(default_factory=dict)
    amplifier_a: Mapping[str, Array] = field(default_factory=dict)
    supply_w: Array | None = None

    @property
    def fidelity(self) -> str:
        """How devices, branches or connections were solved for."""
        return str(self.engine_options["fidelity"])

    @property
    def solved(self) -> npt.NDArray[np.bool_]:
        """(samples,) True where a sample has a result."""
        mask = np.ones(self.samples, dtype=bool)
        mask[[failure.index for failure in self.failed]] = False
        return mask

    @property
    def unstable_fraction(self) -> float:
        """Of the samples, that the circuit does not stay at the operating point of."""
        return unstable_fraction(self.failed, self.samples)

    def without(self, failures: Mapping[int, FailedSample]) -> Solution:
        """The same where these samples, by index, have failed too: their rows are NaN."""
        if not failures:
            return self

        def emptied(tables: Mapping[str, Array]) -> dict[str, Array]:
            kept = {name: table.copy() for name, table in tables.items()}
            for table in kept.values():
                table[list(failures)] = np.nan
            return kept

        failed = sorted([*self.failed, *failures.values()], key=lambda failure: failure.index)
        return replace(
            self,
            failed=tuple(failed),
            stage_v=emptied(self.stage_v),
            column_v=emptied(self.column_v),
            row_a=emptied(self.row_a),
            amplifier_a=emptied(self.amplifier_a),
            supply_w=None if self.supply_w is None else emptied({"": self.supply_w})[""],
        )

    def among(self, places: Sequence[int], others: Sequence[FailedSample]) -> Solution:
        """The same among more samples: this one's are at `places` (in order), the `others` have no result."""
        samples = len(places) + len(others)

        def spread(table: Array) -> Array:
            wider = np.full((samples, table.shape[1]), np.nan)
            wider[list(places)] = table
            return wider

        error = self.numerical_error
        failed = [*(replace(failure, index=places[failure.index]) for failure in self.failed), *others]
        return replace(
            self,
            samples=samples,
            failed=tuple(sorted(failed, key=lambda failure: failure.index)),
            stage_v={name: spread(table) for name, table in self.stage_v.items()},
            column_v={name: spread(table) for name, table in self.column_v.items()},
            row_a={name: spread(table) for name, table in self.row_a.items()},
            amplifier_a={name: spread(table) for name, table in self.amplifier_a.items()},
            supply_w=None if self.supply_w is None else spread(self.supply_w[:, None])[:, 0],
            numerical_error=error and replace(error, samples=tuple(places[index] for index in error.samples)),
            waveforms=tuple(replace(waveform, sample=places[waveform.sample]) for waveform in self.waveforms),
        )
