"""The voltages of a design's earlier stages, for those that add what was held of one of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kanspice.base.arrays import Array

NONE_EARLIER: Mapping[str, Array] = MappingProxyType({})
"""Of a stage that asks for none."""
