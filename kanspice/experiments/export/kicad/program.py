"""KiCad's own command line, which writes the netlist of a sheet and checks its rules."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from kanspice.base.errors import SimulatorError
from kanspice.engine.simulators.process import Run, run_program, working_folder
from kanspice.experiments.export.formats.format import OutOfTimeError

PROGRAM_VARIABLE = "KANSPICE_KICAD_CLI"
INSTALL_HINT = f"install KiCad 7 or newer, or name its kicad-cli in the environment variable {PROGRAM_VARIABLE}"
_PROBE_S = 60.0
_VERSION = re.compile(r"^(\d+\.\d+\S*)$", re.MULTILINE)
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")


@dataclass(frozen=True)
class KicadProgram:
    """A `kicad-cli` that answered."""

    path: Path
    version: str


def find_kicad() -> KicadProgram:
    """The one that `KANSPICE_KICAD_CLI` names, or that is on `PATH`.

    Raises SimulatorError where there is none, or none that answers.
    """
    wanted = os.environ.get(PROGRAM_VARIABLE) or "kicad-cli"
    path = shutil.which(wanted)
    if path is None:
        raise SimulatorError("KiCad's command line is not installed", expected=wanted, hint=INSTALL_HINT)
    with working_folder() as folder:
        run = _run(Path(path), folder, ["version"], time.monotonic() + _PROBE_S)
    version = _VERSION.search(run.messages)
    if version is None:
        found = run.messages.strip()[:200] or "no answer"
        raise SimulatorError("is no kicad-cli of KiCad 7 or newer", where=path, found=found, hint=INSTALL_HINT)
    return KicadProgram(Path(path), version[1])


def write_netlist(program: KicadProgram, folder: Path, sheet: str, netlist: str, deadline: float) -> None:
    """KiCad's SPICE netlist of a sheet. deadline: of time.monotonic(). Raises SimulatorError where none is made."""
    _made(program, folder, ["sch", "export", "netlist", "--format", "spice", "-o", netlist, sheet], netlist, deadline)


def broken_rules(program: KicadProgram, folder: Path, sheet: str, deadline: float) -> list[str]:
    """What KiCad's electrical rules find at a sheet, in words; empty if nothing, or if this KiCad cannot check them."""
    if int(program.version.partition(".")[0]) < _CHECKS_RULES:
        return []
    report = "rules.json"
    _made(program, folder, ["sch", "erc", "--format", "json", "-o", report, sheet], report, deadline)
    found = json.loads((folder / report).read_text(encoding="utf-8"))
    return [str(each["description"]) for part in found["sheets"] for each in part["violations"]]


_CHECKS_RULES = 8
"""From this version on."""


def _made(program: KicadProgram, folder: Path, arguments: list[str], wanted: str, deadline: float) -> None:
    run = _run(program.path, folder, arguments, deadline)
    if run.timed_out:
        raise OutOfTimeError("KiCad was not at its end in time", where=" ".join(arguments[:3]))
    if not (folder / wanted).is_file():
        found = run.messages.strip()[-300:] or "no file"
        raise SimulatorError("KiCad's command line gave nothing", where=" ".join(arguments[:3]), found=found)


def _run(path: Path, folder: Path, arguments: list[str], deadline: float) -> Run:
    """In a home of its own, so that nobody's settings or libraries matter."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment = {"LC_ALL": "C.UTF-8", "HOME": str(home)} | passed
    return run_program([str(path), *arguments], folder, environment, deadline=deadline)
