"""Exact derivatives of every output of every sample by every unknown of a chain of crossbars.

Samples do not see each other, and a column is one equation: an output o of sample s follows a device in column c by
g[s, o, c] (how it follows the column's amplifier) times how that follows the device. One way back through the stages
finds g for all samples and outputs. Of crossbars with wires the directions leave the wires out; their answers do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.circuit import Crossbar, Design, Stage
from kanspice.circuit.specimens.differences import differences
from kanspice.engine.batched.adjoint.columns import ColumnEffects, SettledColumns, amplifier_gradients, column_effects
from kanspice.engine.solution import Solution
from kanspice.nn.explicit import Explicit, pulled_back

_STEP = 1e-3
"""Of an unknown, for what parts change by: nearly all are linear in it."""


@dataclass(frozen=True)
class Moves:
    """What one group of unknowns moves: the circuit with all of them a step down and a step up.

    places: by stage, where its unknowns are among all; one that all elements share is a place of length 1.
    """

    below: Design
    above: Design
    places: Mapping[str, slice]
    step: float = _STEP


def moves_of(at: Callable[[Array], Design], unknowns: Array, groups: Mapping[str, Mapping[str, slice]]) -> list[Moves]:
    """groups: by name, the places of unknowns by stage. Those of a group move elements of their own only."""
    found = []
    for places in groups.values():
        change = np.zeros_like(unknowns)
        for place in places.values():
            change[place] = _STEP
        found.append(Moves(at(unknowns - change), at(unknowns + change), places))
    return found


def jacobian(design: Design, solution: Solution, rows_v: Array, moves: list[Moves], size: int) -> Array:
    """(samples, outputs, size) model units per unknown; rows_v: (samples, inputs) volts at the first stage."""
    outputs, last = design.output_width, design.last_of_circuit
    made = np.zeros((len(rows_v), outputs, size))
    gradient = np.repeat((np.eye(outputs) / last.output_v_per_unit)[None], len(rows_v), axis=0)
    before = [rows_v, *(solution.stage_v[stage.name] for stage in design.stages[:-1])]
    for place in range(len(design.stages) - 1, -1, -1):
        stage, arriving = design.stages[place], before[place]
        own = [each for each in moves if any(_changes(each, place))]
        earlier = place > 0 and any(any(_changes(each, first)) for each in moves for first in range(place))
        if isinstance(stage, Crossbar):
            passed = _Passed(design, stage, place, arriving, solution)
            gradient = _through_crossbar(passed, gradient, own, made, earlier)
        else:
            _through_formula(design, place, arriving, gradient, own, made)
            if earlier:
                gradient = pulled_back(design, _explicit(stage), arriving, gradient)
        if not earlier:
            break
    return made


def _explicit(stage: Stage) -> Explicit:
    assert not isinstance(stage, Crossbar)  # noqa: S101 - as `Twin` has checked
    return stage  # type: ignore[return-value]


def _changes(moves: Moves, place: int) -> Iterator[tuple[str, Array]]:
    """Which fields of a stage change, and by how much per unknown."""
    for name, change in differences(moves.below.stages[place], moves.above.stages[place]):
        yield name, change / (2 * moves.step)


def _place(moves: Moves, stage: str) -> slice:
    """Where the unknowns are that a stage's parts follow."""
    return moves.places.get(stage) or moves.places[""]


def _add(made: Array, place: slice, effect: Array) -> None:
    """effect: (samples, outputs, elements), of which as many after each other have one unknown as are to be shared."""
    made[:, :, place] += effect.reshape(*effect.shape[:2], place.stop - place.start, -1).sum(axis=3)


def _through_formula(  # noqa: PLR0917 - what a stage is asked with
    design: Design, place: int, rows_v: Array, gradient: Array, moves: list[Moves], made: Array
) -> None:
    for each in moves:
        low, high = (_explicit(side.stages[place]).ideal_v(design, rows_v) for side in (each.below, each.above))
        _add(made, _place(each, design.stages[place].name), gradient * ((high - low) / (2 * each.step))[:, None, :])


