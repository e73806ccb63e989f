"""Studies that are really killed, with SIGKILL and in their middle, and go on as if nothing had happened."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from forked import Forked

from kanspice.base.errors import SimulatorError
from kanspice.experiments.ensemble import workers

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
DIGITS = ROOT / "examples" / "01_kanalogue_digits"
DRAWS = 80
STUDY = [
    *(DIGITS / "model.pt", "--inputs", DIGITS / "inputs.npy", "--labels", DIGITS / "labels.npy", "--limit", "10"),
    *("--set", "tia.gain=1000", "--sweep", "devices.area_sigma=0.02,0.1", "--trials", DRAWS // 2, "--seed", "3"),
    *("--max", "relative_rmse=0.2", "--yield-min", "0.5"),
]
RESULTS = ("study.json", "study.html", "study.md", "study.xml")
ALONE = {"OMP_NUM_THREADS": "1", "KANSPICE_NGSPICE": "/nowhere"}
"""The environment of a study: the batched engine needs no simulator."""
HAS_PROC = Path("/proc/self/task").exists()


@pytest.fixture(scope="session")
def study(forked):
    """Starts a study in a folder."""
    return lambda folder, *arguments: forked(folder.parent, "study", *arguments, **ALONE)


def results(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in RESULTS]


def finished_draws(folder: Path) -> int:
    journal = folder / "journal.jsonl"
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def begun(study, folder: Path, draws: float, *how) -> Forked:
    """A study that so many draws of are there, and others are not."""
    process = study(folder, *STUDY, "-o", folder, *how)
    deadline = time.monotonic() + 240
    while finished_draws(folder) < draws and process.code is None and time.monotonic() < deadline:
        time.sleep(0.005)
    return process


def those_that_measure(process: Forked) -> set[int]:
    """The processes that a study started, where the system says."""
    if not HAS_PROC:
        return set()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    named = {int(child): Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
    return {pid for pid, command in named.items() if b"kanspice.experiments.ensemble.worker" in command}


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(scope="module")
def unbroken(study, tmp_path_factory) -> list[bytes]:
    """The results of the study that nothing happened to, in one process."""
    folder = tmp_path_factory.mktemp("unbroken") / "study"
    done = study(folder, *STUDY, "-o", folder).ended()
    assert done.code == 0, done.err
    return results(folder)


@pytest.fixture(scope="module")
def scheduler():
    """The address of a cluster of two workers."""
    script = str(Path(__file__).with_name("local_cluster.py"))
    with subprocess.Popen(
        [sys.executable, script], env={**os.environ, **ALONE}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate(timeout=60)


def kill_in_the_middle(study, folder: Path, *how) -> set[int]:
    """Starts a study, and kills it with SIGKILL when a third of the draws are there; returns what measured for it."""
    process = begun(study, folder, DRAWS / 3, *how)
    measuring = those_that_measure(process)
    process.send(signal.SIGKILL)
    assert process.ended().code == -signal.SIGKILL
    assert DRAWS / 3 <= finished_draws(folder) < DRAWS
    assert not (folder / "study.json").exists()
    return measuring


def check_resumed(study, folder: Path, unbroken: list[bytes], *how) -> None:
    """Resumed after it was killed: nothing lost, nothing repeated, the same bytes."""
    first = finished_draws(folder)
    with (folder / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"kind": "draw", "point": 1, "tri')
    before = (folder / "journal.jsonl").read_bytes().rpartition(b"\n")[0]
    done = study(folder, "--resume", folder, *how).ended()
    assert done.code == 0, done.err
    journal = (folder / "journal.jsonl").read_bytes()
    assert journal.startswith(before + b"\n")
    draws = [(record["point"], record["trial"]) for record in map(json.loads, journal.splitlines())]
    assert len(draws) == len(set(draws)) == DRAWS > first
    assert results(folder) == unbroken


def test_a_killed_study_leaves_no_process_and_goes_on(study, tmp_path, unbroken):
    measured = kill_in_the_middle(study, tmp_path / "study", "--jobs", "2")
    assert len(measured) == 2 * HAS_PROC
    deadline = time.monotonic() + 60
    while any(map(is_running, measured)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(is_running, measured))
    check_resumed(study, tmp_path / "study", unbroken, "--jobs", "2")


@pytest.mark.dask
def test_a_killed_study_goes_on_with_a_cluster(study, tmp_path, unbroken, scheduler):
    kill_in_the_middle(study, tmp_path / "study", "--scheduler", scheduler)
    check_resumed(study, tmp_path / "study", unbroken, "--scheduler", scheduler)


@pytest.mark.skipif(not HAS_PROC, reason="looks for processes in /proc")
def test_a_process_that_is_killed_ends_the_study_with_one_message_and_it_goes_on(study, tmp_path, unbroken):
    folder = tmp_path / "study"
    process = begun(study, folder, 3, "--jobs", "2")
    os.kill(those_that_measure(process).pop(), signal.SIGKILL)
    said = process.ended().err
    assert process.code == 3
    assert said.count("a worker process ended by itself") == 1
    assert "Traceback" not in said
    assert f"kanspice study --resume {folder}" in " ".join(said.split())
    done = study(folder, "--resume", folder).ended()
    assert done.code == 0, done.err
    assert results(folder) == unbroken


@pytest.mark.dask
def test_a_scheduler_that_nobody_reaches_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "_PATIENCE_S", 0.2)
    with pytest.raises(SimulatorError, match="no Dask scheduler answers") as caught:
        next(workers.cluster("tcp://127.0.0.1:9")([]))
    assert "--scheduler tcp://127.0.0.1:9" in str(caught.value)


@pytest.mark.dask
def test_what_dask_logs_of_a_lost_cluster_is_no_message_of_ours(monkeypatch):
    """It logs the tracebacks of its tasks, beside our one message."""
    logger, heard = logging.getLogger("distributed.client"), []

    def lost(*_: object) -> Iterator[None]:
        logger.error("Traceback (most recent call last)")
        raise SimulatorError("a worker of the cluster failed")
        yield

    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", heard.append)
    monkeypatch.setattr(logger, "handlers", [handler])
    monkeypatch.setattr(workers, "_client", nullcontext)
    monkeypatch.setattr(workers, "_gathered", lost)
    with pytest.raises(SimulatorError):
        list(workers.cluster("tcp://127.0.0.1:9")([]))
    assert heard == []
    logger.error("of others")
    assert len(heard) == 1


@pytest.mark.parametrize(("number", "jobs"), [(signal.SIGINT, 1), (signal.SIGINT, 2), (signal.SIGTERM, 2)])
def test_an_interruption_says_what_is_kept_and_how_to_go_on(study, tmp_path, number, jobs):
    folder = tmp_path / "study"
    process = begun(study, folder, 5, "--jobs", jobs)
    process.send(number)
    assert process.ended().code == 128 + number
    kept = f"finished draws are kept in {folder}; to go on: kanspice study --resume {folder}"
    assert process.err == f"{kept}\ninterrupted\n"
    assert 5 <= finished_draws(folder) < DRAWS
