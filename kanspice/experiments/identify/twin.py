"""A chip's twin: the circuit whose random numbers, and keys of its technology, are unknowns.

Unknowns are counted in their own standard deviations: standard normal numbers behind a specimen's parts, and
logarithms of keys. What a technology says of spreads is their prior.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from kanspice.base.arrays import Array, Flags
from kanspice.base.draws import GivenDraw
from kanspice.base.errors import InputError
from kanspice.circuit import Crossbar, Design, DifferentialPairs, Drivers, LayerNorm, Limiter, Rectifier
from kanspice.circuit.compile import Sizing
from kanspice.circuit.specimens import draw_specimen
from kanspice.circuit.specimens.random_arrays import RandomArray, random_arrays
from kanspice.engine.engines import engine_named
from kanspice.engine.fidelity import resolve_fidelity
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve
from kanspice.engine.solution import Solution
from kanspice.experiments.identify.jacobian import jacobian, moves_of
from kanspice.families import LoadedModel, compile_nominal
from kanspice.technology import Technology

ENGINE = "batched"
_KINDS = (Crossbar, Limiter, Rectifier, DifferentialPairs, Drivers, LayerNorm)
FACTOR = 2.0
"""Within which keys are known, unless something else is said."""
_LARGEST_FACTOR = 1e3
_KEY_STEP = 1e-4
"""Of the unknown of a key: derivatives by keys are central differences of whole circuits."""


@dataclass(frozen=True)
class UnknownKey:
    """A key of the technology that is not known: within `factor` of its value, either way, with 68 %."""

    name: str
    factor: float


def parse_keys(texts: Sequence[str]) -> tuple[UnknownKey, ...]:
    """Keys from `SECTION.KEY` and `SECTION.KEY=FACTOR` texts. Raises InputError for what is none."""
    found = dict[str, UnknownKey]()
    for text in texts:
        name, _, factor = text.partition("=")
        try:
            value = float(factor) if factor else FACTOR
        except ValueError:
            value = math.nan
        if not 1 < value < _LARGEST_FACTOR:
            expected = f"SECTION.KEY=FACTOR, a factor above 1 and below {_LARGEST_FACTOR:g}; {FACTOR:g} if left out"
            raise InputError("this is no unknown", where="--unknown", expected=expected, found=repr(text)[:80])
        found[name.strip()] = UnknownKey(name.strip(), value)
    return tuple(found.values())


@dataclass(frozen=True)
class Answer:
    """What a twin gives. outputs: (samples, outputs) in model units, NaN where it has no answer."""

    design: Design
    solution: Solution
    outputs: Array


class Twin:
    """The circuit of a network, with its random numbers as unknowns."""

    def __init__(
        self,
        loaded: LoadedModel,
        technology: Technology,
        sizing: Sizing | None,
        keys: Sequence[UnknownKey] = (),
    ) -> None:
        """Raises InputError for a circuit whose unknowns no gradient reaches, and for one without any."""
        self.loaded, self.technology, self.sizing, self.keys = loaded, technology, sizing, tuple(keys)
        for key in self.keys:
            _value(technology, key.name)
        self.nominal = compile_nominal(loaded, technology, sizing)
        self._compiled = np.zeros(len(self.keys)), self.nominal
        self._last: tuple[Array, Array, Answer] | None = None
        _check_chain(self.nominal)
        every = random_arrays(self.nominal, technology)
        self.arrays = tuple(array for array in every if array.kind == "normal")
        self.left_out = tuple(array.name for array in every if array.kind != "normal")
        if technology.devices.area_sigma > 0 and technology.devices.area_error != "normal":
            problem, found = "errors of areas that are not normal have no gradient", technology.devices.area_error
            raise InputError(problem, where="devices.area_error", expected="normal", found=found)
        if self.size == 0:
            raise InputError(
                "nothing of this circuit is unknown",
                where="the technology",
                expected="something random, as devices.area_sigma or tia.offset_sigma_v, or a key of --unknown",
            )

    @cached_property
    def places(self) -> dict[str, slice]:
        """Where the unknowns of each array are, and each key."""
        ends = np.cumsum([0, *(math.prod(array.shape) for array in self.arrays), *(1 for _ in self.keys)])
        names = [*(array.name for array in self.arrays), *(key.name for key in self.keys)]
        return {name: slice(int(a), int(b)) for name, a, b in zip(names, ends[:-1], ends[1:], strict=True)}

    @property
    def size(self) -> int:
        """How many unknowns there are."""
        return sum(math.prod(array.shape) for array in self.arrays) + len(self.keys)

    def said(self, key: UnknownKey) -> float:
        """What the technology says of a key."""
        return _value(self.technology, key.name)

    def matter(self, array: RandomArray) -> Flags:
        """(numbers,) True for those of parts that there are: a crossbar has fewer devices than places for them."""
        crossbars = {crossbar.name: crossbar for crossbar in self.nominal.crossbars}
        crossbar = crossbars.get(array.name.rpartition(".")[0])
        if crossbar is None or array.shape != crossbar.area.shape:
            return np.ones(math.prod(array.shape), dtype=bool)
        return np.asarray((crossbar.area != 0).ravel())

    def technology_of(self, unknowns: Array) -> Technology:
        """With the keys' values."""
        technology = self.technology
        for key in self.keys:
            value = _value(self.technology, key.name) * key.factor ** float(unknowns[self.places[key.name]][0])
            technology = _with_value(technology, key.name, value)
        return technology

    def draw(self, unknowns: Array) -> GivenDraw:
        """The specimen's numbers."""
        normals = {array.name: unknowns[self.places[array.name]].reshape(array.shape) for array in self.arrays}
        uniforms = {name: np.full(array.shape, 1 - 1e-12) for name, array in self._uniforms.items()}
        return GivenDraw(0, normals, uniforms)

    def design(self, unknowns: Array) -> Design:
        """The specimen."""
        technology, keys = self.technology_of(unknowns), self._keys_of(unknowns)
        if not np.array_equal(self._compiled[0], keys):
            self._compiled = keys, compile_nominal(self.loaded, technology, self.sizing)
        return draw_specimen(self._compiled[1], technology, self.draw(unknowns))

    def _keys_of(self, unknowns: Array) -> Array:
        """(keys,) the unknowns that are keys: circuits of which these are the same are compiled once."""
        return np.array([unknowns[self.places[key.name]][0] for key in self.keys])

    def changed(self, unknowns: Array, values: Mapping[str, float]) -> Design:
        """The specimen with other values of keys, `section.key`. Raises what compiling raises."""
        technology = self.technology_of(unknowns)
        for name, value in values.items():
            technology = _with_value(technology, name, value)
        return self.specimen(technology, unknowns)

    def specimen(self, technology: Technology, unknowns: Array) -> Design:
        """What a technology makes of the numbers behind the parts."""
        return draw_specimen(compile_nominal(self.loaded, technology, self.sizing), technology, self.draw(unknowns))

    def answer(self, inputs: Array, unknowns: Array) -> Answer:
        """What the specimen gives for inputs (samples, inputs). The last is kept: derivatives are asked for there."""
        if self._last is None or self._last[0] is not inputs or not np.array_equal(self._last[1], unknowns):
            self._last = inputs, unknowns.copy(), self.answer_of(self.design(unknowns), inputs)
        return self._last[2]

    def answer_of(self, design: Design, inputs: Array, *, has_rails: bool = False) -> Answer:
        """What a circuit gives, as the batched engine finds it; numerical errors are not looked for.

        A fit passes places where amplifiers would be beyond their rails: they give what is asked of them, unless
        `has_rails`; then such samples have no answer.
        """
        design = design if has_rails else _without_rails(design)
        fidelity = resolve_fidelity(design, "auto", engine_named(ENGINE).fidelities)
        options = RunOptions(check_samples=0, row_currents=False, prove_states=False)
        solution = solve(ENGINE, design, inputs, fidelity, options)
        last = design.last_of_circuit
        return Answer(design, solution, np.asarray(solution.stage_v[last.name] / last.output_v_per_unit))

    def jacobian(self, inputs: Array, unknowns: Array, answer: Answer) -> Array:
        """(samples, outputs, unknowns) of what it gives, of which `answer` was found."""
        groups = dict[str, dict[str, slice]]()
        for array in self.arrays:
            stage = array.name.rpartition(".")[0]
            there = stage in {each.name for each in self.nominal.stages}
            groups.setdefault(array.part, {})[stage if there else ""] = self.places[array.name]
        moves = moves_of(self.design, unknowns, groups)
        rows_v = answer.design.inputs_v(inputs)[:, : answer.design.input_width]
        made = jacobian(answer.design, answer.solution, rows_v, moves, self.size)
        for key in self.keys:
            change = np.zeros(self.size)
            change[self.places[key.name]] = _KEY_STEP
            low, high = (self.answer(inputs, unknowns + sign * change).outputs for sign in (-1, 1))
            made[:, :, self.places[key.name]] = ((high - low) / (2 * _KEY_STEP))[:, :, None]
        return made

    @cached_property
    def _uniforms(self) -> dict[str, RandomArray]:
        every = random_arrays(self.nominal, self.technology)
        return {array.name: array for array in every if array.kind == "uniform"}


