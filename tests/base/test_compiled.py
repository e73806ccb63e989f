"""Compiled code is kept in files, and nothing depends on them."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

SOURCE = """
from kanspice.base.compiled import compiled

@compiled
def double(x):
    return 2.0 * x
"""


def _double(folder: Path) -> Callable[[float], float]:
    """A compiled function of a module of its own, as a new process has it."""
    path = folder / "doubling.py"
    if not path.exists():
        path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("doubling", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[[float], float] = module.double
    return found


def _kept(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.nb?"))


def test_code_is_kept(tmp_path: Path) -> None:
    assert _double(tmp_path)(3.0) == 6.0
    assert [path.suffix for path in _kept(tmp_path)] == [".nbc", ".nbi"]


@pytest.mark.parametrize("damage", [b"", b"\x80\x05", b"nonsense"])
def test_damaged_code_is_compiled_anew(tmp_path: Path, damage: bytes) -> None:
    _double(tmp_path)(3.0)
    for path in _kept(tmp_path):
        path.write_bytes(damage)
    assert _double(tmp_path)(3.0) == 6.0
    assert all(path.stat().st_size > 100 for path in _kept(tmp_path)), "and kept again"


def test_code_for_which_there_is_no_room_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.core.caching import IndexDataCacheFile

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(IndexDataCacheFile, "save", full)
    assert _double(tmp_path)(3.0) == 6.0
    assert _kept(tmp_path) == []
