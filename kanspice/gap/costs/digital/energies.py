"""Published energies: of digital operations and memories in one process, and of analogue chips that were made."""

from __future__ import annotations

import math
from dataclasses import dataclass

SOURCE = "M. Horowitz, Computing's energy problem (and what we can do about it), ISSCC 2014, pp. 10-14: 45 nm, 0.9 V"
_ACCESS_BYTES = 8
"""Of the accesses that the source gives energies of."""


@dataclass(frozen=True)
class Arithmetic:
    """A kind of numbers: what one operation takes, joules, and how many bytes a number has."""

    name: str
    multiply_j: float
    add_j: float
    number_bytes: int


@dataclass(frozen=True)
class Memory:
    """One that holds so many bytes at most, and what reading or writing a byte of it takes, joules."""

    name: str
    holds_bytes: float
    byte_j: float


@dataclass(frozen=True)
class AnalogueChip:
    """One that was made and measured: its operations per joule, a multiplication and an addition being two."""

    name: str
    operations_per_j: float
    reference: str


INT8 = Arithmetic("int8", multiply_j=0.2e-12, add_j=0.1e-12, number_bytes=1)
"""Products of 8 bits, added up in 32."""
FLOAT32 = Arithmetic("float32", multiply_j=3.7e-12, add_j=0.9e-12, number_bytes=4)
ARITHMETICS = INT8, FLOAT32
TABLES = Memory("SRAM of 8 kB", 8 * 1024, 10e-12 / _ACCESS_BYTES)
"""Also what the tables of functions are in."""
MEMORIES = (
    TABLES,
    Memory("SRAM of 32 kB", 32 * 1024, 20e-12 / _ACCESS_BYTES),
    Memory("SRAM of 1 MB", 1024**2, 100e-12 / _ACCESS_BYTES),
    Memory("DRAM", math.inf, 1.3e-9 / _ACCESS_BYTES),
)
"""Smallest first. Of DRAM the source says 1.3 to 2.6 nJ."""
CHIPS = (
    AnalogueChip(
        "64 cores of phase-change memory, 14 nm, read in four phases",
        2.48e12,
        "M. Le Gallo et al., Nature Electronics 6 (2023) 680-693",
    ),
    AnalogueChip(
        "64 cores of phase-change memory, 14 nm, read in one phase, less precise",
        9.76e12,
        "M. Le Gallo et al., Nature Electronics 6 (2023) 680-693",
    ),
    AnalogueChip(
        "34 tiles of phase-change memory, 14 nm, at most",
        12.4e12,
        "S. Ambrogio et al., Nature 620 (2023) 768-775",
    ),
)


def memory_for(size_bytes: float) -> Memory:
    """The smallest that holds so much."""
    return next(memory for memory in MEMORIES if size_bytes <= memory.holds_bytes)
