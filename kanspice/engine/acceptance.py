"""What both engines check before they call a sample solved, and which samples they solve twice."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, assert_never

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array, Indices
from kanspice.base.quantities import si
from kanspice.circuit import (
    Average,
    Crossbar,
    Design,
    DifferentialPairs,
    DigitalLayer,
    Drivers,
    FilterBank,
    HeldSum,
    LayerNorm,
    Limiter,
    OdePeriod,
    ReadOut,
    Rectifier,
    Stage,
    SynapseBank,
    Tiles,
)
from kanspice.circuit.bounds import amplifier_bounds_v, column_bounds_v, current_bounds_a, output_bounds_v
from kanspice.circuit.poles import ColumnPoles, FeedbackLoop, crossbar_poles, least_feedback_f
from kanspice.circuit.uniqueness import solution_counts, wires_leave_one_state
from kanspice.engine.solution import FailedSample, Outcome, Solution

_RAIL_SLACK = 1 + 1e-6


@dataclass
class Volts:
    """Voltages (samples, width) by name: of stages, of crossbars' columns and of these columns' amplifiers.

    And currents: that rows take from what drives them, and that amplifiers' output stages take from columns.
    supply_w: (samples,) watts that supplies of subcircuits deliver, where there are some.
    """

    stage_v: dict[str, Array] = field(default_factory=dict)
    column_v: dict[str, Array] = field(default_factory=dict)
    amplifier_v: dict[str, Array] = field(default_factory=dict)
    row_a: dict[str, Array] = field(default_factory=dict)
    amplifier_a: dict[str, Array] = field(default_factory=dict)
    supply_w: Array | None = None


class ErrorCheck(Protocol):
    """How many samples are solved again to measure the numerical error, and what draws them."""

    @property
    def check_samples(self) -> int: ...

    @property
    def seed(self) -> int: ...


def chosen_samples(solved: Sequence[int], options: ErrorCheck, errors: Array | None = None) -> list[int]:
    """The samples that are solved again to measure the numerical error, in order.

    errors: distance from the reference, (solved,), if known: then half of the samples are those farthest from it.
    """
    wanted = min(options.check_samples, len(solved))
    if wanted <= 0:
        return []
    farthest = [] if errors is None else np.argsort(-errors, kind="stable")[: wanted // 2].tolist()
    worst = [solved[place] for place in farthest]
    others = [index for index in solved if index not in set(worst)]
    drawn: list[int] = np.random.default_rng(options.seed).choice(others, wanted - len(worst), replace=False).tolist()
    return sorted([*worst, *drawn])


def expected_outputs_v(design: Design, reference: Mapping[str, Array]) -> Array | None:
    """(samples, outputs), the voltages that the reference's last stage asks for; None where it is not known."""
    last = design.stages[-1]
    expected = reference.get(last.compares_to)
    return None if expected is None else expected * last.output_v_per_unit


def as_read(design: Design, solution: Solution, numbers: Sequence[int] | None) -> Solution:
    """The solution with the noise that reading periods out adds; numbers: which samples its samples are."""
    if not design.is_timed or design.noise_k == 0:
        return solution
    name = design.last_of_circuit.name
    read_v = solution.stage_v[name] + design.read_noise_v(solution.samples, numbers)
    computed_v = {} if design.digital is None else {design.digital.name: design.digital.computed_v(read_v)}
    return replace(solution, stage_v={**solution.stage_v, name: read_v, **computed_v})


def out_of_range(index: int, stage: str, values: Array, bound: Array, unit: str = "V") -> FailedSample | None:
    """The failure of a sample whose voltages, or currents, (width,) are larger than possible; None if none is."""
    excess = np.abs(values) - bound
    if not np.any(excess > 0):
        return None
    worst = int(np.argmax(excess))
    detail = f"{stage} {worst} at {values[worst]:.4g} {unit}, at most {bound[worst]:.4g} {unit} is possible"
    return FailedSample(index, Outcome.OUT_OF_RANGE, detail)


