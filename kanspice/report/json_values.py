"""Python's values in JSON's types."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from kanspice.report.formatting import encodable


def finite(value: object, *, keep_infinite: bool = False) -> Any:
    """The value in JSON's types; a number that is not finite becomes None, or "inf" and "-inf" where kept."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {encodable(str(key)): finite(part, keep_infinite=keep_infinite) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [finite(part, keep_infinite=keep_infinite) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value) if keep_infinite and math.isinf(value) else None
    if value is None or isinstance(value, bool | int | float):
        return value
    return encodable(str(value))
