"""A circuit's operating points, and the transient that leads from each to the next. It needs no network any more."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.base.threads import fitting_threads
from kanspice.circuit import Crossbar, Design
from kanspice.circuit.stages.crossbar import largest_currents
from kanspice.engine.acceptance import unstable_samples
from kanspice.engine.engines import engine_named
from kanspice.engine.options import RunOptions
from kanspice.engine.progress import Advance, Progress, SideRun
from kanspice.engine.running import judge_of
from kanspice.engine.sequence import Course, Pace
from kanspice.engine.solution import Outcome, Solution
from kanspice.engine.supplied import unsupplied_samples
from kanspice.experiments.settle.settling import EngineCheck, Settling, read_v, settling
from kanspice.report.estimate import Workload

_GUESSED_CONSTANTS = 12.0
_LONGER, _MOST_TRIES = 4.0, 4
_RISE = 1e-3
_AT_REST = "batched"
"""The engine that finds operating points, also those that the circuit does not stay at."""
MEASURED = 4
"""On so many samples a transient's numerical error is measured, if the engine can leave out others."""
FINER_STEPS = 10 ** (1 / 3)
"""How many more steps, of third order, a tenth of the error takes."""


@dataclass(frozen=True)
class SettleOptions:
    """period_s: for each sample; if None, as long as it takes. rise_s: of the inputs; if None, a thousandth of that.

    tolerances: what counts as settled, in standard deviations of a stage's outputs. cross_check: how many samples
    another engine follows too: `judge`, or the usual one. measured: on how many samples the numerical error is
    measured, if the engine can leave out others.
    Raises InputError for times and tolerances that are not positive and finite, and for a rise longer than the period.
    """

    period_s: float | None = None
    rise_s: float | None = None
    tolerances: Sequence[float] = (1e-2, 1e-3)
    timeout_s: float | None = None
    seed: int = 0
    engine: str = "batched"
    cross_check: int = 0
    judge: str | None = None
    measured: int = MEASURED

    def __post_init__(self) -> None:
        for option, values in (
            ("--period", (self.period_s,)),
            ("--rise", (self.rise_s,)),
            ("--within", self.tolerances),
            ("--timeout", (self.timeout_s,)),
        ):
            for value in values:
                if value is not None and not 0 < value < math.inf:
                    raise InputError("is no such number", where=option, expected="above 0, finite", found=f"{value:g}")
        if self.period_s is not None and self.rise_s is not None and self.rise_s > self.period_s:
            expected, found = f"at most the period of {self.period_s:g} s", f"{self.rise_s:g} s"
            raise InputError("the inputs would still rise at the end", where="--rise", expected=expected, found=found)
        judge_of(self.engine, self.judge)

    def work(self, samples: int) -> Workload:
        """What is to be done at the pace of the first samples, and what would be faster."""
        faster = "fewer samples (--limit), or a shorter --period"
        if engine_named(self.engine).follows_some:
            return Workload(samples, faster=faster, steady=True, error_parts=FINER_STEPS * min(MEASURED, samples))
        return Workload(samples, faster=f"--engine batched, {faster}", steady=True, error_parts=2.0 * samples)


def at_rest(design: Design, inputs: Array, seed: int, engine: str = _AT_REST) -> Solution:
    """The operating points, also those that the circuit does not stay at; none where an input stage has no supply.

    engine: that follows the circuit over time. If it alone has amplifiers' subcircuits, it has other operating points.
    """
    how = RunOptions(check_samples=0, seed=seed)
    is_alone = design.realised is not None and engine_named(engine).has_subcircuits
    solve = engine_named(engine if is_alone else _AT_REST).solve
    with fitting_threads(design.device_count):
        found = solve(design, inputs, "device", how, hints={}, progress=None, numbers=None, known=None)
    return found.without(unsupplied_samples(design, inputs, found))


