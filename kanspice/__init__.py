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

    from kanspice.design import Design
    from kanspice.devices import Device, load_device
    from kanspice.engine.options import RunOptions
    from kanspice.errors import InputError, KanspiceError, SimulatorError
    from kanspice.evidence import Evidence
    from kanspice.families import LoadedModel, compile_model, load, save
    from kanspice.families.kanalogue.network import KANalogue
    from kanspice.gap import GapResult
    from kanspice.models import load_array, load_labels
    from kanspice.pipeline import VerifyOptions, verify
    from kanspice.technology import Technology, load_technology

_HOMES = {
    "Design": "kanspice.design",
    "Device": "kanspice.devices",
    "Evidence": "kanspice.evidence",
    "GapResult": "kanspice.gap",
    "InputError": "kanspice.errors",
    "KANalogue": "kanspice.families.kanalogue.network",
    "KanspiceError": "kanspice.errors",
    "LoadedModel": "kanspice.families",
    "RunOptions": "kanspice.engine.options",
    "SimulatorError": "kanspice.errors",
    "Technology": "kanspice.technology",
    "VerifyOptions": "kanspice.pipeline",
    "compile_model": "kanspice.families",
    "load": "kanspice.families",
    "load_array": "kanspice.models",
    "load_device": "kanspice.devices",
    "load_labels": "kanspice.models",
    "load_technology": "kanspice.technology",
    "save": "kanspice.families",
    "verify": "kanspice.pipeline",
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
