"""Where on their laws the parts of circuits without crossbars work: branches, memdiodes, filters and their detectors.

Each law is one curve for all its parts, since it is written in what their own parameters leave of it: an activation of
a branch's drive, Wright's omega function, a filter's amplitude by how far a tone is from its corner. Everything is of
some operating points, as many as take `EVALUATIONS` evaluations, so that it costs nothing beside solving the circuit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import wrightomega

from kanspice.base.arrays import Array, Indices
from kanspice.circuit import Design, FilterBank, OdePeriod, Stage, SynapseBank
from kanspice.circuit.branch_laws import own_name
from kanspice.circuit.branches import branch_drives, branches_of
from kanspice.circuit.stages.filter_bank import amplitudes_v, held, tones_hz
from kanspice.circuit.stages.synapse_bank import BAND_PASS, KIND_NAMES, LOW_PASS, SynapseState, synapse_state
from kanspice.engine.solution import Solution
from kanspice.gap.crossbar_maps import some
from kanspice.gap.operating import BINS, POINTS, evenly

LawKind = Literal["branch", "memdiode", "high-pass", "low-pass", "detector"]
_FLAT = 0.1
"""Of a law's steepest slope: less is flat."""
_STEP = 1e-4
_SMALLEST = 1e-300
_Places = tuple[Indices, ...]
"""Row, column and part of connections' parts, (parts,) each."""


@dataclass(frozen=True)
class LawPoint:
    """A part at one operating point. at, gives: where it is on the law, and what it makes of that.

    part: its numbers by what they count, from 0 (nodes from 1, ground 0). moment_s: since the inference began, of what
    takes time. of: quantities there, in SI units, by their name and unit.
    """

    stage: str
    part: Mapping[str, int]
    sample: int
    moment_s: float | None
    at: float
    gives: float
    of: Mapping[str, float]


@dataclass(frozen=True)
class LawUse:
    """All parts that have one law, at `points` operating points of each stage at most.

    low, high: what is shown of what the law is of, as much as is used. shares: of all that is used the part in each of
    equal bins between them. values: the law's at equally spaced places between them. falling: the part where less comes
    out for a larger voltage that goes in; flat: where the law's slope is less than a tenth of the steepest shown.
    examples: some of them, from the lowest place to the highest as evenly as there are any.
    """

    name: str
    kind: LawKind
    parts: int
    points: int
    low: float
    high: float
    shares: tuple[float, ...]
    values: tuple[float, ...]
    falling: float
    flat: float
    examples: tuple[LawPoint, ...] = ()


@dataclass(frozen=True)
class _Seen:
    """Parts of one stage with one law. at, gives: (points, parts), and falls, whether less comes out for more, what
    broadcasts to it. samples, moments_s: (points,). law: of places of any shape. part, of: what `LawPoint` has.
    """

    name: str
    kind: LawKind
    stage: str
    at: Array
    gives: Array
    falls: npt.NDArray[np.bool_]
    samples: Indices
    moments_s: Array | None
    law: Callable[[Array], Array]
    part: Callable[[int], Mapping[str, int]]
    of: Callable[[int, int], Mapping[str, float]]

    def point(self, number: int) -> LawPoint:
        """Of a number of `at`, counted row by row."""
        at, part = divmod(number, self.at.shape[1])
        moment_s = None if self.moments_s is None else _short(self.moments_s[at])
        places = _short(self.at[at, part]), _short(self.gives[at, part])
        of = {what: _short(value) for what, value in self.of(at, part).items()}
        return LawPoint(self.stage, self.part(part), int(self.samples[at]), moment_s, *places, of)


def law_uses(design: Design, solution: Solution, inputs: Array) -> tuple[LawUse, ...]:
    """Of every law that branches, synapses or filters have; of none of the circuit's transistors.

    inputs: (samples, inputs) in model units. Of a period whose waveforms were kept these are the operating points; of
    others its beginning and its end.
    """
    solved = np.flatnonzero(solution.solved)
    found: dict[tuple[str, LawKind], list[_Seen]] = {}
    before_v = inputs * design.input_v_per_unit
    for stage in design.stages if solved.size and design.transistors is None else ():
        for seen in _seen(design, solution, stage, before_v, solved):
            found.setdefault((seen.name, seen.kind), []).append(seen)
        before_v = solution.stage_v[stage.name]
    return tuple(map(_use, found.values()))


