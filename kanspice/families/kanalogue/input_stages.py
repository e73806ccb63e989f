"""Input stages: what a KANalogue layer does to its inputs before they reach the devices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from kanspice.base.errors import InputError

InputStageName = Literal["PosHC", "NegHC", "sigmoid", "tanh", "None"]


@dataclass(frozen=True)
class InputStage:
    """An elementwise function, and the range [low, high] of what it gives, in model units (None: unbounded)."""

    function: Callable[[Tensor], Tensor]
    output_range: tuple[float, float] | None


def _hard_clip(low: float, high: float) -> InputStage:
    return InputStage(lambda x: x.clamp(low, high), (low, high))


INPUT_STAGES: dict[InputStageName, InputStage] = {
    "PosHC": _hard_clip(0.0, 1.4),
    "NegHC": _hard_clip(-1.0, 1.0),
    "sigmoid": InputStage(torch.sigmoid, (0.0, 1.0)),
    "tanh": InputStage(torch.tanh, (-1.0, 1.0)),
    "None": InputStage(lambda x: x, None),
}


def input_stage_name(name: str | None) -> InputStageName:
    """The stage's name; None means "None", no stage. Raises InputError for any other name."""
    wanted = "None" if name is None else name
    for known in INPUT_STAGES:
        if known == wanted:
            return known
    raise InputError("unknown input stage", expected=f"one of {', '.join(INPUT_STAGES)}", found=repr(name))
