"""Input stages and norms: an instance of a module for every row or lane."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import assert_never

from kanspice.circuit import DifferentialPairs, Drivers, LayerNorm, Limiter, Rectifier
from kanspice.engine.netlist.names import layer_of
from kanspice.engine.vacask.elements import GROUND, element, level

_LARGEST_DRIVE_V = 10.0
"""No diode of a rectifier takes more than this over its load."""
NORM_OHM = 1.0
"""Between each of the nodes that the lanes of a norm share, and ground."""


def limiter_lines(stage: Limiter, signal: Sequence[str], outputs: Sequence[str]) -> Iterator[str]:
    """Between the nodes of the stage before and the rows, which it drives."""
    module, values = _limiter(stage)
    for index, nodes in enumerate(zip(signal, outputs, strict=True)):
        shift = float(stage.shift_v[index])
        yield element(f"{layer_of(stage.name)}_in{index}", nodes, module, shift=shift, **values)


def _limiter(stage: Limiter) -> tuple[str, dict[str, float]]:
    units = {"in_unit": stage.input_v_per_unit, "unit": stage.unit_v}
    match stage.kind:
        case "none":
            return "kan_buffer", {}
        case "clip":
            levels = {"low": level(stage.low_v), "high": level(stage.high_v)}
            return ("kan_clamp", levels | {"knee": stage.knee_v}) if stage.knee_v > 0 else ("kan_clip", levels)
        case "sigmoid":
            return "kan_sigmoid", units | {"reach": level(stage.reach)}
        case "tanh":
            return "kan_tanh", units
        case _:
            assert_never(stage.kind)


def driver_lines(stage: Drivers, signal: Sequence[str], outputs: Sequence[str]) -> Iterator[str]:
    """A follower for every row."""
    for index, nodes in enumerate(zip(signal, outputs, strict=True)):
        own = {"offset": float(stage.offset_v[index]), "leak": float(stage.leak[index]), "swing": level(stage.swing_v)}
        yield element(f"{layer_of(stage.name)}_d{index}", nodes, "kan_follower", **own)


def rectifier_lines(stage: Rectifier, signal: Sequence[str], outputs: Sequence[str]) -> Iterator[str]:
    """The same: for every row a rectifier at each level that there is, one behind the other."""
    leak_v = stage.load_ohm * stage.saturation_a
    parts = {"ratio": stage.closed_loop_gain}
    if stage.has_drop:
        top = max(math.log(_LARGEST_DRIVE_V / leak_v), 0.0) + 1
        parts = {"gain": stage.open_loop_gain, "knee": stage.knee_v, "leak": leak_v, "top": top}
    module = "kan_rectifier" if stage.has_drop else "kan_rectifier_ideal"
    for index, (source, output) in enumerate(zip(signal, outputs, strict=True)):
        name, shift_v = f"{layer_of(stage.name)}_in{index}", float(stage.shift_v[index])
        levels = (
            (1.0, stage.low_v, float(stage.low_offset_v[index])),
            (-1.0, stage.upper_v, float(stage.high_offset_v[index])),
        )
        chained = [level for level in levels if math.isfinite(level[1])]
        between = [f"{name}_{place}" for place in range(1, len(chained))]
        ends = zip([source, *between], [*between, output], chained, strict=True)
        for place, (before, after, (side, level_v, offset_v)) in enumerate(ends):
            own = {"side": side, "level": level_v, "offset": offset_v, "shift": 0.0 if place else shift_v, **parts}
            if stage.one_amplifier and place:
                own |= {"offset": 0.0, "ratio": 1.0}
            yield element(f"{name}_r{place}", (before, after), module, **own)


def pair_lines(stage: DifferentialPairs, signal: Sequence[str], outputs: Sequence[str]) -> Iterator[str]:
    """The same, as differential pairs, whose bases are nodes that the simulator solves for."""
    shared = {
        "attenuation": stage.attenuation,
        "thermal": stage.thermal_v,
        "base_ohm": stage.source_ohm * stage.base_part,
        "unit": stage.unit_v / stage.nominal_tail_a,
        "low": 0.0 if stage.shape == "sigmoid" else -1.0,
    }
    for index, nodes in enumerate(zip(signal, outputs, strict=True)):
        own = {
            "shift": float(stage.shift_v[index]),
            "offset": float(stage.offset_v[index]),
            "tail": float(stage.tail_a[index]),
        }
        yield element(f"{layer_of(stage.name)}_in{index}", nodes, "kan_pair", **own, **shared)


def norm_lines(stage: LayerNorm, signal: Sequence[str], outputs: Sequence[str]) -> Iterator[str]:
    """A lane for every output, and the two nodes that all lanes share."""
    layer = layer_of(stage.name)
    shared = f"{layer}_mean", f"{layer}_var"
    for node in shared:
        yield element(f"{node}_r", (node, GROUND), "kan_resistor", r=NORM_OHM)
    for index, nodes in enumerate(zip(signal, outputs, strict=True)):
        own = {"gain": float(stage.gain_v[index]), "offset": float(stage.offset_v[index])}
        values = {"n": float(stage.width), "eps": stage.eps_v2}
        yield element(f"{layer}_norm{index}", (*nodes, *shared), "kan_norm", **own, **values)
