"""What a chain of crossbars does, to first order, with every random number of its specimen: one pass, and no draw.

Samples do not see each other, and of a crossbar without wires each column is one equation. So an output o of sample s
changes with the number behind a device by g[s, o, c] x w[s, d]: how the output follows the column's amplifier, times
how that follows the device. What the outputs of all samples have in common is then, column by column, a small matrix
over samples, and no derivative by a single device is ever stored:

    cov[(s, o), (t, p)] = sum over columns c of g[s, o, c] g[t, p, c] k[c, s, t],  k[c, s, t] = sum of w[s, d] w[t, d]

Derivatives are exact (the implicit function theorem for columns) but where a curve, a clip or a limit has a corner:
there two one-sided slopes stand beside each other, and the root of their mean square, weighed by how often a specimen
is on either side, is what error has on average. Inputs at exactly 0 V are at a corner wherever curves are clamped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from kanspice.base.arrays import Array, Indices
from kanspice.base.draws import GivenDraw
from kanspice.circuit import (
    Crossbar,
    Design,
    DifferentialPairs,
    Drivers,
    LayerNorm,
    Limiter,
    Rectifier,
    Stage,
)
from kanspice.circuit.amplifiers import drawn_a
from kanspice.circuit.specimens import RandomArray, draw_specimen
from kanspice.engine.solution import Solution
from kanspice.technology import Technology

_STEP = 1e-3
"""Of a standard normal number, for what a part changes by: nearly everything is linear in it."""
_ELEMENTWISE = Limiter, Rectifier, Drivers, DifferentialPairs
_OF_CROSSBARS = "area", "shift_v", "bias_a", "offset_v", "subtractor_offset_v", "feedback_ohm"
"""What of a crossbar may be random for its operating point."""
_SLOW = "feedback_f"
"""What operating points do not feel."""
_LEAST_V = 1e-6
"""Of a unit: the step of one-sided slopes."""
_KEPT = 50_000_000
"""So many numbers are kept, and not computed twice."""
_NEAR_V = 0.02
"""Columns within so many units of 0: devices' curves are followed from there by their slopes."""


@dataclass(frozen=True)
class Around:
    """The specimen that numbers are counted from, solved: `draw` has all its numbers, `arrays` says which are random.

    rows_v: (samples, inputs) what arrives at the first stage. stage_v, column_v, amplifier_a: (samples, ...) as engines
    find them.
    """

    nominal: Design
    technology: Technology
    draw: GivenDraw
    arrays: tuple[RandomArray, ...]
    rows_v: Array
    solution: Solution

    @property
    def design(self) -> Design:
        """The specimen."""
        return draw_specimen(self.nominal, self.technology, self.draw)

    def with_part(self, part: str, off: float) -> Design:
        """The specimen with every number of one part off by so much."""
        moved = dict(self.draw.normals)
        for array in self.arrays:
            if array.part == part:
                moved[array.name] = moved[array.name] + off
        return draw_specimen(self.nominal, self.technology, replace(self.draw, normals=moved))


@dataclass(frozen=True)
class _Channel:
    """Voltages that outputs follow, and by how much numbers that no other channel has move them.

    gradient: (samples, outputs, width), model units per volt, or amp. kernels: (width, samples, samples), squares of
    these.
    """

    gradient: Array
    kernels: npt.NDArray[np.float32]

    @property
    def blocks(self) -> Array:
        """(samples, outputs, outputs) covariances within each sample."""
        squares = np.einsum("css->sc", self.kernels)
        return np.asarray((self.gradient * squares[:, None, :]) @ self.gradient.transpose(0, 2, 1))

    def times(self, vectors: npt.NDArray[np.floating]) -> Array:
        """The covariance times vectors (samples, outputs, many)."""
        gradient = self.gradient.astype(vectors.dtype)
        inward = (gradient.transpose(0, 2, 1) @ vectors).transpose(1, 0, 2)  # (width, samples, many)
        return np.asarray(gradient @ (self.kernels @ inward).transpose(1, 0, 2))

    def drawn(self, generator: np.random.Generator, many: int) -> Array:
        """(samples, outputs, many) errors of specimens."""
        width, samples, _ = self.kernels.shape
        floor = np.eye(samples) * (1e-6 * np.einsum("css->c", self.kernels)[:, None, None] + 1e-300)
        roots = np.linalg.cholesky(np.asarray(self.kernels, np.float64) + floor)
        moved = roots @ generator.standard_normal((width, samples, many))
        return np.asarray(self.gradient @ moved.transpose(1, 0, 2))


