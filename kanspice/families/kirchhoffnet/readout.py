"""Which node voltages are a KirchhoffNet's outputs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from torch import Tensor

from kanspice.base.errors import InputError

_PATTERN = re.compile(r"(first|last)([0-9]{1,9})")


@dataclass(frozen=True)
class Readout:
    """The nodes [start, stop) of the last layer, counted from node 1 as 0. name: `first<n>`, `last<n>` or `all`."""

    name: str
    start: int
    stop: int

    @property
    def width(self) -> int:
        return self.stop - self.start

    def select(self, voltages: Tensor) -> Tensor:
        """The outputs (samples, width) out of node voltages (samples, nodes)."""
        return voltages[:, self.start : self.stop]


def parse_readout(name: str, nodes: int) -> Readout:
    """The read-out of this name from a layer of this many nodes. Raises InputError for an unknown or too wide one."""
    if name == "all":
        return Readout(name, 0, nodes)
    match = _PATTERN.fullmatch(name)
    if match is None:
        raise InputError(
            "unknown read-out", expected="first<n>, last<n> (such as last10) or all", found=repr(name)[:80]
        )
    width = int(match[2])
    if not 1 <= width <= nodes:
        raise InputError("the read-out does not fit the last layer", expected=f"1 to {nodes} nodes", found=repr(name))
    return Readout(name, 0, width) if match[1] == "first" else Readout(name, nodes - width, nodes)
