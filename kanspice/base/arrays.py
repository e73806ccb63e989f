"""Arrays: the types that everything is made of, and the functions that those of NumPy and torch both have."""

from __future__ import annotations

from typing import Any

import array_api_compat.numpy
import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace, device

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Digests = npt.NDArray[np.uint64]


def namespace(array: Any) -> Any:
    """The array's library as the Python array API standard has it."""
    return array_api_compat.numpy if isinstance(array, np.ndarray) else array_namespace(array)


def zeros(shape: tuple[int, ...], there: Any) -> Any:
    """Of float64, where `there` is."""
    return namespace(there).zeros(shape, dtype=there.dtype, device=device(there))
