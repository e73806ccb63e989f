"""Verilog-A as the simulator loads it: compiled once, and kept in the user's cache by content and version."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from kanspice.base.errors import SimulatorError
from kanspice.engine.simulators.process import run_program
from kanspice.engine.vacask.program import VacaskProgram, compiler_environment
from kanspice.engine.vacask.sweep import prove
from kanspice.engine.vacask.verilog import VerilogModule

_PARTS = Path(__file__).with_name("parts.va")
_SUFFIX = ".osdi"
_SHORTEST_BYTES = 4096
"""No compiled module is shorter."""
_LONG_CHARACTERS = 100_000
"""Of a text: curves of some thousand pieces have more."""


def parts() -> VerilogModule:
    """The modules that stand around devices."""
    text = _PARTS.read_text(encoding="ascii")
    return VerilogModule("parts_" + hashlib.sha256(text.encode()).hexdigest()[:24], text)


def compiled(
    program: VacaskProgram, modules: Iterable[VerilogModule], folder: Path, deadline: float | None
) -> list[str]:
    """Lays some modules into a folder, compiled, and returns their files' names.

    One that was not kept from before is compiled, and believed if it carries what its proof says. deadline: value of
    time.monotonic() at which compiling is given up. Raises SimulatorError where a text cannot be compiled, and for a
    module that is not its curve.
    """
    cache = _cache(program)
    wanted = list({module.name: module for module in modules}.values())
    missing = [module for module in wanted if not _copied(cache, _file(module), folder)]
    for module in missing:
        _compile(program, module, folder, deadline)
    prove(program, folder, [module for module in missing if module.proof is not None], deadline)
    for module in missing:
        _keep(folder / _file(module), cache)
    return [_file(module) for module in wanted]


def _file(module: VerilogModule) -> str:
    return module.name + _SUFFIX


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


def _copied(cache: Path | None, name: str, folder: Path) -> bool:
    """Whether a module was kept as it was compiled, and is in the folder now."""
    if cache is None:
        return False
    try:
        digest = _digest_file(cache / name).read_text(encoding="ascii")
        shutil.copyfile(cache / name, folder / name)
    except (FileNotFoundError, UnicodeDecodeError):
        return False
    return hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest.strip()


def _digest_file(kept: Path) -> Path:
    return kept.with_suffix(".sha256")


def _keep(file: Path, cache: Path | None) -> None:
    """Copies a module into the cache, whole or not at all; without a cache that can be written nothing is lost."""
    if cache is None:
        return
    content = file.read_bytes()
    digest = hashlib.sha256(content).hexdigest().encode()
    for target, kept in ((cache / file.name, content), (_digest_file(cache / file.name), digest)):
        part = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
        try:
            part.write_bytes(kept)
            part.replace(target)
        except OSError:
            with suppress(OSError):
                part.unlink()


def _compile(program: VacaskProgram, module: VerilogModule, folder: Path, deadline: float | None) -> None:
    """The compiler's exit status says nothing where it has no linker: what counts is the file.

    Long texts are not optimised, which makes them no slower: 4,096 pieces take 2.5 s then, and 10 s otherwise.
    """
    environment = compiler_environment(folder)
    source, target = folder / f"{module.name}.va", folder / _file(module)
    source.write_text(module.text, encoding="ascii")
    level = ["-O0"] if len(module.text) > _LONG_CHARACTERS else []
    arguments = [str(program.compiler), "--target_cpu", "generic", *level, "-o", target.name, source.name]
    run = run_program(arguments, folder, environment, deadline=deadline)
    if run.timed_out:
        raise SimulatorError(
            "VACASK's compiler did not come to its end in time", found=module.name, hint="raise --timeout"
        )
    if run.returncode != 0 or not target.exists() or target.stat().st_size < _SHORTEST_BYTES:
        found = run.messages.strip()[-300:] or f"no module, exit status {run.returncode}"
        hint = "free some space where temporary files lie, and run `kanspice doctor`"
        raise SimulatorError("VACASK's compiler made no module", where=program.compiler, found=found, hint=hint)
