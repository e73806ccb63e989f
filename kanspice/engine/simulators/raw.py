"""Reading SPICE's binary raw files: the only output of simulators that is exact."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

_MAX_HEADER = 64_000_000


@dataclass(frozen=True)
class Plot:
    """One plot of a raw file: a real or complex table (points, vectors) and the vectors' names, lower case."""

    name: str
    vectors: tuple[str, ...]
    table: npt.NDArray[np.float64] | npt.NDArray[np.complex128]
    is_complete: bool = True
    """False where fewer points are there than were promised, or none was yet."""


def read_plots(path: Path) -> list[Plot]:
    """Every complete plot in the file; an empty list when there is no file, or none in it, or a pipe in its place.

    A plot that was cut off (the simulator was killed) gives the points that are there in full.
    """
    if path.is_fifo():
        return []
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    plots, position = [], 0
    while (plot_and_end := _next_plot(content, position)) is not None:
        plot, position = plot_and_end
        plots.append(plot)
    return plots


def _next_plot(content: bytes, start: int) -> tuple[Plot, int] | None:
    marker = content.find(b"\nBinary:\n", start, start + _MAX_HEADER)
    if marker < 0:
        return None
    header = content[start : marker + 1].decode("ascii", "replace")
    variables = header.partition("\nVariables:\n")[2].splitlines()
    vectors = tuple(words[1].lower() for words in map(str.split, variables) if len(words) > 1)
    is_complex = "complex" in (_field(header, "Flags") or "")
    itemsize = np.dtype(np.complex128 if is_complex else np.float64).itemsize
    if _whole(header, "No. Variables") != len(vectors):
        return None
    promised = _whole(header, "No. Points")
    body = marker + len(b"\nBinary:\n")
    row = itemsize * len(vectors)
    available = (len(content) - body) // row if row else 0
    points = min(promised, available) if promised else available
    numbers = np.frombuffer(content, np.float64, points * row // 8, body)
    table = (numbers.view(np.complex128) if is_complex else numbers).reshape(points, len(vectors)).copy()
    if is_complex:
        table.imag[:, :1] = 0.0  # ngspice 39 leaves anything there, and the scale, a frequency, is real
    plot = Plot(_field(header, "Plotname") or "", vectors, table, is_complete=0 < promised == points)
    return plot, body + points * row


def _whole(header: str, name: str) -> int:
    """A header's count; 0 where it is none."""
    text = _field(header, name) or ""
    return int(text) if text.isdecimal() else 0


def _field(header: str, name: str) -> str | None:
    match = re.search(rf"^{re.escape(name)}:\s*(.*?)\s*$", header, re.MULTILINE)
    return match[1] if match else None
