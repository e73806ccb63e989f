"""Exact derivatives of every output of every sample by every unknown of a chain of crossbars.

Samples do not see each other, and a column is one equation: an output o of sample s follows a device in column c by
g[s, o, c] (how it follows the column's amplifier) times how that follows the device. One way back through the stages
finds g for all samples and outputs. In a crossbar with wires all crosspoints of a sample follow each other: there, one
transposed linear system for each sample and output says what a current through every device counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.circuit import Crossbar, Design, Stage
from kanspice.circuit.specimens.differences import differences
from kanspice.engine.batched.adjoint.columns import ColumnEffects, SettledColumns, amplifier_gradients, column_effects
from kanspice.engine.batched.adjoint.wires import WiredAdjoint
from kanspice.engine.batched.operating_points import StageChain
from kanspice.engine.batched.wired import WiredState
from kanspice.engine.solution import Solution
from kanspice.nn.explicit import Explicit, pulled_back

_FIELDS = {"bias_a": "into_a"} | {
    name: name for name in ("offset_v", "feedback_ohm", "open_loop_gain", "output_ohm", "swing_v")
}
"""Of crossbars, that belong to columns and amplifiers, and what their effects are called."""
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
            through = _through_wires if stage.has_wires else _through_crossbar
            gradient = through(passed, gradient, own, made, earlier)
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


def _add(made: Array, place: slice | Indices, effect: Array) -> None:
    """effect: (samples, outputs, elements), of which as many after each other have one unknown as are to be shared."""
    if isinstance(place, slice):
        effect = effect.reshape(*effect.shape[:2], place.stop - place.start, -1).sum(axis=3)
    made[:, :, place] += effect


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
    def outputs_v(self) -> Array:
        return self.solution.stage_v[self.crossbar.name]

    @cached_property
    def devices(self) -> tuple[Indices, Indices, Indices, Indices]:
        """Row, pair, type and column of each."""
        crossbar = self.crossbar
        row, pair, kind = np.nonzero(crossbar.area)
        return row, pair, kind, 2 * pair + (crossbar.area[row, pair, kind] < 0)

    def currents(self, seen_v: Array) -> tuple[Array, Array]:
        """Of every device if its area was 1, and its slope as it is, amps and siemens; seen_v: (samples, devices)."""
        crossbar, unit_a, (row, pair, kind, _) = self.crossbar, self.crossbar.current_unit_a, self.devices
        values, slopes = np.empty_like(seen_v), np.empty_like(seen_v)
        for which, device in enumerate(self.design.devices):
            own = np.flatnonzero(kind == which)
            curve = device.curve.stretched(self.design.input_v_per_unit)
            shift_v = crossbar.shift_v[row[own], pair[own], which]
            values[:, own], slopes[:, own] = curve.numpy(seen_v[:, own] - shift_v)
        return values * unit_a, slopes * (unit_a * np.abs(crossbar.area[row, pair, kind]))

    def slopes_by_row(self, carried: Array) -> Array:
        """(samples, rows, 2 * pairs) sums of the devices' slopes (samples, devices)."""
        row, _, kind, column = self.devices
        found = np.zeros((len(carried), self.crossbar.rows, 2 * self.crossbar.width))
        for which in np.unique(kind):
            own = np.flatnonzero(kind == which)
            found[:, row[own], column[own]] += carried[:, own]
        return found

    def moved_currents(self, changes: Mapping[str, Array], values: Array, carried: Array) -> Array | None:
        """(samples, devices) what currents change by, voltages staying; None where none does.

        values: currents of area 1. carried: slopes of the devices as they are.
        """
        row, pair, kind, _ = self.devices
        effect: Array | float = 0.0
        if "area" in changes:
            effect = values * (np.sign(self.crossbar.area[row, pair, kind]) * changes["area"][row, pair, kind])
        if "shift_v" in changes:
            effect = effect - carried * changes["shift_v"][row, pair, kind]
        return effect if isinstance(effect, np.ndarray) else None

    def places(self, place: slice) -> slice | Indices:
        """Of the devices' unknowns; of one that all of them share, `place` itself."""
        row, pair, kind, _ = self.devices
        if place.stop - place.start == 1:
            return place
        return np.asarray(place.start + np.ravel_multi_index((row, pair, kind), self.crossbar.area.shape))

    def settled(self) -> SettledColumns:
        name, unit_v = self.crossbar.name, self.design.input_v_per_unit
        return SettledColumns(self.crossbar, self.rows_v, self.columns_v, self.solution.amplifier_a[name], unit_v)


