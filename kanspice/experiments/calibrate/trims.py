"""What a chip's builder can set, as unknowns of a fit: each counts from 0, what it is untouched, in usual steps.

| set          | what it is                                                                            |
| outputs      | gain and offset of every output once it is read                                       |
| columns      | gain and offset of every column pair: its feedback resistors and a reference current  |
| clips        | the levels of every clip, all of a layer together                                     |
| references   | the reference currents of a crossbar, all together                                    |
| areas        | what a fraction of the devices is programmed to, each by itself                       |
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, get_args

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.base.validation import similar
from kanspice.circuit import Crossbar, Design, Limiter, Stage
from kanspice.experiments.trims import Affine, with_columns

Trim = Literal["outputs", "columns", "clips", "references", "areas"]
_INSIDE: tuple[Trim, ...] = ("columns", "clips", "references", "areas")
_GAIN, _OFFSET, _LEVEL, _REFERENCE, _AREA = 0.25, 0.1, 0.1, 0.1, 0.3
"""Usual steps: of a gain's logarithm, of what a column's output can be, of levels and currents, of an area."""
_RANGE = {"gain": 2.75, "offset": 5.0, "level": 3.0, "reference": 3.0, "area": 3.3}
"""How many usual steps either way there are: gains of a half to two, say, and areas of nothing to twice."""


def parse_trims(texts: Sequence[str]) -> tuple[tuple[Trim, ...], ...]:
    """Candidates from texts as "outputs" and "columns+areas". Raises InputError for what cannot be set."""
    found = []
    for text in texts:
        names = [name.strip() for name in text.split("+")]
        for name in names:
            if name not in get_args(Trim):
                known = ", ".join(get_args(Trim))
                hint = similar(name, get_args(Trim)) or "columns+areas sets both"
                raise InputError(f"there are no trims '{name}'"[:120], where="--trims", expected=known, hint=hint)
        found.append(tuple(trim for trim in get_args(Trim) if trim in names))
    if not found:
        raise InputError("nothing is to be set", where="--trims", expected=", ".join(get_args(Trim)))
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True)
class Space:
    """What of a circuit is set within it. nominal: as it was meant to be; bits: of every trim.

    area_step: of what areas can be programmed to; 0 where `bits` says it.
    """

    nominal: Design
    trims: tuple[Trim, ...]
    bits: int
    area_step: float = 0.0

    @cached_property
    def groups(self) -> dict[str, dict[str, slice]]:
        """By kind, the places of unknowns by stage."""
        found = dict[str, dict[str, slice]]()
        place = 0
        for kind, stage, count in self._parts():
            found.setdefault(kind, {})[stage] = slice(place, place + count)
            place += count
        return found

    def _parts(self) -> list[tuple[str, str, int]]:
        parts = []
        for stage in self.nominal.stages:
            if isinstance(stage, Crossbar):
                if "columns" in self.trims:
                    parts += [("gain", stage.name, stage.width), ("offset", stage.name, stage.width)]
                if "references" in self.trims and stage.bias_a.any():
                    parts.append(("reference", stage.name, 1))
                if "areas" in self.trims:
                    parts.append(("area", stage.name, stage.area.size))
            elif isinstance(stage, Limiter) and stage.kind == "clip" and "clips" in self.trims:
                parts.append(("level", stage.name, 1))
        return parts

    @property
    def size(self) -> int:
        """How many unknowns there are, those of areas that are not programmed among them."""
        return sum(count for _, _, count in self._parts())

    @cached_property
    def are_areas(self) -> Array:
        """(size,) True for areas of devices that there are."""
        found = np.zeros(self.size, dtype=bool)
        for name, place in self.groups.get("area", {}).items():
            found[place] = (self._crossbar(name).area != 0).ravel()
        return found

    @cached_property
    def are_others(self) -> Array:
        """(size,) True for trims that are no areas."""
        found = np.ones(self.size, dtype=bool)
        for place in self.groups.get("area", {}).values():
            found[place] = False
        return found

    def settable(self, values: Array) -> Array:
        """The nearest that can be set."""
        found = values.copy()
        for kind, places in self.groups.items():
            step = _RANGE[kind] / 2 ** (self.bits - 1)
            for name, place in places.items():
                if kind == "area" and self.area_step > 0:
                    found[place] = self._programmable(name, values[place])
                else:
                    found[place] = np.clip(np.round(values[place] / step) * step, -_RANGE[kind], _RANGE[kind])
        return found

    def _programmable(self, name: str, values: Array) -> Array:
        """Areas on the grid that there is; those that stay stay as they are."""
        area = np.abs(self._crossbar(name).area).ravel()
        wanted = np.round(area * np.clip(1 + _AREA * values, 0.0, 2.0) / self.area_step) * self.area_step
        return np.where((area > 0) & (values != 0), (wanted / np.where(area > 0, area, 1.0) - 1) / _AREA, 0.0)

    def _crossbar(self, name: str) -> Crossbar:
        return next(crossbar for crossbar in self.nominal.crossbars if crossbar.name == name)

    def applied(self, design: Design, values: Array) -> Design:
        """The chip, or its twin, with these set."""
        stages = tuple(self._applied(stage, values) for stage in design.stages)
        return with_columns(replace(design, stages=stages), self.columns(values))

    def columns(self, values: Array) -> dict[str, Affine]:
        """Gain and offset of column pairs, volts, by crossbar."""
        return {
            name: Affine(
                np.exp(_GAIN * values[place]),
                _OFFSET * _reach_v(self._crossbar(name)) * values[self.groups["offset"][name]],
            )
            for name, place in self.groups.get("gain", {}).items()
        }

    def amplifiers_v(self, crossbar: Crossbar, asked_v: Array) -> Array:
        """(3 * pairs, size) how what is asked of a trimmed crossbar's amplifiers follows its own columns' trims.

        asked_v: (3 * pairs,) volts of positive and negative columns in turn, and of subtractors.
        """
        found = np.zeros((3 * crossbar.width, self.size))
        if crossbar.name not in self.groups.get("gain", {}):
            return found
        gains, offsets = (np.arange(self.size)[self.groups[kind][crossbar.name]] for kind in ("gain", "offset"))
        reach_v = _OFFSET * _reach_v(self._crossbar(crossbar.name))
        columns, pairs = 2 * crossbar.width, np.arange(crossbar.width)
        found[np.arange(columns), np.repeat(gains, 2)] = _GAIN * asked_v[:columns]
        found[columns + pairs, gains] = _GAIN * asked_v[columns:]
        found[2 * pairs, offsets] = -reach_v / crossbar.subtractor_gain
        found[columns + pairs, offsets] = reach_v
        return found

    def _applied(self, stage: Stage, values: Array) -> Stage:
        here = {kind: values[places[stage.name]] for kind, places in self.groups.items() if stage.name in places}
        if isinstance(stage, Crossbar):
            area, bias_a = stage.area, stage.bias_a
            if "area" in here:
                factor = np.maximum(1 + _AREA * here["area"], 0.0).reshape(*area.shape[:2], -1)
                area = area * np.concatenate([factor] * (area.shape[2] // int(factor.shape[-1])), axis=2)
            if "reference" in here:
                bias_a = bias_a * (1 + _REFERENCE * here["reference"][0])
            return replace(stage, area=area, bias_a=bias_a)
        if isinstance(stage, Limiter) and "level" in here:
            factor_ = float(1 + _LEVEL * here["level"][0])
            return replace(stage, low_v=stage.low_v * factor_, high_v=stage.high_v * factor_)
        return stage

    def arrays(self, values: Array) -> Mapping[str, Array]:
        """What to set, for a file: gains, offsets in volts at the pair's output, and factors."""
        found = dict[str, Array]()
        for name, affine in self.columns(values).items():
            found |= {f"{name}.gain": affine.gain, f"{name}.offset_v": affine.offset}
        for kind, usual in (("level", _LEVEL), ("reference", _REFERENCE), ("area", _AREA)):
            for name, place in self.groups.get(kind, {}).items():
                shape = self._crossbar(name).area.shape if kind == "area" else (1,)
                found[f"{name}.{kind}_factor"] = np.maximum(1 + usual * values[place], 0.0).reshape(shape)
        return found


def of_chip(trims: tuple[Trim, ...]) -> tuple[Trim, ...]:
    """Those that are set within the circuit."""
    return tuple(trim for trim in trims if trim in _INSIDE)


def _reach_v(crossbar: Crossbar) -> float:
    """What the output of a pair is at most expected to be."""
    reach_v = crossbar.column_swing_v * crossbar.subtractor_gain
    return reach_v if math.isfinite(reach_v) and reach_v > 0 else crossbar.output_v_per_unit
