"""What a KirchhoffNet is that generates: samples of a distribution, made of samples of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kanspice.base.errors import InputError

_LARGEST_SIDE = 1_000_000


@dataclass(frozen=True)
class Generation:
    """Inputs are samples of the standard normal distribution, one of them for each node; outputs are the samples made.

    image: (channels, rows, columns) where outputs are the pixels of an image, in C order; None where they are not.
    Raises InputError for an image without pixels.
    """

    image: tuple[int, int, int] | None = None

    def __post_init__(self) -> None:
        if self.image is not None and not all(1 <= side <= _LARGEST_SIDE for side in self.image):
            raise InputError("an image has no such shape", expected="three numbers from 1", found=f"{self.image}")

    def check(self, nodes: Sequence[int], inputs: int, *, residual: object, readout: str, projector: object) -> None:
        """Raises InputError unless a network of these layers is a map that can be gone through backwards.

        Its density is then that of the normal distribution, carried along.
        """
        if set(nodes) != {inputs} or residual is not None or readout != "all" or projector is not None:
            raise InputError(
                "a network that generates needs the same nodes from its inputs to its outputs",
                expected="as many inputs as nodes, the same nodes in all layers, no residual, all nodes as outputs",
                found=f"{inputs} inputs, layers of {', '.join(map(str, nodes))} nodes"[:200],
            )
        if self.image is not None and self.image[0] * self.image[1] * self.image[2] != inputs:
            raise InputError("the image does not fit the nodes", expected=f"{inputs} pixels", found=f"{self.image}")