def range_failures(design: Design, largest_input_v: Array, volts: Volts) -> dict[int, FailedSample]:
    """Place -> failure, for samples of which a voltage, or a current, is larger than the design can produce.

    largest_input_v: (inputs,), magnitudes.
    """
    currents = current_bounds_a(design)
    pairs = (
        ("V", volts.stage_v, output_bounds_v(design, largest_input_v)),
        ("V", volts.column_v, column_bounds_v(design)),
        ("V", volts.amplifier_v, amplifier_bounds_v(design)),
        ("A", volts.row_a, {name: rows_a for name, (rows_a, _) in currents.items()}),
        ("A", volts.amplifier_a, {name: columns_a for name, (_, columns_a) in currents.items()}),
    )
    tables = [(unit, name, table, bounds[name]) for unit, tables, bounds in pairs for name, table in tables.items()]
    failures: dict[int, FailedSample] = {}
    for unit, name, table, bound in tables:
        for place in np.flatnonzero((np.abs(table) > bound).any(axis=1)).tolist():
            failure = out_of_range(place, name, table[place], bound, unit)
            if failure is not None:
                failures.setdefault(place, failure)
    return failures


def garbage(solution: Solution) -> dict[int, FailedSample]:
    """Sample -> failure, for samples that an engine calls solved although a stage has a voltage that is no number."""
    failures: dict[int, FailedSample] = {}
    for name, volts in solution.stage_v.items():
        for index in np.flatnonzero(solution.solved & ~np.isfinite(volts).all(axis=1)).tolist():
            which = int(np.argmin(np.isfinite(volts[index])))
            detail = f"{name} {which} at {volts[index, which]} V"
            failures.setdefault(index, FailedSample(index, Outcome.OUT_OF_RANGE, detail))
    return failures


def column_failures(design: Design, volts: Volts, *, devices_see_columns: bool) -> dict[int, FailedSample]:
    """Place -> failure, for samples that need more than a rail, or whose columns have several states to settle in."""
    failures: dict[int, FailedSample] = {}
    stages = design.stages
    for before, stage, after in zip(stages, stages[1:], [*stages[2:], None], strict=False):
        match stage:
            case Crossbar():
                outputs_v = _delivered_v(volts.stage_v[stage.name], after)
                for failure in _rail_failures(stage, volts.amplifier_v[stage.name], outputs_v):
                    failures.setdefault(failure.index, failure)
                if devices_see_columns and not stage.has_wires:
                    for failure in _state_failures(design, stage, volts.stage_v[before.name]):
                        failures.setdefault(failure.index, failure)
            case (
                Limiter()
                | Rectifier()
                | DifferentialPairs()
                | Drivers()
                | LayerNorm()
                | OdePeriod()
                | HeldSum()
                | ReadOut()
                | DigitalLayer()
                | FilterBank()
                | SynapseBank()
                | Average()
                | Tiles()
            ):
                pass
            case _:
                assert_never(stage)
    return failures


def _rail_failures(crossbar: Crossbar, amplifiers_v: Array, outputs_v: Array) -> Iterator[FailedSample]:
    for place in _beyond(crossbar, amplifiers_v) | _beyond(crossbar, outputs_v):
        yield _rail_failure(crossbar, place, np.abs(amplifiers_v[place]), np.abs(outputs_v[place]))


def _state_failures(design: Design, crossbar: Crossbar, rows_v: Array) -> Iterator[FailedSample]:
    states = solution_counts(design, crossbar, rows_v)
    for place in np.flatnonzero((states > 1).any(axis=1)).tolist():
        yield _state_failure(crossbar, place, states[place])


def unstable_samples(design: Design, solution: Solution) -> dict[int, FailedSample]:
    """Sample -> failure, where an operating point exists on paper only: an amplifier does not hold a column there."""
    solved, failures = np.flatnonzero(solution.solved), dict[int, FailedSample]()
    for before, crossbar in design.driven_crossbars:
        if crossbar.has_slow_amplifiers:
            rows_v, columns_v = solution.stage_v[before.name][solved], solution.column_v[crossbar.name][solved]
            for failure in _unstable_failures(design, crossbar, solved, rows_v, columns_v):
                failures.setdefault(failure.index, failure)
    return failures


def _unstable_failures(
    design: Design, crossbar: Crossbar, samples: Indices, rows_v: Array, columns_v: Array
) -> Iterator[FailedSample]:
    """rows_v, columns_v: (samples, ...) volts of these samples."""
    columns = crossbar_poles(design, crossbar, rows_v, columns_v)
    for place in np.flatnonzero((columns.poles.real > 0).any(axis=(1, 2))).tolist():
        yield _unstable_failure(crossbar, int(samples[place]), columns, place)


