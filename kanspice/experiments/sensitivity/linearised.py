"""What a chain of crossbars does, to first order, with every random number of its specimen: one pass, and no draw.

Samples do not see each other, and of a crossbar without wires each column is one equation. So an output o of sample s
changes with the number behind a device by g[s, o, c] x w[s, d]: how the output follows the column's amplifier, times
how that follows the device. What the outputs of all samples have in common is then, column by column, a small matrix
over samples, and no derivative by a single device is ever stored:

    cov[(s, o), (t, p)] = sum over columns c of g[s, o, c] g[t, p, c] k[c, s, t],  k[c, s, t] = sum of w[s, d] w[t, d]

Derivatives are exact (the implicit function theorem for columns). Where voltages between crossbars differ from specimen
to specimen, what they go into is made linear over a standard deviation of theirs to either side (statistical
linearisation), which is found on a first way forwards; what it bends there moves the mean. Where a curve, a clip or a
limit has a corner that is stood upon, two one-sided slopes stand beside each other, and the root of their mean square,
weighed by how often a specimen is on either side, is what error has on average. Inputs at exactly 0 V are at a corner
wherever curves are clamped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from kanspice.base.arrays import Array
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
from kanspice.circuit.specimens import RandomArray, draw_specimen
from kanspice.circuit.specimens.differences import differences
from kanspice.engine.batched.adjoint.columns import SettledColumns, amplifier_gradients, column_effects
from kanspice.engine.solution import Solution
from kanspice.experiments.sensitivity.devices import LEAST_V, Arriving, Devices, bent, two_sided
from kanspice.experiments.sensitivity.linear import Channel, Linear
from kanspice.technology import Technology

_STEP = 1e-3
"""Of a standard normal number, for what a part changes by: nearly everything is linear in it."""
_ELEMENTWISE = Limiter, Rectifier, Drivers, DifferentialPairs
_SLOW = "feedback_f"
"""What operating points do not feel."""


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


def linearised(around: Around, shared: Mapping[str, Array]) -> Linear:
    """The circuit of `around`, for all its samples.

    shared: by the name of an array that `is_shared`, what its number moves outputs by, (samples, outputs).
    """
    design, solution = around.design, around.solution
    samples, outputs = solution.samples, design.output_width
    made = _Made([], {}, np.zeros((samples, outputs)))
    for name, effect in shared.items():
        made.channels.append(Channel(effect[:, :, None], np.ones((1, samples, samples), np.float32)))
        made.squares[name] = np.array([(effect**2).sum()])
    gradient = np.eye(outputs) / design.last_of_circuit.output_v_per_unit
    gradient = np.broadcast_to(gradient, (samples, outputs, outputs))
    for passed in reversed(list(_forwards(around, _slopes(around)))):
        gradient = passed.back(gradient, made)
    return Linear(tuple(made.channels), (samples, outputs), made.shift, made.squares)


def _forwards(around: Around, slopes: Mapping[str, Mapping[str, _Slopes]]) -> Iterator[_Passed]:
    """The stages from the first that specimens differ in, with what these do to what arrives."""
    design, solution = around.design, around.solution
    volts, sigma_v = around.rows_v, np.zeros_like(around.rows_v)
    for stage in design.stages:
        own = slopes.get(stage.name, {})
        if own or sigma_v.any():
            arriving = Arriving(volts, sigma_v)
            if isinstance(stage, Crossbar):
                passed: _Passed = _crossed(around, stage, arriving, own)
            else:
                passed = _plain(design, stage, arriving, own)
            sigma_v = passed.sigma_v
            yield passed
        volts = solution.stage_v[stage.name]
        if not sigma_v.any():
            sigma_v = np.zeros_like(volts)


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
            by_field = {name: change / (2 * _STEP) for name, change in differences(below, above) if name != _SLOW}
            if by_field:
                far = [] if isinstance(above, Crossbar) else [around.with_part(part, sign) for sign in (-1.0, 1.0)]
                ends = tuple(design.stages[place] for design in far)
                found.setdefault(above.name, {})[part] = _Slopes(f"{above.name}.{part}", by_field, ends)
    return found


@dataclass(frozen=True)
class _Made:
    """What moves outputs, as it is found."""

    channels: list[Channel]
    squares: dict[str, Array]
    shift: Array

    def add(self, name: str, gradient: Array, moved: Array) -> None:
        """Of a channel for each number. moved: (samples, width), volts."""
        by_channel = moved.T.astype(np.float32)
        self.channels.append(Channel(gradient, by_channel[:, :, None] * by_channel[:, None, :]))
        self.squares[name] = np.einsum("soc,sc->c", gradient**2, moved**2)


class _Passed(Protocol):
    """A stage on the way."""

    @property
    def sigma_v(self) -> Array:
        """(samples, width) by how much what it gives differs from specimen to specimen."""

    def back(self, gradient: Array, made: _Made) -> Array:
        """Adds what its own parts do; gives gradients by what arrives, (samples, outputs, inputs)."""


@dataclass(frozen=True)
class _Crossed:
    """A crossbar. into: (samples, 2 * pairs) volts of amplifiers per amp into their columns.

    own: by the name of an array, what its numbers move amplifiers by, (samples, 2 * pairs); subtracted: subtractors.
    """

    crossbar: Crossbar
    outputs_v: Array
    arriving: Arriving
    devices: Devices
    into: Array
    own: Mapping[str, Array]
    subtracted: Mapping[str, Array]

    @property
    def _free(self) -> Array:
        return np.asarray(np.abs(self.outputs_v) < self.crossbar.swing_v, dtype=np.float64)

    @property
    def sigma_v(self) -> Array:
        squares = np.einsum("css->sc", self.devices.kernels).astype(np.float64)
        if self.arriving.differ:
            squares = squares + ((self.arriving.sigma_v**2)[:, None, :] @ self.devices.by_row**2)[:, 0]
        squares = squares * self.into**2 + sum(moved**2 for moved in self.own.values())
        squares = (squares[:, ::2] + squares[:, 1::2]) * self.crossbar.subtractor_gain**2
        squares = squares + sum(moved**2 for moved in self.subtracted.values())
        return np.asarray(np.sqrt(squares) * self._free)

    def back(self, gradient: Array, made: _Made) -> Array:
        amplifiers = amplifier_gradients(self.crossbar, self.outputs_v, gradient)
        by_current = amplifiers * self.into[:, None, :]
        made.shift[...] += np.einsum("soc,sc->so", by_current, self.devices.bent_a)
        if self.devices.are_random:
            made.channels.append(Channel(by_current, self.devices.kernels))
            made.squares.update(self.devices.squares((amplifiers**2).sum(axis=1) * self.into**2))
        for name, moved_v in self.own.items():
            made.add(name, amplifiers, moved_v)
        for name, moved_v in self.subtracted.items():
            made.add(name, gradient * self._free[:, None, :], moved_v)
        return np.asarray(by_current @ self.devices.by_row.transpose(0, 2, 1))


def _crossed(around: Around, crossbar: Crossbar, arriving: Arriving, slopes: Mapping[str, _Slopes]) -> _Crossed:
    name, solution, design = crossbar.name, around.solution, around.design
    columns_v, amplifier_a = solution.column_v[name], solution.amplifier_a[name]
    devices = Devices(design, crossbar, arriving, columns_v, list(slopes.values()))
    settled = SettledColumns(crossbar, arriving.volts, columns_v, amplifier_a, design.input_v_per_unit)
    effects = column_effects(settled, -devices.by_row.sum(axis=1), np.ones_like(columns_v))
    known = {"bias_a": effects.into, "offset_v": effects.offset, "feedback_ohm": effects.feedback}
    own, subtracted = {}, {}
    for each in slopes.values():
        parts = [known[field] * change for field, change in each.field.items() if field in known]
        if parts:
            own[each.name] = np.asarray(np.sum(parts, axis=0))
        if "subtractor_offset_v" in each.field:
            subtracted[each.name] = np.repeat(each.field["subtractor_offset_v"][None], len(columns_v), axis=0)
    return _Crossed(crossbar, solution.stage_v[name], arriving, devices, effects.into, own, subtracted)


@dataclass(frozen=True)
class _Plain:
    """A stage between crossbars. by_input: (samples, width, inputs), or (samples, width) where each output follows one.

    own: by the name of an array, what its numbers move outputs by, (samples, width). bent_v: what the mean of all
    specimens is more, likewise.
    """

    arriving: Arriving
    by_input: Array
    own: Mapping[str, Array]
    bent_v: Array

    @property
    def sigma_v(self) -> Array:
        if self.by_input.ndim == 3:
            squares = np.einsum("swi,si->sw", self.by_input**2, self.arriving.sigma_v**2)
        else:
            squares = (self.by_input * self.arriving.sigma_v) ** 2
        return np.asarray(np.sqrt(squares + sum(moved**2 for moved in self.own.values())))

    def back(self, gradient: Array, made: _Made) -> Array:
        made.shift[...] += np.einsum("sow,sw->so", gradient, self.bent_v)
        for name, moved_v in self.own.items():
            made.add(name, gradient, moved_v)
        if self.by_input.ndim == 3:
            return np.asarray(gradient @ self.by_input)
        return np.asarray(gradient * self.by_input[:, None, :])


def _plain(design: Design, stage: Stage, arriving: Arriving, slopes: Mapping[str, _Slopes]) -> _Plain:
    rows_v, least_v = arriving.volts, LEAST_V * design.input_v_per_unit
    here_v, own = _plain_v(design, stage, rows_v), {}
    for each in slopes.values():
        low_v, high_v = (_plain_v(design, one, rows_v) for one in each.ends)
        own[each.name] = two_sided(low_v - here_v, high_v - here_v)
    if isinstance(stage, LayerNorm):
        steps = np.eye(rows_v.shape[1]) * least_v
        changes = [_plain_v(design, stage, rows_v + step) - _plain_v(design, stage, rows_v - step) for step in steps]
        return _Plain(arriving, np.stack(changes, axis=2) / (2 * least_v), own, np.zeros_like(here_v))
    step_v, varies = arriving.step_v(least_v), arriving.varies(least_v)
    below, above = (_plain_v(design, stage, rows_v + off) - here_v for off in (-step_v, step_v))
    slope = np.where(varies, (above - below) / 2, two_sided(below, above)) / step_v
    bent_v = bent(lambda off_v: _plain_v(design, stage, rows_v + off_v), step_v)
    return _Plain(arriving, slope, own, np.where(varies, bent_v, 0.0))


def _plain_v(design: Design, stage: Stage, rows_v: Array) -> Array:
    assert isinstance(stage, LayerNorm | Limiter | Rectifier | Drivers | DifferentialPairs)  # noqa: S101 - asked before
    return stage.ideal_v(design, rows_v)