def _seen(design: Design, solution: Solution, stage: Stage, before_v: Array, solved: Indices) -> Iterator[_Seen]:
    if isinstance(stage, OdePeriod):
        yield from _branches(design, solution, stage, before_v, solved)
    elif isinstance(stage, SynapseBank):
        yield from _synapses(stage, before_v, solved)
    elif isinstance(stage, FilterBank):
        yield from _filters(stage, before_v, solved)


def _branches(
    design: Design, solution: Solution, period: OdePeriod, before_v: Array, solved: Indices
) -> Iterator[_Seen]:
    node_v, samples, moments_s = _moments(solution, period, before_v, solved)
    known = np.flatnonzero(np.isfinite(node_v).all(axis=1))
    if not known.size or not period.branches:
        return
    points = known[some(known.size, period.branches)]
    node_v, branches = node_v[points], branches_of(period, design.schematic)
    drive = branch_drives(branches, node_v / period.unit_v)
    shaped = branches.shaped(drive.copy(), branches.ratio)
    rises = branches.shaped(drive + _STEP, branches.ratio) - branches.shaped(drive - _STEP, branches.ratio)
    unit_a, ratio = period.gain * branches.weight * period.current_unit_a, float(np.median(branches.ratio))
    volts = np.pad(node_v, ((0, 0), (1, 0)))

    def part(branch: int) -> Mapping[str, int]:
        return {"branch": branch, "from node": int(branches.first[branch]), "to node": int(branches.second[branch])}

    def of(at: int, branch: int) -> Mapping[str, float]:
        first, second = volts[at, branches.first[branch]], volts[at, branches.second[branch]]
        return {"source / V": first, "destination / V": second, "current / A": unit_a[branch] * shaped[at, branch]}

    yield _Seen(
        name=own_name(period.law),
        kind="branch",
        stage=period.name,
        at=drive,
        gives=shaped,
        falls=rises * np.sign(branches.weight * branches.alpha) < 0,
        samples=samples[points],
        moments_s=None if moments_s is None else moments_s[points],
        law=lambda places: branches.shaped(places.copy(), ratio),
        part=part,
        of=of,
    )


def _moments(
    solution: Solution, period: OdePeriod, before_v: Array, solved: Indices
) -> tuple[Array, Indices, Array | None]:
    """Node voltages (points, nodes), the sample of each, and when it was; None where only both ends are known."""
    kept = [each for each in solution.waveforms if each.stage == period.name]
    if kept:
        samples = np.concatenate([np.full(len(each.time_s), each.sample) for each in kept])
        return np.concatenate([each.node_v for each in kept]), samples, np.concatenate([each.time_s for each in kept])
    ends = np.concatenate([period.start_v(before_v[solved]), solution.stage_v[period.name][solved]])
    return ends, np.concatenate([solved, solved]), None


def _synapses(bank: SynapseBank, before_v: Array, solved: Indices) -> Iterator[_Seen]:
    samples = solved[some(solved.size, bank.device_count)]
    state = synapse_state(bank, before_v[samples])
    for kind in range(len(KIND_NAMES)):
        places = np.nonzero((bank.gain != 0) & (bank.kind == kind))
        if places[0].size:
            yield _memdiodes(bank, kind, samples, state, places)


def _memdiodes(bank: SynapseBank, kind: int, samples: Indices, state: SynapseState, places: _Places) -> _Seen:
    """Those of a kind's synapses, at (row, column, synapse) places."""
    load, share = bank.load_ohm[places], np.zeros(places[0].size)
    if kind == BAND_PASS:
        share = load / (bank.input_ohm[places] + load)
        load = share * bank.input_ohm[places]
    resistance = load + bank.series_ohm[places]
    gives = bank.alpha_per_v[places] * resistance * _at(state.diode_a, places)
    at = gives + np.log(np.maximum(gives, _SMALLEST))
    taken = load / resistance * (1 + share) * gives / (1 + gives)
    falls = share - taken < 0 if kind == BAND_PASS else np.full((1, 1), kind == LOW_PASS)

    def of(point: int, number: int) -> Mapping[str, float]:
        where = (point, *(axis[number] for axis in places))
        volts = {"input / V": state.input_v[where], "load / V": state.load_v[where]}
        return {**volts, "current / A": state.diode_a[where]}

    part = partial(_connection, "synapse", places)
    name = f"{KIND_NAMES[kind]} synapses"
    return _Seen(name, "memdiode", bank.name, at, gives, falls, samples, None, _omega, part, of)


