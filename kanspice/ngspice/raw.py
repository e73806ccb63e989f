"""Reading ngspice's binary raw files: the only output of it that is exact."""

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


def read_plots(path: Path) -> list[Plot]:
    """Every complete plot in the file; an empty list when there is no file, or none in it.

    A plot that was cut off (the simulator was killed) gives the points that are there in full.
    """
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
    marker = content.find(b"Binary:\n", start, start + _MAX_HEADER)
    if marker < 0:
        return None
    header = content[start:marker].decode("ascii", "replace")
    vectors = tuple(
        line.split()[1].lower() for line in header.partition("Variables:\n")[2].splitlines() if line.strip()
    )
    is_complex = "complex" in (_field(header, "Flags") or "")
    kind: np.dtype[np.float64] | np.dtype[np.complex128] = np.dtype(np.complex128 if is_complex else np.float64)
    promised = int(_field(header, "No. Points") or 0)
    body = marker + len(b"Binary:\n")
    row = kind.itemsize * len(vectors)
    available = (len(content) - body) // row if row else 0
    points = min(promised, available) if promised else available
    table = np.frombuffer(content, kind, points * len(vectors), body).reshape(points, len(vectors))
    return Plot(_field(header, "Plotname") or "", vectors, table), body + points * row


def _field(header: str, name: str) -> str | None:
    match = re.search(rf"^{re.escape(name)}:\s*(.*?)\s*$", header, re.MULTILINE)
    return match[1] if match else None