@dataclass(frozen=True)
class Linear:
    """Outputs to first order in independent standard normal numbers, in model units: their covariances."""

    channels: tuple[_Channel, ...]
    shape: tuple[int, int]
    squares: Mapping[str, Array]
    """By the name of a random array: what each of its numbers alone adds to the sum of all outputs' variances."""

    @property
    def blocks(self) -> Array:
        """(samples, outputs, outputs): of the outputs of each sample."""
        outputs = self.shape[1]
        return np.asarray(sum((each.blocks for each in self.channels), np.zeros((self.shape[0], outputs, outputs))))

    def times(self, vectors: npt.NDArray[np.floating]) -> Array:
        """The covariance of everything times vectors (samples, outputs, many)."""
        return np.asarray(sum((each.times(vectors) for each in self.channels), np.zeros_like(vectors)))

    def drawn(self, seed: int, many: int) -> Array:
        """(samples, outputs, many): errors of so many specimens."""
        generator = np.random.default_rng(seed)
        return np.asarray(sum((e.drawn(generator, many) for e in self.channels), np.zeros((*self.shape, many))))


def is_linearised(design: Design, arrays: Sequence[RandomArray]) -> bool:
    """Whether this is known for the circuit: chains of crossbars without wires, whatever stands between them."""
    kinds = (Crossbar, LayerNorm, *_ELEMENTWISE)
    return (
        not design.is_timed
        and design.realised is None
        and all(isinstance(stage, kinds) for stage in design.stages)
        and not any(crossbar.has_wires for crossbar in design.crossbars)
        and bool(arrays)
    )


def is_shared(array: RandomArray) -> bool:
    """Whether all elements have the same number, as those that a reference makes: it is followed by solving twice."""
    return array.shape == (1,)


def two_sided(below: Array, above: Array) -> Array:
    """Of changes by a step down and a step up: with the sign of both together, the root of their mean square."""
    return np.sign(above - below) * np.sqrt((below**2 + above**2) / 2)


def linearised(around: Around, shared: Mapping[str, Array]) -> Linear:
    """The circuit of `around`, for all its samples.

    shared: by the name of an array that `is_shared`, what its number moves outputs by, (samples, outputs).
    """
    design, solution = around.design, around.solution
    samples, outputs = solution.samples, design.output_width
    slopes, made = _slopes(around), _Made([], {})
    for name, effect in shared.items():
        made.channels.append(_Channel(effect[:, :, None], np.ones((1, samples, samples), np.float32)))
        made.squares[name] = np.array([(effect**2).sum()])
    last = design.last_of_circuit
    gradient = np.broadcast_to(np.eye(outputs) / last.output_v_per_unit, (samples, outputs, outputs))
    before = [around.rows_v, *(solution.stage_v[stage.name] for stage in design.stages[:-1])]
    for place in range(len(design.stages) - 1, -1, -1):
        stage, rows_v = design.stages[place], before[place]
        goes_on = any(earlier.name in slopes for earlier in design.stages[:place])
        of_stage = slopes.get(stage.name, {})
        if isinstance(stage, Crossbar):
            gradient = _through_crossbar(around, stage, rows_v, gradient, of_stage, made)
        else:
            gradient = _through_plain(design, stage, rows_v, gradient, of_stage, made)
        if not goes_on:
            break
    return Linear(tuple(made.channels), (samples, outputs), made.squares)


@dataclass(frozen=True)
class _Slopes:
    """By how much a stage's fields change with the numbers of one part.

    ends: the stage where all of these are -1, and where they are 1; none of a crossbar.
    """

    name: str
    field: Mapping[str, Array]
    ends: tuple[Stage, ...]