def _at(values: Array, places: _Places) -> Array:
    """(samples, connections) of values (samples, rows, columns, parts)."""
    row, column, part = places
    found: Array = values[:, row, column, part]
    return found


def _connection(what: str, places: _Places, number: int) -> Mapping[str, int]:
    """Of (row, column, what) places."""
    return dict(zip(("row", "column", what), (int(where[number]) for where in places), strict=True))


def _omega(places: Array) -> Array:
    """w of w + ln w: a memdiode's current, times what its loop's resistance and alpha make of it."""
    found: Array = np.real(wrightomega(places))
    return found


def _high(places: Array) -> Array:
    passed: Array = 1 / np.sqrt(1 + 10.0 ** (-2 * places))
    return passed


def _low(places: Array) -> Array:
    passed: Array = 1 / np.sqrt(1 + 10.0 ** (2 * places))
    return passed


def _filters(bank: FilterBank, before_v: Array, solved: Indices) -> Iterator[_Seen]:
    samples = solved[some(solved.size, bank.device_count)]
    hz, places = tones_hz(bank, before_v[samples]), np.nonzero(bank.gain)
    if not places[0].size:
        return
    amplitude_v = amplitudes_v(bank, hz)
    shown_v = _at(amplitude_v * held(bank, hz)[:, :, None, None] + bank.offset_v, places)
    amplitude_v, tones = _at(amplitude_v, places), hz[:, places[0]]

    def of(point: int, number: int) -> Mapping[str, float]:
        return {"tone / Hz": tones[point, number], "detector / V": amplitude_v[point, number]}

    seen = partial(
        _Seen, stage=bank.name, samples=samples, moments_s=None, part=partial(_connection, "filter", places), of=of
    )
    high, low = (
        np.log10(2 * math.pi * tones * (ohm * farad)[places])
        for ohm, farad in ((bank.high_ohm, bank.high_f), (bank.low_ohm, bank.low_f))
    )
    never, faster = np.zeros((1, 1), dtype=bool), np.full((1, 1), bank.decades > 0)
    yield seen("high-pass filters", "high-pass", at=high, gives=_high(high), falls=~faster, law=_high)
    yield seen("low-pass filters", "low-pass", at=low, gives=_low(low), falls=faster, law=_low)
    yield seen("detectors", "detector", at=amplitude_v, gives=shown_v, falls=never, law=_same)


def _same(places: Array) -> Array:
    return places


def _use(of_stages: list[_Seen]) -> LawUse:
    first, at = of_stages[0], np.concatenate([each.at.ravel() for each in of_stages])
    falls = np.concatenate([np.broadcast_to(each.falls, each.at.shape).ravel() for each in of_stages])
    low, high = float(at.min()), float(at.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    shown = np.linspace(low, high, POINTS)
    values = first.law(shown)
    step = _STEP * (high - low)
    here = np.abs(np.concatenate([_slopes(each.law, each.at.ravel(), step) for each in of_stages]))
    steepest = max(here.max(), np.abs(_slopes(first.law, shown, step)).max())
    counts, _ = np.histogram(at, BINS, (low, high))
    return LawUse(
        name=first.name,
        kind=first.kind,
        parts=sum(each.at.shape[1] for each in of_stages),
        points=max(len(each.at) for each in of_stages),
        low=low,
        high=high,
        shares=tuple(float(f"{count / at.size:.4g}") for count in counts),
        values=tuple(map(_short, values)),
        falling=float(np.mean(falls)),
        flat=float(np.mean(here < _FLAT * steepest)),
        examples=tuple(of_stages[which].point(number) for which, number in evenly([each.at for each in of_stages])),
    )


def _slopes(law: Callable[[Array], Array], at: Array, step: float) -> Array:
    risen: Array = (law(at + step) - law(at - step)) / (2 * step)
    return risen


def _short(value: float) -> float:
    return float(f"{value:.5g}")
