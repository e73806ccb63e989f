"""The journal: whole lines or none."""

from __future__ import annotations

import errno
import os
from types import SimpleNamespace

import pytest

from kanspice.base.errors import InputError, SimulatorError
from kanspice.experiments.ensemble import journal as journals
from kanspice.experiments.ensemble.journal import Journal, begin, read_plan

STUDY = {"inputs": "x"}


def line_of(tmp_path, record, study=None):
    """As the journal of a study has it."""
    folder = tmp_path / "elsewhere"
    folder.mkdir(exist_ok=True)
    path = folder / "journal.jsonl"
    path.unlink(missing_ok=True)
    with Journal(folder, study or STUDY) as journal:
        journal.append(record)
    return path.read_bytes()


def test_what_was_appended_is_read_back(tmp_path):
    with Journal(tmp_path, STUDY) as journal:
        assert journal.records == []
        assert journal.append({"b": 0.1 + 0.2, "a": (1, None)}) == {"a": [1, None], "b": 0.1 + 0.2}
    with Journal(tmp_path, STUDY) as journal:
        assert journal.records == [{"a": [1, None], "b": 0.1 + 0.2}]


@pytest.mark.parametrize("torn", [b"{", b'{"a": 2}', b'{"a": "\xc3'])
def test_a_line_that_was_cut_short_is_taken_away(tmp_path, torn):
    path = tmp_path / "journal.jsonl"
    first, third = (line_of(tmp_path, {"a": number}) for number in (1, 3))
    path.write_bytes(first + torn)
    with Journal(tmp_path, STUDY) as journal:
        assert journal.records == [{"a": 1}]
        journal.append({"a": 3})
    assert path.read_bytes() == first + third


@pytest.mark.parametrize("line", [b"nonsense", b"[1]", b""])
def test_a_damaged_line_is_no_torn_one(tmp_path, line):
    first, last = (line_of(tmp_path, {"a": number}) for number in (1, 3))
    (tmp_path / "journal.jsonl").write_bytes(first + line + b"\n" + last)
    with pytest.raises(InputError, match="line 2 is no record"):
        Journal(tmp_path, STUDY)


def test_a_changed_digit_and_a_line_of_another_study_are_no_results(tmp_path):
    own, path = line_of(tmp_path, {"rmse": 0.125}), tmp_path / "journal.jsonl"
    path.write_bytes(own)
    with Journal(tmp_path, STUDY) as journal:
        assert journal.records == [{"rmse": 0.125}]
    others = line_of(tmp_path, {"rmse": 0.125}, {"inputs": "y"})
    for line in (own.replace(b"0.125", b"0.625"), own.replace(b"rmse", b"rsme"), others, b'{"rmse": 0.125}\n'):
        path.write_bytes(own + line)
        with pytest.raises(InputError, match="line 2 is no record of this study"):
            Journal(tmp_path, STUDY)


def test_one_process_at_a_time(tmp_path):
    with Journal(tmp_path, STUDY), pytest.raises(InputError, match="another process is at work on this study"):
        Journal(tmp_path, STUDY)
    with Journal(tmp_path, STUDY):
        pass


def test_a_full_disk_is_said(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SimulatorError, match="No space left on device"), Journal(tmp_path, STUDY) as journal:
        journal.append({"a": 1})
    monkeypatch.undo()
    with pytest.raises(SimulatorError, match="No space left on device"), Journal(tmp_path, STUDY) as journal:
        monkeypatch.setattr(os, "fsync", full)


def test_lines_of_a_second_wait_for_the_disk_together_and_the_last_of_them_too(tmp_path, monkeypatch):
    synced, clock = [], iter((10.0, 10.0, 10.5, 11.5, 11.5, 11.9))
    monkeypatch.setattr(os, "fsync", lambda _: synced.append(path.read_bytes().count(b"\n")))
    monkeypatch.setattr(journals, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    path = tmp_path / "journal.jsonl"
    with Journal(tmp_path, STUDY) as journal:
        for number in range(4):
            journal.append({"a": number})
    assert synced == [1, 3, 4]


def test_what_a_disk_had_not_yet_when_the_machine_ended_is_done_again(tmp_path):
    with Journal(tmp_path, STUDY) as journal:
        for number in range(3):
            journal.append({"a": number})
    path = tmp_path / "journal.jsonl"
    first, second, third = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + second[:7] + b"\0" * len(second[7:]) + third)
    with Journal(tmp_path, STUDY) as journal:
        assert [record["a"] for record in journal.records] == [0]
    assert path.read_bytes() == first


def test_a_study_takes_no_folder_that_is_in_use(tmp_path):
    begin(tmp_path / "new", "study", {"request": {}})
    assert read_plan(tmp_path / "new", "study")["request"] == {}
    assert read_plan(tmp_path / "new", "study")["schema"] == "kanspice.study-plan/1"
    with pytest.raises(InputError, match="is not a study's plan"):
        read_plan(tmp_path / "new", "control")
    with pytest.raises(InputError, match="there is a study in this folder"):
        begin(tmp_path / "new", "study", {})
    with pytest.raises(InputError, match="is not an empty folder"):
        begin(tmp_path, "study", {})


@pytest.mark.parametrize("content", ["{", "[]", '{"schema": "kanspice.gap/1"}'])
def test_a_plan_that_is_none(tmp_path, content):
    (tmp_path / "plan.json").write_text(content)
    with pytest.raises(InputError, match="is not a study's plan"):
        read_plan(tmp_path, "study")
    with pytest.raises(InputError, match="there is no study in this folder"):
        read_plan(tmp_path / "nowhere", "study")


def test_of_two_studies_begun_at_once_in_one_folder_one_is_refused(tmp_path, monkeypatch):
    """The other one begins when the first has found the folder empty, and has not written its plan."""
    written = journals.write_text

    def write_while_another_begins(path, text):
        monkeypatch.setattr(journals, "write_text", written)
        with pytest.raises(InputError, match="another process begins a study in this folder"):
            begin(tmp_path / "study", "study", {"request": "the second"})
        written(path, text)

    monkeypatch.setattr(journals, "write_text", write_while_another_begins)
    begin(tmp_path / "study", "study", {"request": "the first"})
    assert read_plan(tmp_path / "study", "study")["request"] == "the first"
    with pytest.raises(InputError, match="there is a study in this folder"):
        begin(tmp_path / "study", "study", {"request": "the third"})
