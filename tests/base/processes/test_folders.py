"""Folders to work in, and the stale ones of others."""

from __future__ import annotations

import tempfile

import pytest
from filelock import lock_descriptor

from kanspice.base.processes import folders
from kanspice.base.processes.folders import fresh_folder

STALE = "kanspice-run-0123456789ab"


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folders._sweep.cache_clear()
    return tmp_path


def left_behind(temporary, name=STALE, lock=".lock"):
    folder = temporary / name
    folder.mkdir()
    (folder / lock).touch()
    (folder / "results").write_text("half of them")
    return folder


def test_a_folder_is_ours_alone_and_gone_afterwards(temporary):
    with fresh_folder() as folder:
        assert folder.parent == temporary
        assert folder.stat().st_mode & 0o077 == 0
        (folder / "results").write_text("1")
    assert list(temporary.iterdir()) == []


def test_what_a_dead_process_left_is_removed(temporary):
    left_behind(temporary)
    with fresh_folder() as folder:
        assert [*temporary.iterdir()] == [folder]


def test_what_is_in_use_or_none_of_ours_stays(temporary):
    kept = [
        left_behind(temporary, "kanspice-run-results"),
        left_behind(temporary, "kanspice-run-aaaaaaaaaaaa", lock=".unlocked"),
    ]
    target = left_behind(temporary, "elsewhere")
    link = temporary / "kanspice-run-bbbbbbbbbbbb"
    link.symlink_to(target)
    used = left_behind(temporary)
    with (used / ".lock").open("r+") as lock:
        assert lock_descriptor(lock.fileno())
        with fresh_folder():
            pass
    assert {*temporary.iterdir()} == {*kept, target, link, used}
    assert all((folder / "results").exists() for folder in (*kept, target, used))
