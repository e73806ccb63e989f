"""A report is written whole or not at all, and a user learns why it was not."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kanspice.base.errors import InputError
from kanspice.base.files import (
    check_outputs,
    inputs_spared,
    is_folder,
    is_there,
    parse_json,
    parse_toml,
    read_file,
    read_text,
    refuse_constant,
    refuse_inputs,
    write_text,
)


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
    ("unnamed", "step", "number"),
    [
        (True, "os.fsync", errno.ENOSPC),
        (True, "pathlib.Path.replace", errno.EACCES),
        (False, "os.fsync", errno.ENOSPC),
        (False, "pathlib.Path.replace", errno.EACCES),
        (False, "pathlib.Path.open", errno.EACCES),
    ],
)
def test_when_a_step_fails_the_old_file_stays_and_nothing_else(tmp_path, monkeypatch, unnamed, step, number):
    """unnamed: whether the file system has files without a name."""
    path = tmp_path / "gap.json"
    path.write_text("old")
    with monkeypatch.context() as patched:
        if not unnamed:
            patched.delattr("os.O_TMPFILE", raising=False)
        patched.setattr(step, failing(number))
        with pytest.raises(InputError, match="cannot be written") as refused:
            write_text(path, "new")
    assert (refused.value.found, refused.value.hint) == (os.strerror(number), "another path")
    assert refused.value.exit_code == 2
    assert path.read_text() == "old"
    assert names_in(tmp_path) == ["gap.json"]


def test_an_interruption_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_text(tmp_path / "gap.json", "new")
    assert names_in(tmp_path) == []


# --- reading ---


def special(folder: Path, kind: str) -> Path:
    """Something that is no file to read, of each kind; none of them may be waited for."""
    path = folder / "x"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to("x")
    elif kind == "device":
        return Path("/dev/zero")
    elif kind == "long":
        return folder / ("a" * 5000)
    elif kind == "null":
        return folder / "a\0b"
    elif kind == "beneath a file":
        path.touch()
        return path / "y"
    return path


@pytest.mark.parametrize("kind", ["pipe", "folder", "loop", "device", "long", "null", "beneath a file", "none"])
def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path, kind):
    path = special(tmp_path, kind)
    with pytest.raises(InputError, match="the card") as refused:
        read_text(path, "the card", 100)
    assert refused.value.where == str(path)
    assert is_folder(path) == (kind == "folder")
    assert is_there(path) == (kind in {"pipe", "folder", "device"})


def test_a_file_is_read_up_to_its_limit(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"\xef\xbb\xbfa\r\nb")
    assert read_text(path, "the card", 7) == "a\nb"
    assert read_text(path, "the card", 7, "utf-8") == "\ufeffa\nb"
    with pytest.raises(InputError, match="the card is too large") as refused:
        read_text(path, "the card", 6)
    assert (refused.value.expected, refused.value.found) == ("at most 6 bytes", "7 bytes")
    path.write_bytes(b"\xff")
    with pytest.raises(InputError, match="this is not text, so it cannot be the card"):
        read_text(path, "the card", 7)
    path.write_bytes(b"")
    assert read_text(path, "the card", 7) == ""
    with pytest.raises(InputError, match="the file is empty, so it cannot be the card"):
        read_file(path, "the card")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[" * 100_000, "nested more than 60 deep"),
        ("[" * 100 + "]" * 100, "nested more than 60 deep"),
        ("9" * 5000, "a number of 5,000 digits"),
        ("1" + "0" * 400, "a number of 401 digits"),
        ("{", "property name"),
        ('{"a": {"activation": "relu", "x": 1, "activation": "tanh"}}', "the key 'activation' is there twice"),
    ],
)
def test_json_that_nobody_could_work_with_is_refused(text, found):
    with pytest.raises(InputError, match="x: is not JSON") as refused:
        parse_json(text, "x")
    assert found in refused.value.found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = " + "[" * 5000, "nested more than 60 deep"),
        (".".join(["a"] * 5000) + " = 1", "nested more than 60 deep"),
        ("[" + ".".join(["a"] * 100) + "]", "nested more than 60 deep"),
        ("x = " + "9" * 5000, "digits"),
        ("x = 1" + "0" * 400, "bits"),
        ("x = 0x" + "f" * 5000, "bits"),
        ("[x", "Expected"),
    ],
)
def test_toml_that_nobody_could_work_with_is_refused(text, found):
    with pytest.raises(InputError, match="x: is not TOML") as refused:
        parse_toml(text, "x")
    assert found in refused.value.found


def test_what_is_no_json_is_what_the_reader_says():
    assert parse_json("[1, NaN]", "x", constant=str) == [1, "NaN"]
    with pytest.raises(InputError, match="NaN is not JSON"):
        parse_json("[1, NaN]", "x", constant=refuse_constant)


# --- what was read is not written over ---


def test_a_file_that_was_read_is_not_written_by_any_name(tmp_path):
    path, link, hard = tmp_path / "x.npy", tmp_path / "link.npy", tmp_path / "hard.npy"
    path.write_text("mine")
    link.symlink_to("x.npy")
    os.link(path, hard)
    with inputs_spared():
        read_file(link, "the inputs")
        for name in (path, link, hard, tmp_path / "." / "x.npy"):
            with pytest.raises(InputError, match="it is an input of this command"):
                write_text(name, "text")
            with pytest.raises(InputError, match="it is an input of this command"):
                refuse_inputs([None, name])
        write_text(tmp_path / "other", "text")
    assert path.read_text() == "mine"
    write_text(path, "outside of a command that read it")


def test_two_results_do_not_go_to_one_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").touch()
    (tmp_path / "link").symlink_to("gone")
    refuse_inputs(["a", "b", None, None, "/dev/null", "/dev/null"])
    for one, other in (("a", "a"), ("a", "./a"), ("there", "x/../there"), ("link", "gone")):
        with pytest.raises(InputError, match="two results would go to one file"):
            refuse_inputs([one, other])


@pytest.mark.parametrize("name", [".", "file/gap.json", "file/deeper/gap.json", "loop/x", "a\0b", "x" * 300, "shut/x"])
def test_what_could_not_be_written_is_refused_before_any_work(tmp_path, monkeypatch, name):
    (tmp_path / "file").touch()
    (tmp_path / "shut").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.setattr(os, "access", lambda folder, _mode: Path(folder).name != "shut")  # as root may do everything
    with pytest.raises(InputError, match="the file cannot be written"):
        check_outputs([tmp_path / "fine.json", f"{tmp_path}/{name}"])
    check_outputs([None, tmp_path / "none" / "deeper" / "gap.json", tmp_path / "file", "/dev/null"])
    assert sorted(names_in(tmp_path)) == ["file", "loop", "shut"]


def test_a_loop_of_links_is_left_as_it_is(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError, match="cannot be written"):
        write_text(tmp_path / "loop", "text")
    assert (tmp_path / "loop").is_symlink()


def test_killed_while_it_writes_nothing_is_left(tmp_path):
    """Nobody could clear up after `kill -9`, so what is half-written must have no name."""
    die = "import os, signal; os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)"
    write = "from kanspice.base.files.writing import write_text; write_text('report.json', 'the new one')"
    (tmp_path / "report.json").write_text("the old one")
    done = subprocess.run([sys.executable, "-c", f"{die}; {write}"], cwd=tmp_path, check=False)
    assert done.returncode == -signal.SIGKILL
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("report.json", "the old one")]


def test_file_systems_without_unnamed_files_have_named_ones(tmp_path, monkeypatch):
    monkeypatch.delattr("os.O_TMPFILE", raising=False)
    write_text(tmp_path / "report.json", "whole")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("report.json", "whole")]
