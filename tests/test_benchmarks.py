"""Benchmarks that nobody runs for a while are still programs."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"
NAMES = [".".join(path.relative_to(FOLDER).with_suffix("").parts) for path in sorted(FOLDER.rglob("[a-z]*.py"))]
RIVALS = {"plain": "PySpice"}
"""What needs a library that is optional."""


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_finds_what_it_imports(name):
    if name in RIVALS:
        pytest.importorskip(RIVALS[name])
    assert import_module(f"benchmarks.{name}").__doc__