def _through_crossbar(passed: _Passed, gradient: Array, moves: list[Moves], made: Array, earlier: bool) -> Array:
    """Adds what the crossbar's own parts do; gives the gradient by its rows, (samples, outputs, rows)."""
    crossbar = passed.crossbar
    row, _, _, column = passed.devices
    seen_v = passed.rows_v[:, row] - passed.columns_v[:, column]
    values, carried = passed.currents(seen_v)
    amplifiers = amplifier_gradients(crossbar, passed.outputs_v, gradient)
    by_row = passed.slopes_by_row(carried)
    effects = column_effects(passed.settled(), -by_row.sum(axis=1), np.ones_like(passed.columns_v))
    for each in moves:
        place, changes = _place(each, crossbar.name), dict(_changes(each, passed.place))
        moved = passed.moved_currents(changes, values, carried)
        if moved is not None:
            moved = moved * effects.into[:, column]
            _add(made, passed.places(place), amplifiers[:, :, column] * moved[:, None, :])
        effect = _of_columns(effects, changes)
        if effect is not None:
            _add(made, place, amplifiers * effect[:, None, :])
        _add_subtractors(passed, gradient, changes, place, made)
    if not earlier:
        return gradient
    return np.asarray((amplifiers * effects.into[:, None, :]) @ by_row.transpose(0, 2, 1))


def _through_wires(passed: _Passed, gradient: Array, moves: list[Moves], made: Array, earlier: bool) -> Array:
    """The same of a crossbar with wires."""
    crossbar = passed.crossbar
    amplifiers = amplifier_gradients(crossbar, passed.outputs_v, gradient)
    for each in moves:
        changes = dict(_changes(each, passed.place))
        _add_subtractors(passed, gradient, changes, _place(each, crossbar.name), made)
    by_rows, first = np.zeros((*gradient.shape[:2], crossbar.rows)), 0
    chain = StageChain(passed.design, "device", row_currents=False, prove_states=False)
    for state in chain.wired_states(crossbar, passed.rows_v):
        part = slice(first, first + len(state.rows_v))
        by_rows[part] = _of_state(passed, state, amplifiers[part], moves, made[part])
        first = part.stop
    return by_rows if earlier else gradient


def _of_state(passed: _Passed, state: WiredState, amplifiers: Array, moves: list[Moves], made: Array) -> Array:
    """Of some samples: adds what devices and amplifiers do, gives the gradient by rows; none without a state."""
    name = passed.crossbar.name
    row, _, _, column = passed.devices
    values, carried = passed.currents(state.rows_v[:, row] - state.lost_v[:, row, column])
    changes = [(_place(each, name), dict(_changes(each, passed.place))) for each in moves]
    moved = [passed.moved_currents(each, values, carried) for _, each in changes]
    good = np.flatnonzero(state.settled.converged & np.isfinite(amplifiers).all(axis=(1, 2)))
    adjoint, by_rows = WiredAdjoint(state, good), np.zeros((*amplifiers.shape[:2], passed.crossbar.rows))
    for output in range(amplifiers.shape[1]):
        counted, own = adjoint.counted(amplifiers[good, output]), np.zeros((len(good), 1, made.shape[2]))
        at_devices = counted.weights[:, row, column]
        for (place, fields), currents in zip(changes, moved, strict=True):
            if currents is not None:
                _add(own, passed.places(place), (at_devices * currents[good])[:, None, :])
            for field in _FIELDS.keys() & fields.keys():
                _add(own, place, (adjoint.by_amplifiers(counted, _FIELDS[field]) * fields[field])[:, None, :])
        made[good, output] += own[:, 0]
        by_rows[good, output] = adjoint.by_rows(counted)
    return by_rows


def _add_subtractors(passed: _Passed, gradient: Array, changes: Mapping[str, Array], place: slice, made: Array) -> None:
    """Beyond their swing subtractors follow nothing."""
    if "subtractor_offset_v" in changes:
        free = np.abs(passed.outputs_v) < passed.crossbar.swing_v
        _add(made, place, gradient * free[:, None, :] * changes["subtractor_offset_v"])


def _of_columns(effects: ColumnEffects, changes: Mapping[str, Array]) -> Array | None:
    """(samples, 2 * pairs) what amplifiers' outputs change by."""
    known = {
        **{"into_a": effects.into, "offset_v": effects.offset, "feedback_ohm": effects.feedback},
        **{"open_loop_gain": effects.gain, "output_ohm": effects.output, "swing_v": effects.swing},
    }
    parts = [known[_FIELDS[name]] * change for name, change in changes.items() if name in _FIELDS]
    return np.asarray(np.sum(parts, axis=0)) if parts else None