@dataclass(frozen=True)
class Transients:
    """From the operating point of each sample to that of the next. inputs: (samples, inputs), model units."""

    design: Design
    inputs: Array
    rest: Solution
    expected: Array
    options: SettleOptions
    quiescent_a: float
    progress: Progress | None = None
    reads: list[Array] = field(default_factory=list)
    """Of the first samples that were followed last, (read-outs, outputs) volts each."""

    @property
    def inputs_v(self) -> Array:
        """(samples, rows)."""
        return self.design.inputs_v(self.inputs)

    def settling(self) -> Settling:
        """With a period that is long enough, if one was found, and the numerical error."""
        given_s = self.options.period_s
        period_s = given_s or guessed_period_s(self.design)
        for tried in range(1 if given_s else _MOST_TRIES):
            if tried:
                self._tell(-len(self.inputs))
            pace = Pace(period_s, self.options.rise_s or _RISE * period_s)
            result = self._settling(pace)
            if not any(failure.outcome is Outcome.UNSETTLED for failure in result.failed):
                break
            period_s *= _LONGER
        if result.is_lost:
            return result
        if self.options.cross_check:
            result = replace(result, cross_check=self._check(pace))
        if any(failure.outcome is not Outcome.UNSETTLED for failure in result.failed):
            note = "numerical error not measured: an oscillation, or what has no end, has nothing to compare"
            return replace(result, notes=(note,))
        return replace(result, numerical=self._numerical(pace))

    def _tell(self, samples: int, run: SideRun | None = None) -> None:
        if self.progress is not None:
            self.progress(Advance(samples, side_run=run))

    @property
    def _measured(self) -> int:
        """On how many samples the numerical error is measured: ngspice follows all of them or none."""
        every = len(self.inputs)
        return min(self.options.measured, every) if engine_named(self.options.engine).follows_some else every

    def _watched(self, pace: Pace) -> Iterator[Course]:
        """Of all samples; what the first ones read is kept."""
        self.reads.clear()
        for course in self._courses(self.options.engine, pace):
            if course.failure is None and len(self.reads) < self._measured:
                self.reads.append(read_v(course, self.design.stages[-1].name, pace))
            yield course

    def _settling(self, pace: Pace) -> Settling:
        return settling(
            self.design,
            self._watched(pace),
            pace,
            self.rest.stage_v,
            self.expected,
            grows=self._grows,
            tolerances=self.options.tolerances,
            quiescent_a=self.quiescent_a,
        )

    @property
    def _grows(self) -> npt.NDArray[np.bool_]:
        """(samples,) where some column's deviation from its operating point does."""
        found = np.zeros(len(self.inputs), dtype=bool)
        found[list(unstable_samples(self.design, self.rest))] = True
        return found

    def _courses(
        self,
        engine: str,
        pace: Pace,
        *,
        finer: bool = False,
        which: Sequence[int] | None = None,
        run: SideRun | None = None,
    ) -> Iterator[Course]:
        """Of all samples, or of those that are wanted, if the engine can leave out others. run: what for, unless for
        the results.
        """
        follow, told = engine_named(engine).follow_sequence, partial(self._tell, run=run)
        arriving, timeout_s = (self.design, self.inputs_v, self.rest, pace), self.options.timeout_s
        return follow(*arriving, finer=finer, which=which, timeout_s=timeout_s, told=told)

    def _read_v(self, found: Iterable[Course], pace: Pace) -> Array:
        """(samples, read-outs, outputs), volts."""
        return np.stack([read_v(course, self.design.stages[-1].name, pace) for course in found])

    @property
    def _scale_v(self) -> float:
        rest_v = self.rest.stage_v[self.design.stages[-1].name]
        return float(np.sqrt(np.mean(np.var(rest_v, axis=0)))) or 1.0

    def _numerical(self, pace: Pace) -> float:
        """RMS change of the outputs at the read-out times, in their standard deviations."""
        run = SideRun("numerical error", self._measured)
        which = range(self._measured) if engine_named(self.options.engine).follows_some else None
        fine = self._read_v(self._courses(self.options.engine, pace, finer=True, which=which, run=run), pace)
        return float(np.sqrt(np.mean((np.stack(self.reads) - fine) ** 2))) / self._scale_v

    def _check(self, pace: Pace) -> EngineCheck:
        """The first samples, once around, by both engines."""
        judge = judge_of(self.options.engine, self.options.judge)
        count = min(max(self.options.cross_check, 2), len(self.inputs))
        run = SideRun("cross-check", 2 * count)
        few = replace(self, inputs=self.inputs[:count], rest=_first(self.rest, count))
        own, others = (
            few._read_v(few._courses(engine, pace, run=run), pace) for engine in (self.options.engine, judge)
        )
        apart = (own - others) / self._scale_v
        largest, rms = float(np.abs(apart).max()), float(np.sqrt(np.mean(apart**2)))
        return EngineCheck(judge, count, largest, rms)


def _first(rest: Solution, count: int) -> Solution:
    """Of so many samples."""
    tables = [
        {name: table[:count] for name, table in known.items()}
        for known in (rest.stage_v, rest.column_v, rest.amplifier_a)
    ]
    return replace(rest, stage_v=tables[0], column_v=tables[1], amplifier_a=tables[2])


def guessed_period_s(design: Design) -> float:
    """A time in which a chain of crossbars may settle: a dozen time constants and one slew of each."""
    return sum(_GUESSED_CONSTANTS * _constant_s(design, crossbar) for crossbar in design.crossbars)


def _constant_s(design: Design, crossbar: Crossbar) -> float:
    """Of amplifiers with the largest load that columns can be, of wires, and of slewing by the expected swing."""
    largest = largest_currents(design.devices) / design.input_v_per_unit
    siemens = float((crossbar.column_area.sum(axis=0) @ largest).max()) * crossbar.current_unit_a
    total = float(np.abs(crossbar.area).sum())
    row_f = 2 * crossbar.width * crossbar.row_f + crossbar.junction_f * total
    column_f = crossbar.rows * crossbar.column_f + crossbar.junction_f * total
    row_ohm = crossbar.driver_ohm + 2 * crossbar.width * crossbar.row_ohm
    constant_s = row_ohm * row_f + crossbar.rows * crossbar.column_ohm * column_f
    if math.isfinite(crossbar.gbw_hz):
        noise_gain = 1 + float(crossbar.feedback_ohm.max()) * siemens
        pole_s = noise_gain / (2 * math.pi * crossbar.gbw_hz)
        input_s = float(crossbar.feedback_ohm.max()) * column_f
        constant_s += pole_s + math.sqrt(input_s / (2 * math.pi * crossbar.gbw_hz))
    if math.isfinite(crossbar.slew_v_per_s):
        constant_s += crossbar.column_swing_v / crossbar.slew_v_per_s / _GUESSED_CONSTANTS
    return constant_s or float(crossbar.feedback_ohm.max()) * column_f
