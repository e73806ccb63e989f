"""Benchmarks that nobody runs for a while are still programs."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"
RIVALS = {"plain": "PySpice"}
"""What needs a library that is optional."""


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__"))
def test_a_benchmark_finds_what_it_imports(name):
    if name in RIVALS:
        pytest.importorskip(RIVALS[name])
    assert import_module(f"benchmarks.{name}").__doc__
