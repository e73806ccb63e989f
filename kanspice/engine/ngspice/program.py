"""Finding the ngspice program: `KANSPICE_NGSPICE` first, then `PATH`; believed only when it answers as ngspice."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from kanspice.base.errors import SimulatorError
from kanspice.base.processes.children import end, start
from kanspice.base.processes.folders import fresh_folder

PROGRAM_VARIABLE = "KANSPICE_NGSPICE"
INSTALL_HINT = (
    "install it with `apt-get install ngspice` or `brew install ngspice`, "
    f"or name the program in the environment variable {PROGRAM_VARIABLE}"
)
FIRST_VERSION_WITH_KLU = (42,)
"""Older ones ignore `.options klu` without a word; newer ones may be compiled without it."""
PROBE_TIMEOUT_S = 20.0
_KLU_DECK = "kanspice asks for KLU\nv1 1 0 1\nr1 1 0 1\n.options klu\n.op\n.end\n"
_KLU_ANSWER = "using klu"

_NO_HOME = "/nonexistent"
_BANNER = re.compile(r"ngspice-(\d+(?:\.\d+)*)\S*", re.IGNORECASE)
_PASSED_ON = ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SPICE_LIB_DIR", "SYSTEMROOT")


@dataclass(frozen=True)
class NgspiceProgram:
    """A program that answered as ngspice."""

    path: Path
    version: tuple[int, ...]
    version_text: str

    @property
    def has_klu(self) -> bool:
        """Whether it says that it uses KLU when it is asked to. It is asked once."""
        if self.version < FIRST_VERSION_WITH_KLU:
            return False
        status = self.path.stat()
        return _uses_klu(self.path, status.st_mtime_ns, status.st_size)


def find_ngspice() -> NgspiceProgram:
    """The ngspice that `KANSPICE_NGSPICE` names (a path or a name on `PATH`), or else the one on `PATH`.

    Raises SimulatorError when there is none, or when what was found does not answer as ngspice.
    """
    path = _locate(os.environ.get(PROGRAM_VARIABLE))
    status = path.stat()
    return _probe(path, status.st_mtime_ns, status.st_size)


def parse_version(text: str) -> tuple[tuple[int, ...], str] | None:
    """The version numbers and the words of ngspice's banner, `((44, 2), "ngspice-44.2+")`; None if it is no banner."""
    match = _BANNER.search(text)
    return None if match is None else (tuple(int(part) for part in match[1].split(".")), match[0])


def clean_environment() -> dict[str, str]:
    """The environment for ngspice: what a program needs to be loaded, C number formats, and nothing else.

    Without a HOME, version 39 crashes as soon as it reads a deck; it gets one that does not exist, so that no
    `.spiceinit` there can run. One thread: transistor models otherwise take two, which spin while they wait for each
    other, so that an operational amplifier's transfer curve takes 2 s instead of 0.07 s where processors are shared.
    ngspice sets their number itself, whatever OMP_NUM_THREADS says, but not beyond this limit.
    """
    fixed = {"LC_ALL": "C", "HOME": _NO_HOME, "OMP_THREAD_LIMIT": "1"}
    return fixed | {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def run_quietly(arguments: list[str], timeout_s: float, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program with a clean environment and no input; after `timeout_s` it and all its children are killed.

    Raises OSError when it cannot be started, and TimeoutError, which is one too, when it does not end.
    """
    process = start(
        arguments,
        folder=folder,
        environment=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        try:
            output, complaints = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"no answer within {timeout_s:g} s") from None
        finally:
            end(process)
    texts = (part.decode("utf-8", "replace") for part in (output, complaints))
    return subprocess.CompletedProcess(arguments, process.returncode, *texts)


def _locate(named: str | None) -> Path:
    found = shutil.which(named or "ngspice")
    if found is not None:
        return Path(found).absolute()
    if named is None or named == "":
        raise SimulatorError("the simulator ngspice is not installed", expected="`ngspice` on PATH", hint=INSTALL_HINT)
    found_text = "a file that is not executable" if Path(named).exists() else "no such program"
    raise SimulatorError(
        f"the simulator that {PROGRAM_VARIABLE} names cannot be started",
        where=named,
        expected="the path of the ngspice program",
        found=found_text,
        hint=INSTALL_HINT,
    )


@lru_cache(maxsize=16)
def _probe(path: Path, modified_ns: int, size: int) -> NgspiceProgram:
    """Ask the program for its version, once for each file as it lies on disk."""
    del modified_ns, size
    answer = _answer(path)
    version = parse_version(answer)
    if version is None:
        raise _not_ngspice(path, f"it printed {answer.strip()[:200]!r}" if answer.strip() else "it printed nothing")
    return NgspiceProgram(path, *version)


@lru_cache(maxsize=16)
def _uses_klu(path: Path, modified_ns: int, size: int) -> bool:
    """Solves one equation with the program, once for each file as it lies on disk."""
    del modified_ns, size
    with fresh_folder() as folder:
        (folder / "klu.cir").write_text(_KLU_DECK, encoding="ascii")
        try:
            done = run_quietly([str(path), "-n", "-b", "klu.cir"], PROBE_TIMEOUT_S, folder)
        except OSError:
            return False
    return _KLU_ANSWER in (done.stdout + done.stderr).lower()


def _answer(path: Path) -> str:
    try:
        done = run_quietly([str(path), "--version"], PROBE_TIMEOUT_S)
    except TimeoutError as error:
        raise _not_ngspice(path, f"no answer to --version within {PROBE_TIMEOUT_S:g} s") from error
    except OSError as error:
        raise _not_ngspice(path, f"it cannot be started ({error.strerror})") from error
    return done.stdout + done.stderr


def _not_ngspice(path: Path, found: str) -> SimulatorError:
    return SimulatorError(
        "this program does not answer as ngspice",
        where=path,
        expected="a banner such as 'ngspice-44.2' in answer to --version",
        found=found,
        hint=INSTALL_HINT,
    )
