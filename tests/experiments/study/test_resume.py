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

from kanspice.base.errors import SimulatorError
from kanspice.experiments.ensemble import workers

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
DIGITS = ROOT / "examples" / "01_kanalogue_digits"
DRAWS = 200
COMMAND = [sys.executable, "-c", "from kanspice.cli import main; main()", "study"]
STUDY = [
    *(DIGITS / "model.pt", "--inputs", DIGITS / "inputs.npy", "--labels", DIGITS / "labels.npy", "--limit", "10"),
    *("--set", "tia.gain=1000", "--sweep", "devices.area_sigma=0.02,0.1", "--trials", DRAWS // 2, "--seed", "3"),
    *("--max", "relative_rmse=0.2", "--yield-min", "0.5"),
]
RESULTS = ("study.json", "study.html", "study.md", "study.xml")


def environment() -> dict[str, str]:
    """The environment, with this checkout first and no simulator: the batched engine needs none."""
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "KANSPICE_NGSPICE": "/nowhere"}


def study(*arguments) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], env=environment(), check=False, capture_output=True, text=True, timeout=300
    )


def results(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in RESULTS]


def finished_draws(folder: Path) -> int:
    journal = folder / "journal.jsonl"
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def kill_in_the_middle(folder: Path, *arguments) -> int:
    """Starts a study, and kills it with SIGKILL as soon as a third of the draws are there; returns how many are."""
    command = [*COMMAND, *map(str, arguments)]
    nothing = subprocess.DEVNULL  # its orphans would keep a pipe open
    with subprocess.Popen(command, env=environment(), stdout=nothing, stderr=nothing) as process:
        deadline = time.monotonic() + 240
        while finished_draws(folder) < DRAWS / 3 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
    assert process.returncode == -signal.SIGKILL
    done = finished_draws(folder)
    assert DRAWS / 3 <= done < DRAWS
    assert not (folder / "study.json").exists()
    return done


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory) -> list[bytes]:
    """The results of the study that nothing happened to, in one process."""
    folder = tmp_path_factory.mktemp("unbroken") / "study"
    done = study(*STUDY, "-o", folder)
    assert done.returncode == 0, done.stderr
    return results(folder)


@pytest.fixture(scope="module")
def scheduler():
    """The address of a cluster of two workers."""
    script = str(Path(__file__).with_name("local_cluster.py"))
    with subprocess.Popen(
        [sys.executable, script], env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate(timeout=60)


def check_resumed(folder: Path, unbroken: list[bytes], *how) -> None:
    """Killed once more, then resumed: nothing lost, nothing repeated, the same bytes."""
    first = kill_in_the_middle(folder, *STUDY, "-o", folder, *how)
    with (folder / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"kind": "draw", "point": 1, "tri')
    before = (folder / "journal.jsonl").read_bytes().rpartition(b"\n")[0]
    done = study("--resume", folder, *how)
    assert done.returncode == 0, done.stderr
    journal = (folder / "journal.jsonl").read_bytes()
    assert journal.startswith(before + b"\n")
    draws = [(record["point"], record["trial"]) for record in map(json.loads, journal.splitlines())]
    assert len(draws) == len(set(draws)) == DRAWS > first
    assert results(folder) == unbroken


def test_a_killed_study_goes_on_with_processes_of_its_own(tmp_path, unbroken):
    check_resumed(tmp_path / "study", unbroken, "--jobs", "2")


@pytest.mark.dask
def test_a_killed_study_goes_on_with_a_cluster(tmp_path, unbroken, scheduler):
    check_resumed(tmp_path / "study", unbroken, "--scheduler", scheduler)


def children(pid: int) -> set[int]:
    """The processes that another started."""
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def start_with_workers(folder: Path, **pipes) -> tuple[subprocess.Popen[bytes], set[int]]:
    """A study whose first draws are there, and the processes that measure."""
    process = subprocess.Popen(
        [*COMMAND, *map(str, STUDY), "-o", str(folder), "--jobs", "2"], env=environment(), **pipes
    )
    while finished_draws(folder) < 3 and process.poll() is None:
        time.sleep(0.01)
    named = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children(process.pid)}
    return process, {pid for pid, command in named.items() if b"kanspice.experiments.ensemble.worker" in command}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc")
def test_no_process_outlives_a_killed_study(tmp_path):
    nothing = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process, processes = start_with_workers(tmp_path / "study", **nothing)
    assert len(processes) == 2
    process.kill()
    process.wait(timeout=60)
    deadline = time.monotonic() + 60
    while any(map(is_running, processes)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(is_running, processes))


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc")
def test_a_process_that_is_killed_ends_the_study_with_one_message_and_it_goes_on(tmp_path, unbroken):
    folder = tmp_path / "study"
    process, processes = start_with_workers(folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    os.kill(processes.pop(), signal.SIGKILL)
    said = process.communicate(timeout=120)[1].decode()
    assert process.returncode == 3
    assert said.count("a worker process ended by itself") == 1
    assert "Traceback" not in said
    assert f"kanspice study --resume {folder}" in " ".join(said.split())
    done = study("--resume", folder)
    assert done.returncode == 0, done.stderr
    assert results(folder) == unbroken


@pytest.mark.dask
def test_a_scheduler_that_nobody_reaches_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "_PATIENCE_S", 1)
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
def test_an_interruption_says_what_is_kept_and_how_to_go_on(tmp_path, number, jobs):
    folder = tmp_path / "study"
    command = [*COMMAND, *map(str, STUDY), "-o", str(folder), "--jobs", str(jobs)]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while finished_draws(folder) < 5 and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    kept = f"finished draws are kept in {folder}; to go on: kanspice study --resume {folder}"
    assert said.decode() == f"{kept}\ninterrupted\n"
    assert 5 <= finished_draws(folder) < DRAWS
