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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

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
from kanspice.experiments.sensitivity.devices import LEAST_V, Devices, two_sided
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
    slopes, made = _slopes(around), _Made([], {})
    for name, effect in shared.items():
        made.channels.append(Channel(effect[:, :, None], np.ones((1, samples, samples), np.float32)))
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

    def add(self, slopes: _Slopes, gradient: Array, moved: Array) -> None:
        """Of a channel for each number. moved: (samples, width), volts."""
        by_channel = moved.T.astype(np.float32)
        self.channels.append(Channel(gradient, by_channel[:, :, None] * by_channel[:, None, :]))
        self.squares[slopes.name] = np.einsum("soc,sc->c", gradient**2, moved**2)


def _through_crossbar(  # noqa: PLR0917 - what a stage is to be asked with
    around: Around, crossbar: Crossbar, rows_v: Array, gradient: Array, slopes: Mapping[str, _Slopes], made: _Made
) -> Array:
    """Adds what the crossbar's own parts do; gives the gradient by its rows, (samples, outputs, rows)."""
    name, solution = crossbar.name, around.solution
    columns_v, amplifier_a = solution.column_v[name], solution.amplifier_a[name]
    amplifiers = amplifier_gradients(crossbar, solution.stage_v[name], gradient)
    devices = Devices(around.design, crossbar, rows_v, columns_v, list(slopes.values()))
    settled = SettledColumns(crossbar, rows_v, columns_v, amplifier_a, around.design.input_v_per_unit)
    effects = column_effects(settled, -devices.by_row.sum(axis=1), np.ones_like(columns_v))
    into = effects.into
    by_current = amplifiers * into[:, None, :]
    if devices.are_random:
        made.channels.append(Channel(by_current, devices.kernels))
        made.squares.update(devices.squares((amplifiers**2).sum(axis=1) * into**2))
    for each in slopes.values():
        effect = np.zeros_like(into)
        for field, known in (("bias_a", into), ("offset_v", effects.offset), ("feedback_ohm", effects.feedback)):
            if field in each.field:
                effect = effect + known * each.field[field]
        if effect.any():
            made.add(each, amplifiers, effect)
        if "subtractor_offset_v" in each.field:
            free = np.abs(solution.stage_v[name]) < crossbar.swing_v
            moved_v = np.repeat(each.field["subtractor_offset_v"][None], len(rows_v), axis=0)
            made.add(each, gradient * free[:, None, :], moved_v)
    return np.asarray(by_current @ devices.by_row.transpose(0, 2, 1))


def _through_plain(  # noqa: PLR0917
    design: Design, stage: Stage, rows_v: Array, gradient: Array, slopes: Mapping[str, _Slopes], made: _Made
) -> Array:
    """The same for a stage without unknowns, whose outputs each follow one input, or of a layer norm all."""
    here_v = _plain_v(design, stage, rows_v)
    for each in slopes.values():
        low_v, high_v = (_plain_v(design, one, rows_v) for one in each.ends)
        made.add(each, gradient, two_sided(low_v - here_v, high_v - here_v))
    step_v = LEAST_V * design.input_v_per_unit
    if isinstance(stage, LayerNorm):
        steps = np.eye(rows_v.shape[1]) * step_v
        changes = [_plain_v(design, stage, rows_v + step) - _plain_v(design, stage, rows_v - step) for step in steps]
        return np.asarray(np.einsum("sow,isw->soi", gradient, np.stack(changes), optimize=True) / (2 * step_v))
    below, above = (_plain_v(design, stage, rows_v + off) - here_v for off in (-step_v, step_v))
    return np.asarray(gradient * (two_sided(below, above) / step_v)[:, None, :])


def _plain_v(design: Design, stage: Stage, rows_v: Array) -> Array:
    assert isinstance(stage, LayerNorm | Limiter | Rectifier | Drivers | DifferentialPairs)  # noqa: S101 - asked before
    return stage.ideal_v(design, rows_v)
