"""kanspice: from a trained analogue network to a measured sim-to-real gap.

    >>> import kanspice
    >>> result = kanspice.verify("model.pt", "inputs.npy", tech="typical", engine="batched")
    >>> result.gap.relative_rmse

Every command is a function with the command's arguments: `compile`, `export`, `simulate`, `verify`, `compare`,
`settle`, `study`, `lifetime`, `tune`, `calibrate`, `identify`, `control`, `characterise`, `try_device`. Names are
loaded when first used, so that `import kanspice` and `kanspice --help` stay fast.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
"""As `typing` has it: the command line takes care of signals after this import only, so that it has to be short."""

if TYPE_CHECKING:
    from typing import Any

    from kanspice.base.errors import InputError, KanspiceError, SimulatorError
    from kanspice.base.files.array_files import load_array, load_labels
    from kanspice.circuit import Design
    from kanspice.circuit.specimens import GivenSpecimen
    from kanspice.devices import Device, load_device
    from kanspice.experiments.api.calibrate import calibrate
    from kanspice.experiments.api.characterise import characterise
    from kanspice.experiments.api.compare import compare
    from kanspice.experiments.api.compile import compile
    from kanspice.experiments.api.control import control
    from kanspice.experiments.api.export import export
    from kanspice.experiments.api.history import history
    from kanspice.experiments.api.identify import identify
    from kanspice.experiments.api.lifetime import lifetime
    from kanspice.experiments.api.project import project
    from kanspice.experiments.api.sensitivity import sensitivity
    from kanspice.experiments.api.settle import settle
    from kanspice.experiments.api.simulate import simulate
    from kanspice.experiments.api.specimens import save_specimen
    from kanspice.experiments.api.study import study
    from kanspice.experiments.api.trial import try_device
    from kanspice.experiments.api.tune import tune
    from kanspice.experiments.api.verify import verify
    from kanspice.experiments.calibrate.result import CalibrationResult
    from kanspice.experiments.characterise.result import AmplifierResult
    from kanspice.experiments.compare import Comparison
    from kanspice.experiments.compile.circuit import Circuit
    from kanspice.experiments.control import ControlResult
    from kanspice.experiments.export.exported import Exported
    from kanspice.experiments.history import History
    from kanspice.experiments.identify.result import IdentificationResult
    from kanspice.experiments.lifetime.result import LifetimeResult
    from kanspice.experiments.project.result import Projection
    from kanspice.experiments.sensitivity.result import Sensitivity
    from kanspice.experiments.settle.settling import Settling
    from kanspice.experiments.settle.study import SettlingStudy
    from kanspice.experiments.simulate.simulation import NetlistResult, Simulation
    from kanspice.experiments.study.result import StudyResult
    from kanspice.experiments.trial.result import DeviceTrial
    from kanspice.experiments.tune.result import TuningResult
    from kanspice.experiments.verify.reading import read_report
    from kanspice.experiments.verify.result import GapResult
    from kanspice.families import LoadedModel, load, save
    from kanspice.families.cnnkan.network import CNNKAN
    from kanspice.families.common.training import fit
    from kanspice.families.kanalogue.network import KANalogue
    from kanspice.families.kirchhoffnet.network import KirchhoffNet
    from kanspice.families.memkan.network import MemKAN
    from kanspice.families.mlp.activations import DeviceActivation
    from kanspice.families.mlp.convert import convert
    from kanspice.families.mlp.network import MLP
    from kanspice.families.phykan.network import PhyKAN
    from kanspice.technology import Technology, load_technology

_HOMES = {
    "AmplifierResult": "kanspice.experiments.characterise.result",
    "CNNKAN": "kanspice.families.cnnkan.network",
    "CalibrationResult": "kanspice.experiments.calibrate.result",
    "Circuit": "kanspice.experiments.compile.circuit",
    "Comparison": "kanspice.experiments.compare",
    "ControlResult": "kanspice.experiments.control",
    "Design": "kanspice.circuit",
    "Device": "kanspice.devices",
    "DeviceActivation": "kanspice.families.mlp.activations",
    "DeviceTrial": "kanspice.experiments.trial.result",
    "Exported": "kanspice.experiments.export.exported",
    "GapResult": "kanspice.experiments.verify.result",
    "GivenSpecimen": "kanspice.circuit.specimens",
    "History": "kanspice.experiments.history",
    "IdentificationResult": "kanspice.experiments.identify.result",
    "InputError": "kanspice.base.errors",
    "KANalogue": "kanspice.families.kanalogue.network",
    "KanspiceError": "kanspice.base.errors",
    "KirchhoffNet": "kanspice.families.kirchhoffnet.network",
    "LifetimeResult": "kanspice.experiments.lifetime.result",
    "LoadedModel": "kanspice.families",
    "MLP": "kanspice.families.mlp.network",
    "MemKAN": "kanspice.families.memkan.network",
    "NetlistResult": "kanspice.experiments.simulate.simulation",
    "PhyKAN": "kanspice.families.phykan.network",
    "Projection": "kanspice.experiments.project.result",
    "Sensitivity": "kanspice.experiments.sensitivity.result",
    "Settling": "kanspice.experiments.settle.settling",
    "SettlingStudy": "kanspice.experiments.settle.study",
    "Simulation": "kanspice.experiments.simulate.simulation",
    "SimulatorError": "kanspice.base.errors",
    "StudyResult": "kanspice.experiments.study.result",
    "Technology": "kanspice.technology",
    "TuningResult": "kanspice.experiments.tune.result",
    "calibrate": "kanspice.experiments.api.calibrate",
    "characterise": "kanspice.experiments.api.characterise",
    "compare": "kanspice.experiments.api.compare",
    "compile": "kanspice.experiments.api.compile",
    "convert": "kanspice.families.mlp.convert",
    "control": "kanspice.experiments.api.control",
    "export": "kanspice.experiments.api.export",
    "fit": "kanspice.families.common.training",
    "history": "kanspice.experiments.api.history",
    "identify": "kanspice.experiments.api.identify",
    "lifetime": "kanspice.experiments.api.lifetime",
    "load": "kanspice.families",
    "load_array": "kanspice.base.files.array_files",
    "load_device": "kanspice.devices",
    "load_labels": "kanspice.base.files.array_files",
    "load_technology": "kanspice.technology",
    "project": "kanspice.experiments.api.project",
    "read_report": "kanspice.experiments.verify.reading",
    "save": "kanspice.families",
    "sensitivity": "kanspice.experiments.api.sensitivity",
    "settle": "kanspice.experiments.api.settle",
    "save_specimen": "kanspice.experiments.api.specimens",
    "simulate": "kanspice.experiments.api.simulate",
    "study": "kanspice.experiments.api.study",
    "try_device": "kanspice.experiments.api.trial",
    "tune": "kanspice.experiments.api.tune",
    "verify": "kanspice.experiments.api.verify",
}

__all__ = [
    "CNNKAN",
    "MLP",
    "AmplifierResult",
    "CalibrationResult",
    "Circuit",
    "Comparison",
    "ControlResult",
    "Design",
    "Device",
    "DeviceActivation",
    "DeviceTrial",
    "Exported",
    "GapResult",
    "GivenSpecimen",
    "History",
    "IdentificationResult",
    "InputError",
    "KANalogue",
    "KanspiceError",
    "KirchhoffNet",
    "LifetimeResult",
    "LoadedModel",
    "MemKAN",
    "NetlistResult",
    "PhyKAN",
    "Projection",
    "Sensitivity",
    "Settling",
    "SettlingStudy",
    "Simulation",
    "SimulatorError",
    "StudyResult",
    "Technology",
    "TuningResult",
    "calibrate",
    "characterise",
    "compare",
    "compile",
    "control",
    "convert",
    "export",
    "fit",
    "history",
    "identify",
    "lifetime",
    "load",
    "load_array",
    "load_device",
    "load_labels",
    "load_technology",
    "project",
    "read_report",
    "save",
    "save_specimen",
    "sensitivity",
    "settle",
    "simulate",
    "study",
    "try_device",
    "tune",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'kanspice' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