def _without_rails(design: Design) -> Design:
    stages = [replace(each, rail_v=math.inf) if isinstance(each, Crossbar) else each for each in design.stages]
    return replace(design, stages=tuple(stages))


def _check_chain(design: Design) -> None:
    """Raises InputError for a circuit that is no chain of crossbars and stages that are formulas."""
    others = [stage.name for stage in design.stages if not isinstance(stage, _KINDS)]
    if others or design.is_timed or design.realised is not None:
        raise InputError(
            "the unknowns of this circuit are out of reach",
            expected="a chain of crossbars, and of stages between them that act at once",
            found=", ".join(others[:3]) or "amplifiers that are subcircuits, or filters over time",
            hint="kanspice study has the spread of such chips",
        )


def _value(technology: Technology, name: str) -> float:
    """Raises InputError for a key that is no number above 0."""
    section, _, key = name.partition(".")
    table = getattr(technology, section, None) if section in technology.sections else None
    value = getattr(table, key, None) if table is not None and key in type(table).model_fields else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise InputError(
            f"'{name}' cannot be unknown",
            where="--unknown",
            expected="section.key of the technology whose value is a number above 0, and finite",
            found="no such key" if value is None else repr(value)[:80],
            hint="give the technology its likely value, as in --set tia.gain=1000 --unknown tia.gain=3",
        )
    return float(value)


def _with_value(technology: Technology, name: str, value: float) -> Technology:
    section, _, key = name.partition(".")
    table = getattr(technology, section).model_copy(update={key: value})
    return technology.model_copy(update={section: table})
