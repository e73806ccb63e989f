"""Circuits of tiles, solved part by part.

Ideal drivers stand between the stage before and every tile, so that nothing of a tile acts back on what it sees: it has
the operating point that it has by itself, and positions that share a crossbar are samples of it. An engine thus solves
crossbars and chains that it knows, and what it accepts of each of them holds for the whole.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Protocol

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.circuit import Crossbar, Design, Limiter, Stage, Tiles
from kanspice.circuit.stages.tiles import TileGroup, drivers_of
from kanspice.engine.acceptance import chosen_samples
from kanspice.engine.options import RunOptions
from kanspice.engine.progress import Advance, Progress
from kanspice.engine.solution import FailedSample, NumericalError, Size, Solution

_TABLES = ("column_v", "row_a", "amplifier_a")
"""What a solution has of every crossbar, besides the outputs."""
_NUMBERS = re.compile(r"\d+")
_LARGEST_BLOCK = 2**17
"""Positions of samples that are solved together."""


class SolvePart(Protocol):
    """Solving a design without tiles, and accepting what holds."""

    def __call__(
        self,
        design: Design,
        inputs: Array,
        options: RunOptions,
        *,
        hints: Mapping[str, Array],
        progress: Progress | None,
    ) -> Solution: ...


def solve_tiled(
    design: Design,
    inputs_v: Array,
    options: RunOptions,
    solve_part: SolvePart,
    *,
    hints: Mapping[str, Array],
    progress: Progress | None,
) -> Solution:
    """Voltages of every stage of a design with tiles for inputs (samples, inputs), volts, as they arrive.

    A sample has failed where one of its positions has. hints: reference stages by name, (samples, width) in model
    units.
    """
    return _Tiled(design, options, solve_part, hints, progress, len(inputs_v)).solve(inputs_v)


@dataclass
class _Found:
    """What the parts found: (samples, ...) by name of a stage, NaN where a sample has failed."""

    stage_v: dict[str, Array] = field(default_factory=dict)
    column_v: dict[str, Array] = field(default_factory=dict)
    row_a: dict[str, Array] = field(default_factory=dict)
    amplifier_a: dict[str, Array] = field(default_factory=dict)
    failures: dict[int, FailedSample] = field(default_factory=dict)
    errors: dict[int, NumericalError] = field(default_factory=dict)
    """By how many stages of the design the part has behind it."""
    notes: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """What was said, by the stage and what it is without its numbers."""
    residual_a: float | None = None
    timing_s: dict[str, float] = field(default_factory=dict)
    nodes: int = 0
    elements: int = 0
    netlist_bytes: int = 0
    peak_bytes: int = 0
    at_most_bytes: int = 0
    last: Solution | None = None

    def add(self, solution: Solution) -> None:
        """What a solution says besides voltages, its size and its notes."""
        residual_a = solution.engine_options.get("residual_a")
        if isinstance(residual_a, float):
            self.residual_a = max(self.residual_a or 0.0, residual_a)
        for name, seconds in solution.timing_s.items():
            self.timing_s[name] = self.timing_s.get(name, 0.0) + seconds
        self.peak_bytes = max(self.peak_bytes, solution.simulator_peak_bytes or 0)
        self.at_most_bytes = max(self.at_most_bytes, solution.engine_at_most_bytes or 0)
        self.last = solution

    def add_notes(self, stage: str, notes: Iterable[str]) -> None:
        """What a solution of a stage, or of the chain that it ends, says in words."""
        for note in notes:
            self.notes.setdefault((stage, _NUMBERS.sub("", note)), []).append(note)

    def add_size(self, solution: Solution, times: int) -> None:
        """How large its circuit is. times: how many there are of it."""
        self.nodes += times * solution.size.nodes
        self.elements += times * solution.size.elements
        self.netlist_bytes += times * solution.size.netlist_bytes


class _Tiled:
    """One call of `solve_tiled`."""

    def __init__(  # noqa: PLR0917, once, from above
        self,
        design: Design,
        options: RunOptions,
        solve_part: SolvePart,
        hints: Mapping[str, Array],
        progress: Progress | None,
        samples: int,
    ) -> None:
        self.design, self.options, self.solve_part = design, options, solve_part
        self.hints, self.progress, self.samples = hints, progress, samples
        self.started, self.told = time.monotonic(), 0.0
        self.found = _Found()
        self.segments = tuple(_segments(design.stages))
        self.draws = np.random.default_rng(options.seed)

    def solve(self, inputs_v: Array) -> Solution:
        volts, behind = inputs_v, 0
        for segment in self.segments:
            behind += len(segment)
            error = self._segment(segment, volts)
            if error is not None:
                self.found.errors[behind] = error
            volts = self.found.stage_v[segment[-1].name]
        if self.progress is not None:
            self.progress(Advance(self.samples - self.told))
        return self._solution()

    # --- the parts ---

    def _segment(self, stages: tuple[Stage, ...], before_v: Array) -> NumericalError | None:
        for stage in stages:
            self._have_nothing(stage)
        match stages:
            case (Limiter(kind="none") as buffers,):
                return self._pass_on(buffers, before_v)
            case _ if not self._left.size:
                return None
            case (Tiles() as tiles,):
                return self._tiles(tiles, before_v)
            case _:
                return self._chain(stages, before_v)

    def _have_nothing(self, stage: Stage) -> None:
        """Tables for what is to be found of a stage."""
        widths = {"stage_v": stage.width}
        if isinstance(stage, Crossbar | Tiles):
            one, many = (stage, 1) if isinstance(stage, Crossbar) else (stage.crossbars[0], stage.positions)
            widths |= {"column_v": many * 2 * one.width, "amplifier_a": many * 2 * one.width}
            widths |= {"row_a": many * one.rows} if self.options.row_currents else {}
        for table, width in widths.items():
            self._table(table, stage.name, width)

    def _table(self, table: str, name: str, width: int) -> Array:
        """(samples, width) of what is found of a stage, NaN where nothing is."""
        tables: dict[str, Array] = getattr(self.found, table)
        if name not in tables:
            tables[name] = np.full((self.samples, width), np.nan)
        return tables[name]

    def _tiles(self, tiles: Tiles, before_v: Array) -> NumericalError | None:
        left, size = self._left, max(1, _LARGEST_BLOCK // tiles.positions)
        blocks = [left[first : first + size] for first in range(0, len(left), size)]
        checked, errors = iter(self._checked(len(blocks) * len(tiles.groups))), []
        if not tiles.is_reused and len(tiles.groups) < tiles.positions:
            alike = f"{tiles.positions} positions have {len(tiles.groups)} different crossbars"
            self.found.add_notes(tiles.name, [f"{tiles.name}: {alike}, each solved once, its positions as samples"])
        for number, block in enumerate(blocks):
            rows_v = tiles.rows_v(before_v[block])
            for group in tiles.groups:
                solution = self._positions(tiles, group, block, rows_v[:, group.positions], next(checked))
                errors += [solution.numerical_error] if solution.numerical_error is not None else []
                self._keep_positions(tiles, group, block, solution)
                if number == 0:
                    self.found.add_size(solution, 1 if tiles.is_reused else len(group.positions))
        return _largest(errors)

    def _positions(self, tiles: Tiles, group: TileGroup, samples: Indices, rows_v: Array, checks: int) -> Solution:
        """Some positions of some samples, each a sample of the crossbar there. rows_v: (samples, positions, rows)."""
        rows, pairs, drivers = group.crossbar.rows, group.crossbar.width, drivers_of(group.crossbar)
        seen_v = rows_v.reshape(-1, rows)
        hints = {drivers.compares_to: seen_v}  # known, and a start from which Newton's method takes another way
        if tiles.compares_to in self.hints:
            expected = self.hints[tiles.compares_to][samples].reshape(len(samples), tiles.positions, pairs)
            hints[tiles.compares_to] = expected[:, group.positions].reshape(-1, pairs)
        part = self._part((drivers, group.crossbar), rows)
        return self._solved(part, seen_v, hints, checks=checks, share=1 / len(self.segments) / tiles.positions)

    def _pass_on(self, buffers: Limiter, before_v: Array) -> NumericalError:
        """Inputs, which buffers give to everyone who sees them."""
        self.found.stage_v[buffers.name] = buffers.ideal_v(self.design, before_v)
        return NumericalError((), 0.0, 0.0)

    def _chain(self, stages: Sequence[Stage], before_v: Array) -> NumericalError | None:
        left, names = self._left, {stage.compares_to for stage in stages}
        part = self._part(stages, before_v.shape[1])
        hints = {name: values[left] for name, values in self.hints.items() if name in names}
        solution = self._solved(
            part, before_v[left], hints, checks=self.options.check_samples, share=1 / len(self.segments)
        )
        self.found.add_size(solution, 1)
        self.found.add_notes(stages[-1].name, solution.notes)
        for failure in solution.failed:
            self._fail(int(left[failure.index]), failure)
        for table in ("stage_v", *_TABLES):
            for name, values in getattr(solution, table).items():
                self._table(table, name, values.shape[1])[left] = values
        return solution.numerical_error

    def _keep_positions(self, tiles: Tiles, group: TileGroup, samples: Indices, solution: Solution) -> None:
        """Takes over what was found of some positions of some samples."""
        count, name = len(group.positions), group.crossbar.name
        where = "each position a sample" if count > 1 else f"position {group.positions[0]}"
        self.found.add_notes(tiles.name, (f"{tiles.name}, {where}: {note}" for note in solution.notes))
        for failure in solution.failed:
            sample, place = divmod(failure.index, count)
            at = f"{tiles.name}, position {group.positions[place]}"
            detail = f"{at}: {failure.detail}" if failure.detail else at
            self._fail(int(samples[sample]), replace(failure, detail=detail))
        for table in ("stage_v", *_TABLES):
            if name in getattr(solution, table):
                values = getattr(solution, table)[name]
                width = values.shape[1]
                kept = self._table(table, tiles.name, tiles.positions * width)
                positions = kept.reshape(self.samples, tiles.positions, width)
                positions[np.ix_(samples, group.positions)] = values.reshape(len(samples), count, width)

    def _solved(self, part: Design, volts: Array, hints: Mapping[str, Array], *, checks: int, share: float) -> Solution:
        """share: of a sample of the whole, that one of the part is."""

        def told(advance: Advance) -> None:
            if self.progress is not None:
                self.told += share * advance.samples
                self.progress(replace(advance, samples=share * advance.samples))

        options = replace(self.options, timeout_s=self._left_s, check_samples=checks)
        solution = self.solve_part(part, volts / part.input_v_per_unit, options, hints=hints, progress=told)
        self.found.add(solution)
        return solution

    def _part(self, stages: Sequence[Stage], width: int) -> Design:
        """A circuit of some stages, behind voltages that are there."""
        return replace(self.design, stages=tuple(stages), input_width=width, dac=None, adc=None, input_noise_v=0.0)

    def _checked(self, groups: int) -> list[int]:
        """For each of so many circuits how many samples are solved again: so many in all, drawn among the circuits."""
        wanted = self.options.check_samples
        if groups == 1:
            return [wanted]
        chosen = self.draws.choice(groups, min(wanted, groups), replace=False)
        counts: list[int] = np.bincount(chosen, minlength=groups).tolist()
        return counts

    @property
    def _left(self) -> Indices:
        """The samples that have not failed."""
        return np.array([index for index in range(self.samples) if index not in self.found.failures], dtype=np.int64)

    @property
    def _left_s(self) -> float | None:
        if self.options.timeout_s is None:
            return None
        return max(self.options.timeout_s - (time.monotonic() - self.started), 0.0)

    def _fail(self, sample: int, failure: FailedSample) -> None:
        self.found.failures.setdefault(sample, replace(failure, index=sample))

    # --- the whole ---

    def _numerical_error(self) -> NumericalError | None:
        """What the errors of all parts amount to at the outputs.

        Where a part's voltages go on, all of them are moved by the largest error that was found of it, up or down at
        random; nominal stages say what becomes of that. An engine may err alike wherever a crossbar stands, which no
        mean over positions takes away: so each channel is also moved one way at all of them, and the worse counts.
        """
        found, last = self.found, len(self.design.stages)
        if last not in found.errors or len(found.errors) < len(self.segments):
            return None
        chosen = chosen_samples(self._left.tolist(), self.options)
        if not chosen:
            return None
        carried = [NumericalError.of(chosen, self._carried_v(chosen, alike=alike)) for alike in (False, True)]
        own, most_v = found.errors[last], max(error.max_abs_v for error in carried)
        return NumericalError(
            tuple(chosen), most_v + own.max_abs_v, max(error.rmse_v for error in carried) + own.rmse_v
        )

    def _carried_v(self, chosen: list[int], *, alike: bool) -> Array:
        """By how much the outputs of samples move where every part's voltages do. alike: at all positions one way."""
        found, last = self.found, len(self.design.stages)
        plain_v = moved_v = found.stage_v[self.design.stages[0].name][chosen]
        for behind, stage in enumerate(self.design.stages[1:], 2):
            plain_v, moved_v = (stage.ideal_v(self.design, volts, {}) for volts in (plain_v, moved_v))
            if behind in found.errors and behind < last:
                positions = stage.positions if alike and isinstance(stage, Tiles) else 1
                ways = self.draws.choice((-1.0, 1.0), (len(chosen), stage.width // positions))
                moved_v = moved_v + found.errors[behind].max_abs_v * np.tile(ways, positions)
        return moved_v - plain_v

    def _solution(self) -> Solution:
        found, failed = self.found, sorted(self.found.failures)
        if found.last is None:
            raise AssertionError("a design with tiles has parts")
        for tables in (found.stage_v, found.column_v, found.row_a, found.amplifier_a):
            for table in tables.values():
                table[failed] = np.nan
        timing_s = {name: seconds for name, seconds in found.timing_s.items() if name != "per_sample_s"}
        solved = max(self.samples - len(failed), 1)
        kept: dict[str, object] = {"timeout_s": self.options.timeout_s, "residual_a": found.residual_a}
        options = found.last.engine_options
        return replace(
            found.last,
            engine_options={key: kept.get(key, value) for key, value in options.items()},
            samples=self.samples,
            failed=tuple(found.failures[index] for index in failed),
            stage_v={stage.name: found.stage_v[stage.name] for stage in self.design.stages},
            column_v=found.column_v,
            row_a=found.row_a,
            amplifier_a=found.amplifier_a,
            supply_w=None,
            timing_s={**timing_s, "per_sample_s": timing_s.get("simulate_s", 0.0) / solved},
            notes=tuple(map(_shortened, found.notes.values())),
            numerical_error=self._numerical_error() if self.options.check_samples else None,
            size=Size(found.nodes, found.elements, found.netlist_bytes),
            simulator_peak_bytes=found.peak_bytes or None,
            engine_at_most_bytes=found.at_most_bytes or None,
        )


def _segments(stages: Sequence[Stage]) -> Iterator[tuple[Stage, ...]]:
    """Tiles, each by itself, and the chains between them."""
    for is_tiles, run in groupby(stages, lambda stage: isinstance(stage, Tiles)):
        if is_tiles:
            yield from ((stage,) for stage in run)
        else:
            yield tuple(run)


def _shortened(said: Sequence[str]) -> str:
    """The first of notes that differ in numbers, and how many others there are."""
    others = len(said) - 1
    return f"{said[0]} (and {others} more of the kind)" if others else said[0]


def _largest(errors: Sequence[NumericalError]) -> NumericalError | None:
    """The largest of parts that are beside each other."""
    if not errors:
        return None
    return max(errors, key=lambda error: error.max_abs_v)
