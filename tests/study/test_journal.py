"""The journal: whole lines or none."""

from __future__ import annotations

import errno
import os

import pytest

from kanspice.errors import InputError, SimulatorError
from kanspice.study.journal import Journal, begin, read_plan


def test_what_was_appended_is_read_back(tmp_path):
    with Journal(tmp_path) as journal:
        assert journal.records == []
        assert journal.append({"b": 0.1 + 0.2, "a": (1, None)}) == {"a": [1, None], "b": 0.1 + 0.2}
    with Journal(tmp_path) as journal:
        assert journal.records == [{"a": [1, None], "b": 0.1 + 0.2}]


@pytest.mark.parametrize("torn", [b"{", b'{"a": 2}', b'{"a": "\xc3'])
def test_a_line_that_was_cut_short_is_taken_away(tmp_path, torn):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"a": 1}\n' + torn)
    with Journal(tmp_path) as journal:
        assert journal.records == [{"a": 1}]
        journal.append({"a": 3})
    assert path.read_bytes() == b'{"a": 1}\n{"a": 3}\n'


@pytest.mark.parametrize("line", [b"nonsense", b"\x00\x00", b"[1]", b""])
def test_a_damaged_line_is_no_torn_one(tmp_path, line):
    (tmp_path / "journal.jsonl").write_bytes(b'{"a": 1}\n' + line + b'\n{"a": 2}\n')
    with pytest.raises(InputError, match="line 2 is no record"):
        Journal(tmp_path)


def test_one_process_at_a_time(tmp_path):
    with Journal(tmp_path), pytest.raises(InputError, match="another process is at work on this study"):
        Journal(tmp_path)
    with Journal(tmp_path):
        pass


def test_a_full_disk_is_said(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with Journal(tmp_path) as journal, pytest.raises(SimulatorError, match="No space left on device"):
        journal.append({"a": 1})


def test_a_study_takes_no_folder_that_is_in_use(tmp_path):
    begin(tmp_path / "new", {"request": {}})
    assert read_plan(tmp_path / "new")["request"] == {}
    with pytest.raises(InputError, match="there is a study in this folder"):
        begin(tmp_path / "new", {})
    with pytest.raises(InputError, match="is not an empty folder"):
        begin(tmp_path, {})


@pytest.mark.parametrize("content", ["{", "[]", '{"schema": "kanspice.gap/1"}'])
def test_a_plan_that_is_none(tmp_path, content):
    (tmp_path / "plan.json").write_text(content)
    with pytest.raises(InputError, match="is not a study's plan"):
        read_plan(tmp_path)
    with pytest.raises(InputError, match="there is no study in this folder"):
        read_plan(tmp_path / "nowhere")
