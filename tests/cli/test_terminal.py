"""Names from strangers on the terminal, and memory that does not suffice: nothing but one message."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys

import pytest

from kanspice.base import process_memory
from kanspice.base.errors import InputError, SimulatorError
from kanspice.base.visible import plain, visible, visible_json

CONTROL = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e"
SEEN = r"\x1b[2J\x1b]0;owned\x07\x9b31m\u202e"


def is_plain(text: str) -> bool:
    return all(letter.isprintable() or letter == "\n" for letter in text)


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        [f"verify{CONTROL}"],
        ["verify", f"gone{CONTROL}.pt", "--inputs", f"x{CONTROL}.npy"],
        ["verify", "model.pt", "--inputs", "inputs.npy", f"--no{CONTROL}"],
        ["verify", "model.pt", "--inputs", "inputs.npy", "--limit", f"a{CONTROL}"],
        ["verify", "model.pt", "--inputs", "inputs.npy", "--set", f"tia.ga{CONTROL}=1"],
        ["devices", "show", f"z{CONTROL}"],
        ["study", "--resume", f"nowhere{CONTROL}"],
    ],
)
def test_no_error_holds_what_a_terminal_obeys(run, good, words):
    done = run(*words)
    assert done.code == 2
    assert done.err
    assert is_plain(done.out + done.err)


def test_no_table_and_no_document_holds_it(run, good):
    (good / "model.pt").rename(good / f"m{CONTROL}.pt")
    done = run("verify", f"m{CONTROL}.pt", "--inputs", "inputs.npy", "--engine", "batched", "--json", "-")
    assert done.code == 0
    assert SEEN in done.err
    assert is_plain(done.out + done.err)
    assert json.loads(done.out)["model"]["path"] == f"m{CONTROL}.pt"


def test_what_can_be_seen_stays_as_it_is():
    text = 'µA ≤ 3 "é"\n日本'
    assert visible(text) == visible_json(text) == text
    assert plain("a\tb\n c") == "a b c"
    assert json.loads(visible_json(json.dumps(f"{CONTROL}\U000e0001", ensure_ascii=False))) == f"{CONTROL}\U000e0001"
    assert str(InputError("bad", where="a\nerror: b", found="c\x1b")) == "a error: b: bad\n  found:    c\\x1b"


def within(size: int, command) -> subprocess.CompletedProcess[str]:
    """A command with so much address space."""

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (size, size))

    options = {"env": os.environ | {"OMP_NUM_THREADS": "1"}, "capture_output": True, "text": True, "timeout": 120}
    return subprocess.run(command, check=False, preexec_fn=limit, **options)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits on address space are not kept elsewhere")
def test_a_limit_that_the_libraries_do_not_fit_into_is_one_message(good):
    command = [
        sys.executable,
        "-c",
        "from kanspice.cli import main; main()",
        "verify",
        "model.pt",
        "--inputs",
        "inputs.npy",
    ]

    done = within(700 * 2**20, command)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.splitlines()[0] == "error: ulimit -v: the limit on memory is too low"
    assert "found:    716800" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits on address space are not kept elsewhere")
def test_no_more_is_set_aside_than_there_is(good):
    """A small file takes little memory, whatever size is allowed."""
    words = ["verify", "model.pt", "--inputs", "inputs.npy", "--engine", "batched"]
    done = within(1500 * 2**20, [sys.executable, "-c", "from kanspice.cli import main; main()", *words])
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(12, "Cannot allocate memory"),
        RuntimeError("can't start new thread"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:75] DefaultCPUAllocator: not enough memory"),
        ImportError("libXau.so: failed to map segment from shared object"),
    ],
)
def test_errors_for_want_of_memory_are_told_from_bugs(error):
    found = process_memory.as_shortage(error)
    assert isinstance(found, SimulatorError)
    assert found.problem == "there is not enough memory"


def test_an_error_that_followed_from_too_little_memory_counts_as_well():
    try:
        try:
            raise MemoryError
        except MemoryError as cause:
            raise ValueError("no array") from cause
    except ValueError as error:
        assert process_memory.as_shortage(error) is not None
    assert process_memory.as_shortage(ValueError("no array")) is None


def test_memory_that_runs_out_is_no_bug(run, good, monkeypatch):
    from kanspice.experiments.verify import run as pipeline

    def exhausted(*_args, **_options):
        raise MemoryError("Unable to allocate 71.1 GiB for an array")

    monkeypatch.setattr(pipeline, "compile_both", exhausted)
    done = run("verify", "model.pt", "--inputs", "inputs.npy")
    assert done.code == 3
    assert done.err.splitlines()[:2] == [
        "error: there is not enough memory",
        "  found:    Unable to allocate 71.1 GiB for an array",
    ]
