"""Verilog-A as the simulator loads it: compiled once, and kept in the user's cache by content and version."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from kanspice.base.errors import SimulatorError
from kanspice.engine.simulators.process import run_program
from kanspice.engine.vacask.program import VacaskProgram, compiler_environment

_PARTS = Path(__file__).with_name("parts.va")
_SUFFIX = ".osdi"
_SHORTEST_BYTES = 4096
"""No compiled module is shorter."""


def parts() -> tuple[str, str]:
    """The name and the text of the modules that stand around devices."""
    text = _PARTS.read_text(encoding="ascii")
    return "parts_" + hashlib.sha256(text.encode()).hexdigest()[:24], text


def compiled(program: VacaskProgram, texts: Mapping[str, str], folder: Path, deadline: float | None) -> list[str]:
    """Lays the compiled modules of some texts (name -> Verilog-A) into a folder, and returns their files' names.

    A name stands for one text for ever. deadline: value of time.monotonic() at which compiling is given up. Raises
    SimulatorError where a text cannot be compiled.
    """
    cache = _cache(program)
    for name, text in texts.items():
        file = folder / (name + _SUFFIX)
        if cache is None or not _copied(cache / file.name, file):
            _compile(program, name, text, folder, deadline)
            if cache is not None:
                _keep(file, cache / file.name)
    return [name + _SUFFIX for name in texts]


def _cache(program: VacaskProgram) -> Path | None:
    """The folder of what this version has compiled, made if need be; None where there is none that is ours alone.

    What lies there is loaded into a process: others must not be able to write it.
    """
    above = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - never raises
    folder = Path(above) / "kanspice" / "vacask" / hashlib.sha256(program.version.encode()).hexdigest()[:12]
    if not folder.is_absolute():
        return None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except OSError:
        return None
    is_ours = status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return folder if is_ours else None


def _copied(kept: Path, file: Path) -> bool:
    """Whether a whole module was kept, and is in the folder now."""
    try:
        if kept.stat().st_size < _SHORTEST_BYTES:
            return False
        shutil.copyfile(kept, file)
    except FileNotFoundError:
        return False
    return True


def _keep(file: Path, kept: Path) -> None:
    """Copies a module into the cache, whole or not at all; without a cache that can be written nothing is lost."""
    part = kept.with_name(f".{kept.name}.{secrets.token_hex(6)}")
    try:
        shutil.copyfile(file, part)
        part.replace(kept)
    except OSError:
        with suppress(OSError):
            part.unlink()


def _compile(program: VacaskProgram, name: str, text: str, folder: Path, deadline: float | None) -> None:
    """The compiler's exit status says nothing where it has no linker: what counts is the file."""
    environment = compiler_environment(folder)
    source, target = folder / f"{name}.va", folder / (name + _SUFFIX)
    source.write_text(text, encoding="ascii")
    arguments = [str(program.compiler), "--target_cpu", "generic", "-o", target.name, source.name]
    run = run_program(arguments, folder, environment, deadline=deadline)
    if run.timed_out:
        raise SimulatorError("VACASK's compiler did not come to its end in time", found=name, hint="raise --timeout")
    if run.returncode != 0 or not target.exists() or target.stat().st_size < _SHORTEST_BYTES:
        found = run.messages.strip()[-300:] or f"no module, exit status {run.returncode}"
        hint = "free some space where temporary files lie, and run `kanspice doctor`"
        raise SimulatorError("VACASK's compiler made no module", where=program.compiler, found=found, hint=hint)
