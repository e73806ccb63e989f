"""What tests need beyond Python, and what happens when it is missing.

A test marked with one of its `NEEDS` is skipped, with the reason, where that is missing;
where the environment variable KANSPICE_REQUIRE names the need (a comma list, set by CI) it fails instead. The last
lines of a run say how many tests did not run for want of what.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import VARIABLE as BROWSER_VARIABLE
from browser import find_browser

from kanspice.base.errors import InputError, SimulatorError
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.engine.vacask.program import find_linker, find_vacask
from kanspice.experiments.export.kicad.program import find_kicad
from kanspice.subcircuits.process import PROCESSES, models_folder

if TYPE_CHECKING:
    from forked import Forked

REFERENCE_DATA_VARIABLE = "KANSPICE_REFERENCE_DATA"
REQUIRE_VARIABLE = "KANSPICE_REQUIRE"


@cache
def missing_ngspice() -> str | None:
    """Why there is no ngspice to run; None where there is one."""
    try:
        find_ngspice()
    except SimulatorError as error:
        return " ".join(part for part in (error.where, error.problem) if part)
    return None


@cache
def missing_vacask() -> str | None:
    """Why there is no VACASK to run; None where there is one."""
    try:
        find_vacask()
        find_linker()
    except SimulatorError as error:
        return error.problem
    return None


@cache
def missing_kicad() -> str | None:
    """Why there is no KiCad to run; None where there is one."""
    try:
        find_kicad()
    except SimulatorError as error:
        return error.problem
    return None


@cache
def missing_reference_data() -> str | None:
    """Why there is no folder of reference data; None where there is one."""
    named = os.environ.get(REFERENCE_DATA_VARIABLE)
    if not named:
        return f"{REFERENCE_DATA_VARIABLE} is not set"
    return None if Path(named).is_dir() else f"{REFERENCE_DATA_VARIABLE} names {named}, which is no folder"


@cache
def missing_browser() -> str | None:
    """Why there is no browser to open pages in; None where there is one."""
    named = os.environ.get(BROWSER_VARIABLE)
    if find_browser() is not None:
        return None
    return f"{BROWSER_VARIABLE} names {named}, which cannot be started" if named else "there is no Chromium or Chrome"


def missing_pdk() -> str | None:
    """Why there are no transistor models of GF180; None where there are."""
    try:
        models_folder(PROCESSES["gf180"])
    except InputError as error:
        return error.found
    return None


def missing_dask() -> str | None:
    """Why there is no Dask to run; None where there is one."""
    return "distributed is not installed" if find_spec("distributed") is None else None


@cache
def missing_gpu() -> str | None:
    """Why there is no GPU to compute with; None where there is one."""
    import torch

    return None if torch.cuda.is_available() else "torch sees no CUDA device"


NEEDS: dict[str, Callable[[], str | None]] = {
    "ngspice": missing_ngspice,
    "browser": missing_browser,
    "reference_data": missing_reference_data,
    "dask": missing_dask,
    "gpu": missing_gpu,
    "vacask": missing_vacask,
    "kicad": missing_kicad,
    "pdk": missing_pdk,
}


def required_needs() -> set[str]:
    """The needs that must be met here. Raises pytest.UsageError for a word that names none."""
    words = {word.strip() for word in os.environ.get(REQUIRE_VARIABLE, "").split(",")} - {""}
    if not words <= NEEDS.keys():
        unknown = ", ".join(sorted(words - NEEDS.keys()))
        raise pytest.UsageError(f"{REQUIRE_VARIABLE} names {unknown}; known: {', '.join(NEEDS)}")
    return words


def insist_on(need: str) -> None:
    """Skip the running test where `need` is missing, or fail it where the need is required."""
    reason = NEEDS[need]()
    if reason is None:
        return
    if need in required_needs():
        pytest.fail(f"{REQUIRE_VARIABLE} demands {need}, but {reason}", pytrace=False)
    pytest.skip(_skip_reason(need, reason))


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of reference data."""
    insist_on("reference_data")
    return Path(os.environ[REFERENCE_DATA_VARIABLE]).resolve()


@pytest.fixture(scope="session")
def module_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where tests keep the modules that they compile for VACASK, as `XDG_CACHE_HOME`: once for all of them, and nothing
    at home."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def rough_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few points in each picture, which nothing lays out: that takes most of the time that a page does."""
    from kanspice.report import figures

    monkeypatch.setitem(figures._STYLE, "figure.constrained_layout.use", False)
    monkeypatch.setattr(figures, "_DPI", 40)


@pytest.fixture(scope="session")
def forked() -> Callable[..., Forked]:
    """Starts `kanspice` as a process of its own: `forked.begin`."""
    from multiprocessing.util import get_temp_dir

    from forked import begin

    get_temp_dir()  # of multiprocessing, for what it listens to, before a test has temporary files elsewhere
    return begin


def pytest_configure() -> None:
    required_needs()


def pytest_runtest_setup(item: pytest.Item) -> None:
    for need in NEEDS:
        if item.get_closest_marker(need) is not None:
            insist_on(need)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    counts = Counter(need for need in NEEDS for reason in reasons if _skip_reason(need, "") in reason)
    for need, count in counts.items():
        terminalreporter.write_line(f"tests not run for want of {need}: {count} ({NEEDS[need]()})", yellow=True)


def _skip_reason(need: str, reason: str) -> str:
    return f"needs {need}: {reason}"
