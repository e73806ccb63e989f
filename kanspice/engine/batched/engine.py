"""The batched engine: the same design, outcomes and solution as ngspice's, by structure that a simulator cannot see."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from typing import assert_never

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.circuit import Design, Sort
from kanspice.engine.acceptance import as_read, chosen_samples, column_failures, range_failures, unproven_note
from kanspice.engine.batched.array_devices import HOST, failures_of, processor_named
from kanspice.engine.batched.batch import Batch, BatchSolver, blocks
from kanspice.engine.batched.memory import results_bytes
from kanspice.engine.batched.operating_points import StageChain
from kanspice.engine.batched.periods import PeriodSolver
from kanspice.engine.batched.row_expansions import KnownRows
from kanspice.engine.fidelity import Fidelity, check_fidelity
from kanspice.engine.options import RunOptions
from kanspice.engine.progress import Advance, Progress
from kanspice.engine.solution import FailedSample, NumericalError, Outcome, Size, Solution, Waveform

_OPTIONS = ("timeout_s", "check_samples", "seed", "waveforms", "block", "row_currents", "device")
"""Those that a solution keeps."""


def solve(
    design: Design,
    inputs: Array,
    fidelity: Fidelity,
    options: RunOptions | None = None,
    *,
    hints: Mapping[str, Array] | None = None,
    progress: Progress | None = None,
    numbers: Sequence[int] | None = None,
    known: KnownRows | None = None,
) -> Solution:
    """Voltages of every stage of the design for inputs (samples, inputs) in model units.

    hints: reference stages by name, (samples, width) in model units: the numerical error is measured where the circuit
    is farthest from them. progress: told first of the most memory that it will take, then of samples that are finished.
    numbers: which samples these are, for what is drawn for each of them; 0 and on if None. known: what circuits that
    get the same inputs share; the solution is the same with it.
    Failed samples are values in the result. Raises InputError for a fidelity that means nothing for the design, and for
    a device that is not there, or has nothing to do; SimulatorError where it fails, or has not enough memory.
    """
    arriving = design.inputs_v(inputs, numbers), design.read_late_s(len(inputs), numbers)
    options = options or RunOptions()
    with failures_of(options.device):
        run = _Run(design, *arriving, fidelity, options, hints=hints or {}, known=known)
        if progress is not None:
            progress(Advance(0, run.at_most_bytes))
        return as_read(design, run.solve(progress), numbers)


class BatchedSession:
    """A design, prepared once for many calls: `solve` without what is the same for all of them."""

    def __init__(self, design: Design, fidelity: Fidelity, options: RunOptions) -> None:
        self.design, self.fidelity, self.options = design, fidelity, options
        with failures_of(options.device):
            self._method = _method(design, fidelity, options)

    def solve(self, inputs: Array, numbers: Sequence[int] | None = None) -> Solution:
        """As the function of that name."""
        arriving = self.design.inputs_v(inputs, numbers), self.design.read_late_s(len(inputs), numbers)
        with failures_of(self.options.device):
            run = _Run(self.design, *arriving, self.fidelity, self.options, hints={}, method=self._method)
            return as_read(self.design, run.solve(None), numbers)


def _method(
    design: Design,
    fidelity: Fidelity,
    options: RunOptions,
    known: KnownRows | None = None,
    samples: int | None = None,
) -> BatchSolver:
    check_fidelity(design, fidelity)
    check_device(options.device, design)
    processor = processor_named(options.device)
    sort = design.sort
    match sort:
        case Sort.PERIODS:
            return PeriodSolver(design, processor)
        case Sort.CROSSBARS | Sort.SYNAPSES | Sort.FILTERS:
            return StageChain(
                design,
                fidelity,
                known,
                row_currents=options.row_currents,
                prove_states=options.prove_states,
                processor=processor,
                samples=samples,
            )
        case _:
            assert_never(sort)


def check_device(device: str, design: Design) -> None:
    """Raises InputError for a device that is not there, or that has nothing to do for this circuit."""
    if processor_named(device) is not HOST and design.sort not in {Sort.CROSSBARS, Sort.PERIODS}:
        expected = "crossbars, or a KirchhoffNet"
        raise InputError("nothing in this circuit is for a GPU", where=f"--device {device}", expected=expected)


class _Run:
    """One call of `solve`."""

    def __init__(
        self,
        design: Design,
        inputs_v: Array,
        late_s: Array,
        fidelity: Fidelity,
        options: RunOptions,
        *,
        hints: Mapping[str, Array],
        known: KnownRows | None = None,
        method: BatchSolver | None = None,
    ) -> None:
        self.design, self.fidelity, self.options, self.hints = design, fidelity, options, hints
        self.inputs_v, self.late_s = inputs_v, late_s
        self.started = time.monotonic()
        self.method: BatchSolver = method or _method(design, fidelity, options, known, len(inputs_v))
        self.load_s = time.monotonic() - self.started
        self.failures: dict[int, FailedSample] = {}
        self.stage_v: dict[str, Array] = {}
        self.column_v: dict[str, Array] = {}
        self.row_a: dict[str, Array] = {}
        self.amplifier_a: dict[str, Array] = {}
        self.residual_a = 0.0
        self.unproven: Counter[tuple[str, str]] = Counter()
        self.notes: list[str] = []

    @property
    def at_most_bytes(self) -> int:
        """What solving takes."""
        samples = len(self.inputs_v)
        at_a_time = min(samples, self.options.block or self.method.block)
        return results_bytes(self.design, samples) + self.method.bytes(at_a_time)

    @property
    def deadline(self) -> float | None:
        """Of `time.monotonic`."""
        return None if self.options.timeout_s is None else self.started + self.options.timeout_s

    @property
    def _is_late(self) -> bool:
        return self.deadline is not None and time.monotonic() > self.deadline

    def solve(self, progress: Progress | None) -> Solution:
        for block in blocks(range(len(self.inputs_v)), self.options.block or self.method.block):
            if self._is_late:
                self.failures |= {index: FailedSample(index, Outcome.TIMED_OUT) for index in block}
                continue
            self._keep(block, self.method.solve(self.inputs_v[block], self.late_s[block], deadline=self.deadline))
            if progress is not None:
                progress(Advance(len(block)))
        simulate_s = time.monotonic() - self.started - self.load_s
        return self._solution(simulate_s, self._numerical_error())

    def _keep(self, block: list[int], found: Batch) -> None:
        """Takes over what can be believed of a block."""
        failures = dict(found.failures)
        largest_v = np.abs(self.inputs_v).max(axis=0)
        for place, failure in range_failures(self.design, largest_v, found).items():
            failures.setdefault(place, failure)
        sees = self.fidelity == "device" and self.options.prove_states
        for place, failure in column_failures(self.design, found, devices_see_columns=sees).items():
            failures.setdefault(place, failure)
        good = [place for place in range(len(block)) if place not in failures]
        for kept, parts in (
            (self.stage_v, found.stage_v),
            (self.column_v, found.column_v),
            (self.row_a, found.row_a),
            (self.amplifier_a, found.amplifier_a),
        ):
            for name, values in parts.items():
                table = kept.setdefault(name, np.full((len(self.inputs_v), values.shape[1]), np.nan))
                table[np.asarray(block)[good]] = values[good]
        self.failures |= {block[place]: replace(failure, index=block[place]) for place, failure in failures.items()}
        self.residual_a = max(self.residual_a, found.residual_a)
        for what, places in found.unproven.items():
            self.unproven[what] += len(set(places) & set(good))

    def _numerical_error(self) -> NumericalError | None:
        """A few samples again, more exactly."""
        solved = [index for index in range(len(self.inputs_v)) if index not in self.failures]
        chosen = chosen_samples(solved, self.options, self._errors_v(solved)) if solved else []
        if not chosen:
            return None
        last = self.design.stages[-1].name
        differences_v: dict[int, Array] = {}
        for block in blocks(chosen[::-1], self.options.block or self.method.block):
            if self._is_late:
                break
            arriving = self.inputs_v[block], self.late_s[block]
            again = self.method.solve(*arriving, tighter=True, deadline=self.deadline)
            found_v = again.stage_v[last] - self.stage_v[last][block]
            good = [place for place in range(len(block)) if place not in again.failures]
            differences_v |= {block[place]: found_v[place] for place in good if np.isfinite(found_v[place]).all()}
        if not differences_v:
            self.notes.append("numerical error unknown: the tightened rerun came to no end")
            return None
        difference = np.stack(list(differences_v.values()))
        largest, rmse = float(np.abs(difference).max()), float(np.sqrt(np.mean(difference**2)))
        return NumericalError(tuple(sorted(differences_v)), largest, rmse)

    def _errors_v(self, solved: Sequence[int]) -> Array | None:
        """Largest |output - reference| of every solved sample, volts; None without a reference."""
        last = self.design.stages[-1]
        if last.compares_to not in self.hints:
            return None
        expected_v = self.hints[last.compares_to][solved] * last.output_v_per_unit
        errors_v: Array = np.abs(self.stage_v[last.name][solved] - expected_v).max(axis=1)
        return errors_v

    def _waveforms(self) -> tuple[Waveform, ...]:
        """Of the first samples with a result, each followed once more: of those that there is time for."""
        if not isinstance(self.method, PeriodSolver):
            return ()
        solved = [index for index in range(len(self.inputs_v)) if index not in self.failures]
        wanted, kept = solved[: self.options.waveforms], list[Waveform]()
        for done, index in enumerate(wanted):
            arguments = index, self.inputs_v[index], float(self.late_s[index]), self.deadline
            found = () if self._is_late else self.method.waveforms(*arguments)
            if not found:
                self.notes.append(
                    f"waveforms kept: {done} samples instead of {len(wanted)}, since --timeout was reached"
                )
                break
            kept += found
        return tuple(kept)

    def _solution(self, simulate_s: float, numerical_error: NumericalError | None) -> Solution:
        design, samples = self.design, len(self.inputs_v)
        nothing = {stage.name: np.full((samples, stage.width), np.nan) for stage in design.stages}
        no_columns = {crossbar.name: np.full((samples, 2 * crossbar.width), np.nan) for crossbar in design.crossbars}
        crossbars = design.crossbars if self.options.row_currents else ()
        no_rows = {crossbar.name: np.full((samples, crossbar.rows), np.nan) for crossbar in crossbars}
        solved = samples - len(self.failures)
        states = [unproven_note(name, count, tested) for (name, tested), count in self.unproven.items() if count]
        residual = {} if design.is_timed else {"residual_a": self.residual_a}
        waveforms = self._waveforms()
        return Solution(
            engine="batched",
            engine_version=_kanspice_version(),
            engine_options={"fidelity": self.fidelity, **self.options.named(_OPTIONS), **self.method.facts, **residual},
            samples=samples,
            failed=tuple(self.failures[index] for index in sorted(self.failures)),
            stage_v=nothing | self.stage_v,
            column_v=no_columns | self.column_v,
            row_a=no_rows | self.row_a,
            amplifier_a=no_columns | self.amplifier_a,
            timing_s={
                "load_s": self.load_s,
                "simulate_s": simulate_s,
                "per_sample_s": simulate_s / max(solved, 1),
            },
            notes=(*self.notes, *states),
            numerical_error=numerical_error,
            waveforms=waveforms,
            size=size_of(design),
            engine_at_most_bytes=self.at_most_bytes,
        )


@cache
def _kanspice_version() -> str:
    """Read once: it is in a file."""
    return version("kanspice")


def size_of(design: Design) -> Size:
    """How large the problem is, as engines that write a netlist say it."""
    return Size(sum(stage.unknowns for stage in design.stages), design.device_count, 0)
