"""kanspice: from a trained analogue network to a measured sim-to-real gap.

    >>> from kanspice import Evidence, Technology, load, load_array, verify
    >>> result = verify(load("model.pt"), Technology(), Evidence(load_array("inputs.npy", "inputs")))
    >>> result.gap.relative_rmse

Names are loaded when they are first used, so that `import kanspice` and `kanspice --help` stay fast.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
"""As `typing` has it: the command line takes care of signals after this import only, so that it has to be short."""

if TYPE_CHECKING:
    from typing import Any

    from kanspice.base.errors import InputError, KanspiceError, SimulatorError
    from kanspice.circuit import Design
    from kanspice.devices import Device, load_device
    from kanspice.engine.options import RunOptions
    from kanspice.experiments.evidence import Evidence
    from kanspice.experiments.verify.result import GapResult
    from kanspice.experiments.verify.run import VerifyOptions, verify
    from kanspice.families import LoadedModel, compile_model, load, save
    from kanspice.families.common import load_array, load_labels
    from kanspice.families.kanalogue.network import KANalogue
    from kanspice.technology import Technology, load_technology

_HOMES = {
    "Design": "kanspice.circuit",
    "Device": "kanspice.devices",
    "Evidence": "kanspice.experiments.evidence",
    "GapResult": "kanspice.experiments.verify.result",
    "InputError": "kanspice.base.errors",
    "KANalogue": "kanspice.families.kanalogue.network",
    "KanspiceError": "kanspice.base.errors",
    "LoadedModel": "kanspice.families",
    "RunOptions": "kanspice.engine.options",
    "SimulatorError": "kanspice.base.errors",
    "Technology": "kanspice.technology",
    "VerifyOptions": "kanspice.experiments.verify.run",
    "compile_model": "kanspice.families",
    "load": "kanspice.families",
    "load_array": "kanspice.families.common",
    "load_device": "kanspice.devices",
    "load_labels": "kanspice.families.common",
    "load_technology": "kanspice.technology",
    "save": "kanspice.families",
    "verify": "kanspice.experiments.verify.run",
}

__all__ = [
    "Design",
    "Device",
    "Evidence",
    "GapResult",
    "InputError",
    "KANalogue",
    "KanspiceError",
    "LoadedModel",
    "RunOptions",
    "SimulatorError",
    "Technology",
    "VerifyOptions",
    "compile_model",
    "load",
    "load_array",
    "load_device",
    "load_labels",
    "load_technology",
    "save",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'kanspice' has no attribute '{name}'")
