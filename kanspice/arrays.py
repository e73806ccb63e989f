"""The functions that arrays of any library have, so that code which uses no others serves NumPy's and torch's alike."""

from __future__ import annotations

from typing import Any

import array_api_compat.numpy
import numpy as np
from array_api_compat import array_namespace


def namespace(array: Any) -> Any:
    """The array's library as the Python array API standard has it."""
    return array_api_compat.numpy if isinstance(array, np.ndarray) else array_namespace(array)
