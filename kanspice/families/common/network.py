"""What every reference network is, whatever its family."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Self, cast

import numpy as np
from torch import Tensor, nn

from kanspice.base.arrays import Array
from kanspice.base.errors import KanspiceError
from kanspice.base.traced import is_tracing, traced
from kanspice.devices import Device

StageLaw = Callable[[Array], Array]
"""What a network makes of the values at a stage, (samples, inputs) in model units: (samples, width)."""


class DivergenceError(KanspiceError):
    """A network has no answer: an ODE's solution grows without bound, or changes too fast to be followed, or values
    are not finite (exit code 3)."""


class LateError(KanspiceError):
    """There was no time left to follow a network's voltages to their end (exit code 3)."""


class Network(nn.Module, ABC):
    """A trained network as a torch module. What not every family has is empty here."""

    @property
    @abstractmethod
    def input_width(self) -> int:
        """Number of inputs."""

    @property
    def input_axes(self) -> tuple[int, ...] | None:
        """Those of a sample, in the order of its inputs, where it is more than a row of them: an image's."""
        return None

    @property
    @abstractmethod
    def output_width(self) -> int:
        """Number of outputs."""

    @abstractmethod
    def stages(self, x: Tensor) -> dict[str, Tensor]:
        """What is at every stage, by name, (samples, width), for inputs (samples, inputs); outputs are the last."""

    @property
    def curves(self) -> tuple[Device, ...]:
        """The devices whose curves it was trained with."""
        return ()

    @property
    def part_names(self) -> tuple[str, ...]:
        """What its connections are, for a report: names of devices, or of a branch function."""
        return tuple(device.name for device in self.curves)

    @property
    def notes(self) -> tuple[str, ...]:
        """What its own checkpoint says of where it comes from, for a reader of reports."""
        return ()

    @property
    def stage_laws(self) -> dict[str, StageLaw]:
        """Of stages whose circuit is built for other equations than the network's; an ideal circuit says the rest."""
        return {}

    @property
    def block(self) -> int | None:
        """How many samples are integrated together where no gradients are recorded; None for a formula."""
        return None

    def tighter(self, _times: float) -> Self | None:
        """The same, integrated so many times as exactly; None for a formula."""
        return None

    def within(self, _timeout_s: float) -> Self:
        """The same, which may be integrated for so long from now on: later it raises LateError."""
        return self


def as_array(tensor: object) -> Array:
    """A trained tensor's numbers; within `tracing`, of one that wants a gradient, as a traced array."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"a trained tensor was expected, not {type(tensor).__name__}")
    if is_tracing() and tensor.requires_grad:
        return cast(Array, traced(tensor))
    return tensor.detach().cpu().numpy().astype(np.float64)
