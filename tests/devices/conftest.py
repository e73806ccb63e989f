"""Fixtures of the device tests: the published I-V data, and a sweep of one expression through ngspice."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

Sweep = Callable[[str, float, float, int], tuple[np.ndarray, np.ndarray]]

DECK = """* device sweep
.func phi(x) {{{expression}}}
v1 in 0 0
b1 out 0 v=phi(v(in))
.options reltol=1e-12 vntol=1e-15 abstol=1e-18
.dc v1 {start!r} {stop!r} {step!r}
.save v(in) v(out)
.end
"""


@pytest.fixture(scope="session")
def published_iv(reference_data: Path) -> Path:
    """The KANalogue authors' folder of I-V points, knots and coefficients."""
    return reference_data / "kanalogue" / "iv"


@pytest.fixture
def ngspice_sweep(tmp_path: Path) -> Sweep:
    """Voltages (n,) and values (n,) of an expression of x, swept by ngspice from start to stop in n points."""

    def sweep(expression: str, start: float, stop: float, points: int) -> tuple[np.ndarray, np.ndarray]:
        step = (stop - start) / (points - 1)
        deck = DECK.format(expression=expression, start=start, stop=stop + step / 4, step=step)
        (tmp_path / "deck.cir").write_text(deck)
        command = ["ngspice", "-n", "-b", "-r", "out.raw", "deck.cir"]
        subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False, env=_environment(tmp_path))
        header, _, body = (tmp_path / "out.raw").read_bytes().partition(b"Binary:\n")
        names = [line.split()[1] for line in header.decode().split("Variables:\n")[1].splitlines() if line.strip()]
        table = np.frombuffer(body).reshape(points, len(names))
        return table[:, names.index("v(in)")], table[:, names.index("v(out)")]

    return sweep


def _environment(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home)}