@dataclass(frozen=True)
class _Passed:
    """A crossbar on the way back."""

    design: Design
    crossbar: Crossbar
    place: int
    rows_v: Array
    solution: Solution

    @property
    def columns_v(self) -> Array:
        return self.solution.column_v[self.crossbar.name]

    @property
    def devices(self) -> tuple[Indices, Indices, Indices, Indices]:
        """Row, pair, type and column of each."""
        crossbar = self.crossbar
        row, pair, kind = np.nonzero(crossbar.area)
        return row, pair, kind, 2 * pair + (crossbar.area[row, pair, kind] < 0)

    def currents(self) -> tuple[Array, Array]:
        """Of every device of area 1, and its slope, (samples, devices), amps and siemens."""
        crossbar, (row, pair, kind, column) = self.crossbar, self.devices
        values, slopes = (np.empty((len(self.rows_v), len(row))) for _ in range(2))
        for which, device in enumerate(self.design.devices):
            own = np.flatnonzero(kind == which)
            seen_v = self.rows_v[:, row[own]] - self.columns_v[:, column[own]]
            curve = device.curve.stretched(self.design.input_v_per_unit)
            values[:, own], slopes[:, own] = curve.numpy(seen_v - crossbar.shift_v[row[own], pair[own], which])
        return values * crossbar.current_unit_a, slopes * crossbar.current_unit_a

    def settled(self) -> SettledColumns:
        name, unit_v = self.crossbar.name, self.design.input_v_per_unit
        return SettledColumns(self.crossbar, self.rows_v, self.columns_v, self.solution.amplifier_a[name], unit_v)


def _through_crossbar(passed: _Passed, gradient: Array, moves: list[Moves], made: Array, earlier: bool) -> Array:
    """Adds what the crossbar's own parts do; gives the gradient by its rows, (samples, outputs, rows)."""
    crossbar, solution = passed.crossbar, passed.solution
    free = np.abs(solution.stage_v[crossbar.name]) < crossbar.swing_v
    amplifiers = amplifier_gradients(crossbar, solution.stage_v[crossbar.name], gradient)
    row, pair, kind, column = passed.devices
    values, slopes = passed.currents()
    carried = slopes * np.abs(crossbar.area[row, pair, kind])
    by_row = np.zeros((len(passed.rows_v), crossbar.rows, 2 * crossbar.width))
    for which in range(crossbar.area.shape[2]):
        own = np.flatnonzero(kind == which)
        by_row[:, row[own], column[own]] += carried[:, own]
    ones = np.ones_like(passed.columns_v)
    effects = column_effects(passed.settled(), -by_row.sum(axis=1), ones)
    for each in moves:
        place = _place(each, crossbar.name)
        changes = dict(_changes(each, passed.place))
        _add_devices(passed, changes, place, (amplifiers, effects.into, values, -carried), made)
        effect = _of_columns(effects, changes)
        if effect is not None:
            _add(made, place, amplifiers * effect[:, None, :])
        if "subtractor_offset_v" in changes:
            _add(made, place, gradient * free[:, None, :] * changes["subtractor_offset_v"])
    if not earlier:
        return gradient
    return np.asarray((amplifiers * effects.into[:, None, :]) @ by_row.transpose(0, 2, 1))


def _of_columns(effects: ColumnEffects, changes: Mapping[str, Array]) -> Array | None:
    """(samples, 2 * pairs) what amplifiers' outputs change by."""
    known = {
        **{"bias_a": effects.into, "offset_v": effects.offset, "feedback_ohm": effects.feedback},
        **{"open_loop_gain": effects.gain, "output_ohm": effects.output, "swing_v": effects.swing},
    }
    parts = [known[name] * change for name, change in changes.items() if name in known]
    return np.asarray(np.sum(parts, axis=0)) if parts else None


def _add_devices(
    passed: _Passed,
    changes: Mapping[str, Array],
    place: slice,
    known: tuple[Array, Array, Array, Array],
    made: Array,
) -> None:
    """known: gradient by amplifiers, what these make of a current, unit currents, and what shifts do to currents."""
    row, pair, kind, column = passed.devices
    amplifiers, into, values, shifted = known
    sign = np.sign(passed.crossbar.area[row, pair, kind])
    effect: Array | float = 0.0
    if "area" in changes:
        effect = values * (sign * changes["area"][row, pair, kind])
    if "shift_v" in changes:
        effect = effect + shifted * changes["shift_v"][row, pair, kind]
    if not isinstance(effect, np.ndarray):
        return
    moved = effect * into[:, column]
    if place.stop - place.start == 1:
        _add(made, place, amplifiers[:, :, column] * moved[:, None, :])
        return
    flat = place.start + np.ravel_multi_index((row, pair, kind), passed.crossbar.area.shape)
    made[:, :, flat] += amplifiers[:, :, column] * moved[:, None, :]