def _slopes(around: Around) -> dict[str, dict[str, _Slopes]]:
    """Stage -> part -> slopes, of those parts that move it."""
    found: dict[str, dict[str, _Slopes]] = {}
    for part in dict.fromkeys(array.part for array in around.arrays if not is_shared(array)):
        low, high = (around.with_part(part, sign * _STEP).stages for sign in (-1, 1))
        for place, (below, above) in enumerate(zip(low, high, strict=True)):
            by_field = {name: change / (2 * _STEP) for name, change in _changes(below, above) if name != _SLOW}
            if by_field:
                far = [] if isinstance(above, Crossbar) else [around.with_part(part, sign) for sign in (-1.0, 1.0)]
                ends = tuple(design.stages[place] for design in far)
                found.setdefault(above.name, {})[part] = _Slopes(f"{above.name}.{part}", by_field, ends)
    return found


def _changes(below: Stage, above: Stage) -> Iterator[tuple[str, Array]]:
    for each in fields(above):
        first, second = getattr(below, each.name), getattr(above, each.name)
        if isinstance(second, np.ndarray | float) and not np.array_equal(first, second):
            yield each.name, np.asarray(second) - np.asarray(first)


@dataclass(frozen=True)
class _Made:
    """What moves outputs, as it is found."""

    channels: list[_Channel]
    squares: dict[str, Array]

    def add(self, slopes: _Slopes, gradient: Array, moved: Array) -> None:
        """Of a channel for each number. moved: (samples, width), volts."""
        by_channel = moved.T.astype(np.float32)
        self.channels.append(_Channel(gradient, by_channel[:, :, None] * by_channel[:, None, :]))
        self.squares[slopes.name] = np.einsum("soc,sc->c", gradient**2, moved**2)


def _through_crossbar(  # noqa: PLR0917 - what a stage is to be asked with
    around: Around, crossbar: Crossbar, rows_v: Array, gradient: Array, slopes: Mapping[str, _Slopes], made: _Made
) -> Array:
    """Adds what the crossbar's own parts do; gives the gradient by its rows, (samples, outputs, rows)."""
    name, solution = crossbar.name, around.solution
    columns_v, amplifier_a = solution.column_v[name], solution.amplifier_a[name]
    amplifiers = _of_amplifiers(crossbar, solution.stage_v[name], gradient)
    devices = _Devices(around.design, crossbar, rows_v, columns_v, list(slopes.values()))
    into, offset, feedback = _column_slopes(crossbar, -devices.by_row.sum(axis=1), columns_v, amplifier_a)
    by_current = amplifiers * into[:, None, :]
    if devices.are_random:
        made.channels.append(_Channel(by_current, devices.kernels))
        made.squares.update(devices.squares((amplifiers**2).sum(axis=1) * into**2))
    for each in slopes.values():
        effect = np.zeros_like(into)
        for field, known in (("bias_a", into), ("offset_v", offset), ("feedback_ohm", feedback)):
            if field in each.field:
                effect = effect + known * each.field[field]
        if effect.any():
            made.add(each, amplifiers, effect)
        if "subtractor_offset_v" in each.field:
            made.add(each, gradient, np.repeat(each.field["subtractor_offset_v"][None], len(rows_v), axis=0))
    return np.asarray(by_current @ devices.by_row.transpose(0, 2, 1))


def _of_amplifiers(crossbar: Crossbar, outputs_v: Array, gradient: Array) -> Array:
    """The gradient by what the amplifiers give, (samples, outputs, 2 * pairs)."""
    free = np.abs(outputs_v) < crossbar.swing_v
    found = np.empty((*gradient.shape[:2], 2 * crossbar.width))
    found[..., 1::2] = gradient * free[:, None, :] * crossbar.subtractor_gain
    found[..., ::2] = -found[..., 1::2]
    return found


