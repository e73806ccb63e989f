"""What all results of an ensemble depend on, in a few characters."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.circuit import Design
from kanspice.circuit.file import design_bytes


def circuits_sha256(designs: Iterable[Design]) -> str:
    """Of nominal circuits: they hold the model, its devices and the technologies."""
    digests = (hashlib.sha256(design_bytes(design)).digest() for design in designs)
    return hashlib.sha256(b"".join(digests)).hexdigest()


def sha256(values: Array | Indices) -> str:
    """Of numbers."""
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()