def _unstable_failure(crossbar: Crossbar, index: int, columns: ColumnPoles, place: int) -> FailedSample:
    """Of sample `index`, which is at `place` among those of the columns: some of its poles grow."""
    poles, follows = columns.poles[place], np.broadcast_to(columns.loop.follows, columns.siemens.shape)[place]
    column, which = np.unravel_index(np.argmax(poles.real), poles.shape)
    pole, turns_hz = poles[column, which], abs(poles[column, which].imag) / (2 * math.pi)
    how = f"swings at {si(turns_hz, 'Hz')}, and" if turns_hz > 0 else "runs away:"
    where = f"{crossbar.name} {_column_name(int(column))}, {how} grows e-fold in {si(1 / pole.real, 's')}"
    if not follows[column]:
        seen = f"its amplifier is at its swing of {crossbar.swing_v:.4g} V and holds nothing"
        return FailedSample(index, Outcome.UNSTABLE, f"{where}; {seen}")
    loop = FeedbackLoop(
        crossbar.feedback_ohm[column], 0.0, crossbar.output_ohm, crossbar.open_loop_gain, crossbar.gbw_hz
    )
    siemens, farads = columns.siemens[place], crossbar.column_capacitance_f
    needed_f, damped = least_feedback_f(siemens[[column]], farads[[column]], loop, wanted=0.0)
    would = f"one of {si(needed_f, 'F')} would hold it" if damped >= 0 else "no other would hold it"
    has = f"its feedback capacitor is {si(float(crossbar.feedback_f[column]), 'F')}"
    return FailedSample(index, Outcome.UNSTABLE, f"{where}; {has}, {would}")


def unproven_states(design: Design, volts: Volts) -> dict[str, npt.NDArray[np.bool_]]:
    """Crossbar with wires -> (samples,) True where nothing proves that it has one state; without those that have."""
    doubts = {
        crossbar.name: ~wires_leave_one_state(design, crossbar, volts.stage_v[before.name])
        for before, crossbar in design.driven_crossbars
        if crossbar.has_wires
    }
    return {name: doubtful for name, doubtful in doubts.items() if doubtful.any()}


def unproven_note(crossbar: str, samples: int, tested: str) -> str:
    """What to say of samples whose state may not be the only one; tested: what is known of them nevertheless."""
    which = f"{samples} samples" if samples > 1 else "1 sample"
    return (
        f"{crossbar}: behind such resistive wires falling device currents could give {which} several states;"
        f" that those found are the only ones is not proven: {tested}"
    )


def _delivered_v(outputs_v: Array, after: Stage | None) -> Array:
    """What of its outputs (samples, pairs) a crossbar must really deliver: beyond a clip that follows, no more."""
    if isinstance(after, Rectifier) or (isinstance(after, Limiter) and after.kind == "clip"):
        return np.clip(outputs_v, after.low_v, after.high_v)
    return outputs_v


def _beyond(crossbar: Crossbar, volts: Array) -> set[int]:
    """Places of samples with a voltage beyond the rail; none where amplifiers stop by themselves."""
    if math.isfinite(crossbar.swing_v):
        return set()
    return set(np.flatnonzero((np.abs(volts) > crossbar.rail_v * _RAIL_SLACK).any(axis=1)).tolist())


def _rail_failure(crossbar: Crossbar, place: int, amplifiers_v: Array, outputs_v: Array) -> FailedSample:
    """For |voltages| of amplifiers (2 * pairs,) and subtractors (pairs,), some of which exceed their rail."""
    column, output = int(np.argmax(amplifiers_v)), int(np.argmax(outputs_v))
    if amplifiers_v[column] > crossbar.rail_v * _RAIL_SLACK:
        seen = f"{_column_name(column)}, needs {amplifiers_v[column]:.4g} V of an amplifier"
    else:
        seen = f"{output} needs {outputs_v[output]:.4g} V of a subtractor"
    detail = f"{crossbar.name} {seen} whose rail is {crossbar.rail_v:.4g} V"
    return FailedSample(place, Outcome.BEYOND_RAIL, detail)


def _state_failure(crossbar: Crossbar, place: int, states: Indices) -> FailedSample:
    """For the number of states of every column (2 * pairs,)."""
    most = int(np.argmax(states))
    detail = f"{crossbar.name} {_column_name(most)}, has {states[most]} states"
    return FailedSample(place, Outcome.MULTISTABLE, detail)


def _column_name(index: int) -> str:
    return f"{index // 2}, column {'pn'[index % 2]}"