def _column_slopes(
    crossbar: Crossbar, slope: Array, columns_v: Array, amplifier_a: Array
) -> tuple[Array, Array, Array]:
    """By how much amplifiers' outputs follow currents into columns, offsets and feedback, (samples, 2 * pairs) each.

    slope: what the devices' currents into the columns change by with these, siemens.
    """
    feedback = crossbar.feedback_ohm
    if crossbar.holds_columns:
        free = np.abs(crossbar.offset_v - feedback * amplifier_a) < crossbar.swing_v
        into = np.where(free, -feedback, 0.0)
        return into, np.where(free, 1.0, 0.0) + into * slope, np.where(free, -amplifier_a, 0.0)
    siemens, gain = 1 / (feedback + crossbar.output_ohm), crossbar.open_loop_gain
    drawn_slope = drawn_a(crossbar, columns_v)[1]
    into = -(1 - feedback * drawn_slope) / (slope - drawn_slope)
    by_drawn = -feedback - into
    is_free = np.abs(gain * (crossbar.offset_v - columns_v)) < crossbar.swing_v
    return into, by_drawn * np.where(is_free, -gain * siemens, 0.0), -by_drawn * amplifier_a * siemens - amplifier_a


class _Devices:
    """What the devices of a crossbar do to the currents into its columns.

    by_row: (samples, rows, 2 * pairs), siemens. kernels: (2 * pairs, samples, samples), squared amps.
    """

    def __init__(
        self, design: Design, crossbar: Crossbar, rows_v: Array, columns_v: Array, slopes: Sequence[_Slopes]
    ) -> None:
        self._crossbar, self._columns_v = crossbar, columns_v
        self._slopes = [each for each in slopes if "area" in each.field or "shift_v" in each.field]
        self._curves = _Curves.of(design, crossbar, rows_v, columns_v, slopes)
        samples, columns = columns_v.shape
        self.by_row = np.zeros((samples, crossbar.rows, columns))
        self.kernels = np.zeros((columns, samples, samples), np.float32)
        self._kept: list[_MovedCurrents] = []
        keeps = samples * crossbar.device_count * len(self._slopes) <= _KEPT
        for column in range(columns):
            for place, there, values, by_volt in self._of_column(column):
                self.by_row[:, there, column] += np.abs(crossbar.area[place]) * by_volt
                for each in self._slopes:
                    moved = _moved(crossbar, each, place, values, by_volt).astype(np.float32)
                    self.kernels[column] += moved @ moved.T
                    if keeps:
                        self._kept.append((each.name, column, place, moved))

    @property
    def are_random(self) -> bool:
        """Whether any number is behind a device."""
        return bool(self._slopes)

    def squares(self, weights: Array) -> dict[str, Array]:
        """By the name of a random array, (rows, pairs, types): sums over samples of squares of what its numbers move.

        weights: (samples, 2 * pairs) of the squares, per squared amp.
        """
        found = {each.name: np.zeros_like(self._crossbar.area) for each in self._slopes}
        by_column = np.ascontiguousarray(weights.T)
        for name, column, place, moved in self._kept or self._once_more():
            found[name][place] += by_column[column] @ moved**2
        return found

    def _once_more(self) -> Iterator[_MovedCurrents]:
        for column in range(self._columns_v.shape[1]):
            for place, _, values, by_volt in self._of_column(column):
                for each in self._slopes:
                    yield each.name, column, place, _moved(self._crossbar, each, place, values, by_volt)

    def _of_column(self, column: int) -> Iterator[tuple[_Place, Indices, Array, Array]]:
        """Where its devices of each type are in `area`, and in which rows; what each of area 1 carries, and slopes."""
        area, sign = self._crossbar.area, 1 - 2 * (column % 2)
        for kind in range(area.shape[2]):
            there = np.flatnonzero(np.sign(area[:, column // 2, kind]) == sign)
            place = there, column // 2, kind
            yield place, there, *self._curves.at(place, column, self._columns_v[:, column])


_Place = tuple[Indices, int, int]
_MovedCurrents = tuple[str, int, _Place, npt.NDArray[np.floating]]
"""An array of numbers, a column, its devices of one type, and by how much these numbers move their currents."""


def _moved(crossbar: Crossbar, slopes: _Slopes, place: _Place, values: Array, by_volt: Array) -> Array:
    """(samples, devices) amps by which the number behind each device moves its current."""
    area, moved = crossbar.area[place], np.zeros_like(values)
    if "area" in slopes.field:
        moved += values * (np.sign(area) * slopes.field["area"][place])
    if "shift_v" in slopes.field:
        moved -= by_volt * (np.abs(area) * slopes.field["shift_v"][place])
    return moved


@dataclass(frozen=True)
class _Curves:
    """What devices of area 1 carry, and its slopes.

    sigma_v: (2 * pairs,) by how much columns differ from specimen to specimen. at_rows: where all columns are near 0 V,
    of each type with its column at 0 V, (samples, rows): amps, and slopes below and above, siemens.
    """

    design: Design
    crossbar: Crossbar
    rows_v: Array
    sigma_v: Array
    at_rows: tuple[tuple[Array, Array, Array], ...]

    @classmethod
    def of(
        cls, design: Design, crossbar: Crossbar, rows_v: Array, columns_v: Array, slopes: Sequence[_Slopes]
    ) -> _Curves:
        sigma_v = np.zeros(2 * crossbar.width)
        for each in slopes:
            sigma_v = sigma_v + np.abs(each.field.get("offset_v", 0.0))
        near = np.abs(columns_v).max() <= _NEAR_V * design.input_v_per_unit and not crossbar.shift_v.any()
        near = near and not any("shift_v" in each.field for each in slopes)
        made = cls(design, crossbar, rows_v, sigma_v, ())
        if not near:
            return made
        step_v = np.array(_LEAST_V * design.input_v_per_unit)
        kinds = range(crossbar.area.shape[2])
        return replace(made, at_rows=tuple(made._sides(kind, rows_v, step_v) for kind in kinds))

    def at(self, place: _Place, column: int, column_v: Array) -> tuple[Array, Array]:
        """(samples, devices) amps, and siemens, of those at a place, whose column is at column_v (samples,)."""
        rows, _, kind = place
        if not self.at_rows:
            shift_v = self.crossbar.shift_v[place]
            step_v = max(float(self.sigma_v[column]), _LEAST_V * self.design.input_v_per_unit)
            values, below, above = self._sides(
                kind, self.rows_v[:, rows] - column_v[:, None] - shift_v, np.array(step_v)
            )
            return values, two_sided(-below, above)
        values, below, above = (each[:, rows] for each in self.at_rows[kind])
        sigma_v = max(float(self.sigma_v[column]), 1e-9 * self.design.input_v_per_unit)
        higher = ndtr(column_v / sigma_v)[:, None]
        """How often a column is above 0 V: its devices are then on the lower side."""
        slope = np.sign(below + above) * np.sqrt(higher * below**2 + (1 - higher) * above**2)
        return values - np.where(column_v[:, None] > 0, below, above) * column_v[:, None], slope

    def _sides(self, kind: int, volts: Array, step_v: Array) -> tuple[Array, Array, Array]:
        unit_a, unit_v = self.crossbar.current_unit_a, self.design.input_v_per_unit
        curve = self.design.devices[kind].curve
        low, here, high = (curve.numpy((volts + off) / unit_v)[0] * unit_a for off in (-step_v, 0.0, step_v))
        return here, (here - low) / step_v, (high - here) / step_v


def _through_plain(  # noqa: PLR0917
    design: Design, stage: Stage, rows_v: Array, gradient: Array, slopes: Mapping[str, _Slopes], made: _Made
) -> Array:
    """The same for a stage without unknowns, whose outputs each follow one input, or of a layer norm all."""
    here_v = _plain_v(design, stage, rows_v)
    for each in slopes.values():
        low_v, high_v = (_plain_v(design, one, rows_v) for one in each.ends)
        made.add(each, gradient, two_sided(low_v - here_v, high_v - here_v))
    step_v = _LEAST_V * design.input_v_per_unit
    if isinstance(stage, LayerNorm):
        steps = np.eye(rows_v.shape[1]) * step_v
        changes = [_plain_v(design, stage, rows_v + step) - _plain_v(design, stage, rows_v - step) for step in steps]
        return np.asarray(np.einsum("sow,isw->soi", gradient, np.stack(changes), optimize=True) / (2 * step_v))
    below, above = (_plain_v(design, stage, rows_v + off) - here_v for off in (-step_v, step_v))
    return np.asarray(gradient * (two_sided(below, above) / step_v)[:, None, :])


def _plain_v(design: Design, stage: Stage, rows_v: Array) -> Array:
    assert isinstance(stage, LayerNorm | Limiter | Rectifier | Drivers | DifferentialPairs)  # noqa: S101 - asked before
    return stage.ideal_v(design, rows_v)
