"""A report is written whole or not at all, and a user learns why it was not."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from kanspice.errors import InputError
from kanspice.files import write_text


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_the_text_arrives_as_it_is_and_parents_are_created(tmp_path):
    path = tmp_path / "a" / "b" / "gap.json"
    write_text(path, "Ω\n")
    assert path.read_bytes() == "Ω\n".encode()
    assert names_in(path.parent) == ["gap.json"]


def test_an_old_file_is_replaced(tmp_path):
    path = tmp_path / "gap.json"
    for text in ("old and long", "new"):
        write_text(str(path), text)
    assert path.read_text() == "new"


def test_the_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "other").touch()
    write_text(tmp_path / "gap.json", "")
    assert (tmp_path / "gap.json").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_symbolic_link_stays_one(tmp_path):
    link, target = tmp_path / "link.json", tmp_path / "target.json"
    link.symlink_to(target)
    write_text(link, "text")
    assert link.is_symlink()
    assert target.read_text() == "text"


def test_a_name_that_is_not_unicode_in_the_text_does_not_stop_the_report(tmp_path):
    write_text(tmp_path / "gap.json", "a\udcff")
    assert (tmp_path / "gap.json").read_text() == "a\\udcff"


def test_a_device_is_written_to_and_stays_a_device():
    write_text("/dev/null", "text")
    assert Path("/dev/null").is_char_device()


def test_a_pipe_is_written_to(tmp_path):
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_text(pipe, "text")
    reader.join(10)
    assert read == ["text"]


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(InputError) as refused:
        write_text(tmp_path, "text")
    assert refused.value.message == (
        f"{tmp_path}: the file cannot be written\n  found:    a folder of that name exists\n  try:      another path"
    )
    assert names_in(tmp_path) == []


def test_a_parent_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        write_text(tmp_path / "file" / "gap.json", "text")


@pytest.mark.parametrize("name", ["a\0b", "x" * 300])
def test_a_name_that_no_file_can_have_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="cannot be written"):
        write_text(tmp_path / name, "text")
    assert names_in(tmp_path) == []


def failing(number: int):
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize(
    ("step", "number", "found"),
    [
        ("os.fsync", errno.ENOSPC, "No space left on device"),
        ("pathlib.Path.replace", errno.EACCES, "Permission denied"),
        ("pathlib.Path.open", errno.EACCES, "Permission denied"),
    ],
)
def test_when_a_step_fails_the_old_file_stays_and_nothing_else(tmp_path, monkeypatch, step, number, found):
    path = tmp_path / "gap.json"
    path.write_text("old")
    with monkeypatch.context() as patched:
        patched.setattr(step, failing(number))
        with pytest.raises(InputError, match="cannot be written") as refused:
            write_text(path, "new")
    assert (refused.value.found, refused.value.hint, refused.value.exit_code) == (found, "another path", 2)
    assert path.read_text() == "old"
    assert names_in(tmp_path) == ["gap.json"]


def test_an_interruption_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_text(tmp_path / "gap.json", "new")
    assert names_in(tmp_path) == []
