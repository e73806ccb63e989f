"""Packages that kanspice needs and that are not installed: one message that says how to get them."""

from __future__ import annotations

import sys

from kanspice.base.errors import SimulatorError

TORCH = "torch --index-url https://download.pytorch.org/whl/cpu"
"""What pip is to be told: the build for processors, since the usual one for Linux brings gigabytes for GPUs."""
DISTRIBUTIONS = {"array_api_compat": "array-api-compat", "yaml": "PyYAML"}
"""Import name -> the package that has it, where those differ."""


def installing(package: str) -> str:
    """The command that installs a package. package: its name when imported."""
    wanted = TORCH if package == "torch" else DISTRIBUTIONS.get(package, package)
    return f"python -m pip install {wanted}"


def as_missing(error: BaseException) -> SimulatorError | None:
    """The message for an import of a package that is not there; None for any other error, and for modules of ours."""
    if not isinstance(error, ModuleNotFoundError) or error.name is None:
        return None
    package = error.name.partition(".")[0]
    if package == "kanspice" or package in sys.stdlib_module_names:
        return None
    return SimulatorError(
        f"the package {package} is not installed",
        where=sys.executable,
        expected="all packages that kanspice needs",
        hint=installing(package),
    )
