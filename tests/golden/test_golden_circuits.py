"""Every file of compiled folders, and the names of random draws, for a tiny model of every family."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from circuits import DEVICE_NAMES, PEAK, load_device, network
from connections import memkan, phykan, surrogate_memkan
from images import cnnkan
from torch import nn
from typer.testing import CliRunner

from kanspice import DeviceActivation, convert
from kanspice.base.draws import Draw
from kanspice.circuit.branch_laws import LAWS, SCHEMATIC_LAWS
from kanspice.cli.commands import app
from kanspice.families import save
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import topology_from_edges
from kanspice.technology import Technology, entries

EDGES = [(0, 1), (1, 0), (1, 2), (2, 1), (2, 0), (1, 2)]
SHOWN_LAWS = [*(law for law in LAWS if "." not in law), "Device1.softplus", "Device2.gelu"]
"""Of branches of an activation, one of each form."""
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")


def kirchhoffnet(law="ShiftTanh2", **options):
    """Two periods of the same two nodes."""
    torch.manual_seed(1)
    topology, (name, _, activation) = topology_from_edges(EDGES), law.partition(".")
    given = {"negation": name == "Device1", "activation": activation} if activation else {}
    branch = branch_function("Device" if activation else name, given, "x")
    return KirchhoffNet([topology, topology], [0.5, 0.25], branch, **options).eval()


def mlp():
    """Every kind of layer."""
    torch.manual_seed(3)
    first = nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU()
    second = nn.Linear(3, 2), DeviceActivation(PEAK, (0.0, 0.75), shift=0.25, scale=-0.5), nn.LayerNorm(2)
    return convert(nn.Sequential(*first, *second, nn.Linear(2, 2), nn.Tanh()))


def projected():
    """A KirchhoffNet with a residual, fewer inputs than nodes, and a linear layer behind it."""
    weight = {"weight": torch.tensor([[0.5, -0.25], [1.0, 2.0]]), "bias": torch.tensor([0.125, -1.0])}
    return kirchhoffnet(input_width=1, residual=(1, 2), fill="repeat", projector=weight)


def grown():
    """A KirchhoffNet whose second period has a node more."""
    torch.manual_seed(2)
    topologies = [topology_from_edges(EDGES), topology_from_edges([(1, 3), (3, 2), (2, 0), (0, 3)])]
    return KirchhoffNet(topologies, [0.5, 0.25], branch_function("ShiftRelu1", {}, "x"), readout="last2").eval()


MODELS: dict[str, Callable[[], torch.nn.Module]] = {
    "kanalogue": lambda: network([2, 3, 2], [load_device("z21"), PEAK]),
    "kanalogue-layernorm": lambda: network([2, 2, 2], [PEAK], input_stage="sigmoid", norm="layer"),
    "kanalogue-devices": lambda: network([1, 1], [load_device(name) for name in DEVICE_NAMES], input_stage="tanh"),
    "kirchhoffnet": kirchhoffnet,
    "kirchhoffnet-projected": projected,
    "kirchhoffnet-grown": grown,
    "phykan": phykan,
    "phykan-normalised": lambda: phykan((2, 2), 1, input_sigmoid=False, normalised=True),
    "memkan": memkan,
    "surrogate": surrogate_memkan,
    "mlp": mlp,
    "cnnkan": lambda: cnnkan((1, 2, 2), (2,)),
    **{f"kirchhoffnet-{law}": lambda law=law: kirchhoffnet(law) for law in SHOWN_LAWS},
}
UNROLLED = "convolution.layout=unrolled"
EXACT = "devices.series_ohm=0"
"""Curves behind resistances are fitted, to what rounding leaves: nothing to hold anybody to digit by digit."""
_CROSSBARS = (
    *("tia.gain=1000", "tia.offset_sigma_v=1e-3", "tia.feedback_sigma=0.01", "tia.input_bias_a=1e-10"),
    *("tia.output_ohm=100", "tia.swing_v=4.5", "tia.gbw_hz=1e6", "tia.feedback_f_sigma=0.02", "tia.slew_v_per_s=1e6"),
    *(
        "devices.area_sigma=0.05",
        "devices.area_added_sigma=0.01",
        "devices.area_levels=64",
        "devices.shift_sigma_v=2e-3",
        "devices.junction_f=1e-15",
    ),
    *("devices.stuck_open=0.1", "devices.stuck_short=0.1", "devices.temperature_c=40", "devices.current_per_k=0.002"),
    *("ageing.time_s=1e6", "ageing.reference_s=10", "ageing.drift_nu=0.05", "ageing.drift_nu_sigma=0.02"),
    *("ageing.drift_ev=0.1", "ageing.retention_s=1e8", "ageing.retention_sigma=0.5", "ageing.retention_level=0.2"),
    *("ageing.retention_ev=1", "ageing.read_disturb=1e-9", "ageing.reads_per_s=10"),
    *("ageing.temperatures_c=[27,60]", "ageing.fractions=[0.9,0.1]"),
    *("wires.row_ohm=1", "wires.column_ohm=2", "wires.driver_ohm=20", "wires.row_f=1e-14", "wires.column_f=2e-14"),
    *("clippers.knee_v=0.002", "references.current_sigma=0.01", "references.clip_sigma=0.01"),
    "supply.quiescent_a=1e-6",
)
_UNCLIPPED = tuple(text for text in _CROSSBARS if not text.startswith(("clippers.", "references.clip")))
_PERIODS = (
    *("kirchhoffnet.capacitor_sigma=0.01", "kirchhoffnet.leak_ohm=1e9", "kirchhoffnet.supply_v=5"),
    *("kirchhoffnet.clamp_ohm=1e4", "kirchhoffnet.jitter_sigma_s=1e-9", "kirchhoffnet.noise_k=300"),
    *("kirchhoffnet.parasitic_f=1e-14", "kirchhoffnet.clock_s=1e-8", "branches.gain_sigma=0.01"),
    *("branches.offset_sigma_v=1e-3", "branches.parasitic_f=1e-15"),
)
_SCHEMATICS = (
    *("branches.realisation=schematic", "branches.pair_saturation=1.2", "branches.pair_sigma=0.02"),
    *("branches.vccs_saturation=3", "switches.mode=monolithic", "switches.on_ohm=1e4", "switches.off_ohm=1e10"),
    *("switches.rise_s=1e-9", "switches.hold_s=1e-8", "switches.skew_s=1e-9", "switches.injected_c=1e-16"),
    *("switches.injected_sigma_c=1e-17",),
)
_FILTERS = (
    *("filters.component_sigma=0.05", "filters.gain_sigma=0.02", "filters.gain_step=0.0625", "filters.hold_s=5e-3"),
    *("filters.amplifier_hz=1e6", "filters.offset_sigma_v=1e-3"),
)
_SYNAPSES = (
    *("synapses.current_sigma=0.05", "synapses.alpha_sigma=0.03", "synapses.resistance_sigma=0.02"),
    *("synapses.gain_sigma=0.01", "synapses.read_noise_v=1e-3", "clippers.knee_v=0.002"),
)
_CONVERTERS = "converters.dac_bits=8", "converters.adc_bits=10", "converters.input_noise_v=1e-3"
_RECTIFIERS = ("clippers.circuit=rectifiers", "clippers.gain=1e4", "clippers.offset_sigma_v=1e-3")
_PAIRS = ("pairs.thermal_v=0.026", "pairs.current_gain=100", "pairs.tail_sigma=0.01", "pairs.offset_sigma_v=1e-3")
_PARTS = ("parts.resistors=E96",)
DRAWN: dict[str, tuple[str, ...]] = {
    "kanalogue": (*_CROSSBARS, *_PARTS, *_CONVERTERS),
    "kirchhoffnet": (*_PERIODS, *_SCHEMATICS, *_CONVERTERS),
    "phykan": (*_FILTERS, *_PARTS, *_CONVERTERS),
    "memkan": (*_SYNAPSES, *_PARTS, *_CONVERTERS),
    "surrogate": (*_SYNAPSES[:-1], *_PAIRS, *_PARTS, *_CONVERTERS),
    "mlp": (*_CROSSBARS, *_RECTIFIERS, *_PARTS, *_CONVERTERS),
    "cnnkan": (*_UNCLIPPED, "convolution.average_sigma=0.01", *_PARTS, *_CONVERTERS),
}
"""Of every family, all that a specimen can be drawn with."""


@dataclass(frozen=True)
class Case:
    """One `kanspice compile`. parts: patterns of the files that are looked at: the others are those of another case."""

    model: str
    fidelity: str = "auto"
    set_: tuple[str, ...] = ()
    tech: str | None = None
    parts: tuple[str, ...] = ("*",)

    @property
    def arguments(self) -> list[str]:
        """Of the command line, but for files."""
        words = [word for text in self.set_ for word in ("--set", text)]
        return [*words, *([] if self.tech is None else ["--tech", self.tech])]


_NETLIST = "*.cir", "*.lib"
_BRANCHES = ("*.cir",)
CASES = {
    "kanalogue-shared": Case("kanalogue", "shared"),
    "kanalogue-device": Case("kanalogue", "device", parts=_NETLIST),
    "kanalogue-window": Case("kanalogue", "device", ("tia.gain=1000",)),
    "kanalogue-typical": Case("kanalogue", set_=(EXACT,), tech="typical"),
    "kanalogue-drawn": Case("kanalogue", set_=DRAWN["kanalogue"]),
    "kanalogue-layernorm": Case("kanalogue-layernorm"),
    "kanalogue-devices": Case("kanalogue-devices", "device", ("tia.gain=100",), parts=_NETLIST),
    "kirchhoffnet-device": Case("kirchhoffnet", "device"),
    "kirchhoffnet-merged": Case("kirchhoffnet", "merged", parts=("*.cir", "*.json", "elements.csv")),
    "kirchhoffnet-typical": Case("kirchhoffnet", tech="typical"),
    "kirchhoffnet-lossy": Case("kirchhoffnet", set_=_PERIODS),
    "kirchhoffnet-drawn": Case("kirchhoffnet", set_=DRAWN["kirchhoffnet"]),
    "kirchhoffnet-projected": Case("kirchhoffnet-projected"),
    "kirchhoffnet-projected-switched": Case("kirchhoffnet-projected", set_=("switches.mode=monolithic",)),
    "kirchhoffnet-grown": Case("kirchhoffnet-grown"),
    "phykan-behavioural": Case("phykan", "behavioural"),
    "phykan-filter": Case("phykan", "filter", parts=_NETLIST),
    "phykan-transient": Case("phykan", "transient", parts=_NETLIST),
    "phykan-typical": Case("phykan", "filter", tech="typical"),
    "phykan-drawn": Case("phykan", "transient", DRAWN["phykan"]),
    "phykan-normalised": Case("phykan-normalised", "filter"),
    "memkan-device": Case("memkan"),
    "memkan-typical": Case("memkan", tech="typical"),
    "memkan-drawn": Case("memkan", set_=DRAWN["memkan"]),
    "surrogate-device": Case("surrogate"),
    "surrogate-typical": Case("surrogate", tech="typical"),
    "surrogate-drawn": Case("surrogate", set_=DRAWN["surrogate"]),
    "mlp-shared": Case("mlp"),
    "mlp-typical": Case("mlp", set_=(EXACT,), tech="typical"),
    "mlp-drawn": Case("mlp", set_=DRAWN["mlp"]),
    "cnnkan-shared": Case("cnnkan", set_=(UNROLLED,)),
    "cnnkan-typical": Case("cnnkan", set_=(UNROLLED, EXACT), tech="typical", parts=_NETLIST),
    "cnnkan-drawn": Case("cnnkan", set_=(UNROLLED, *DRAWN["cnnkan"]), parts=("*.npz",)),
    **{
        f"law-{law}-{fidelity}": Case(f"kirchhoffnet-{law}", fidelity, parts=_BRANCHES)
        for law in SHOWN_LAWS
        for fidelity in ("device", "merged")
    },
    **{
        f"law-{law}-schematic": Case(
            f"kirchhoffnet-{law}", "device", ("branches.realisation=schematic",), parts=_BRANCHES
        )
        for law in SCHEMATIC_LAWS
    },
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A function that writes a model and samples for it, and says where they are."""
    folder, written = tmp_path_factory.mktemp("models"), {}

    def write(name):
        if name not in written:
            model = MODELS[name]()
            with torch.no_grad():
                for tensor in model.state_dict().values():
                    if tensor.is_floating_point():
                        tensor.copy_(torch.round(tensor * 1024) / 1024)  # whatever torch's random numbers end with
            model_file, inputs = folder / f"{name}.pt", folder / f"{name}.npy"
            save(model, model_file)
            np.save(inputs, np.linspace(-0.75, 1.25, 5 * model.input_width).reshape(5, -1)[:, ::-1])
            written[name] = [str(model_file), "--inputs", str(inputs)]
        return written[name]

    return write


def called(*arguments):
    """`kanspice` with these arguments."""
    done = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("name", CASES)
def test_compiled(golden, files, tmp_path, name):
    case, folder = CASES[name], tmp_path / "circuit"
    called("compile", *files(case.model), *case.arguments, "--fidelity", case.fidelity, "-q", "-o", folder)
    parts = sorted({path for pattern in case.parts for path in folder.glob(pattern)})
    text = "".join(f"==> {path.name} <==\n{shown(path)}" for path in parts)
    golden(_DIGEST.sub("DIGEST", text))


def shown(path):
    """A file's text; of a design its header, then every array, a number in full."""
    if path.suffix != ".npz":
        return path.read_text(encoding="ascii")
    with np.load(path, allow_pickle=False) as archive:
        lines = [json.dumps(json.loads(archive["header"].tobytes()), indent=1)]
        lines += [f"{name}: {array_text(archive[name])}" for name in archive.files if name != "header"]
    return "\n".join(lines) + "\n"


def array_text(array):
    """What an array is and holds, a line for each of its last axes."""
    rows = array.reshape(-1, array.shape[-1]) if array.ndim > 1 else array.reshape(1, -1)
    return "\n".join([f"{array.dtype.str} {array.shape}", *(" ".join(map(repr, row)) for row in rows.tolist())])


@pytest.mark.parametrize("family", DRAWN)
def test_names_of_draws(golden, files, monkeypatch, family):
    """Published figures rest on them: a seed and a name are a specimen."""
    drawn = set()
    for kind in ("normal", "uniform"):
        monkeypatch.setattr(Draw, kind, recorded(drawn, kind, getattr(Draw, kind)))
    settings = [word for text in DRAWN[family] if is_random(text) for word in ("--set", text)]
    CliRunner().invoke(app, ["verify", *files(family), *settings, "--engine", "batched", "-q"], catch_exceptions=False)
    golden("".join(sorted(drawn)))


def is_random(setting):
    """Whether something is drawn for a technology's value, `section.key`, or it says what there is to be drawn for."""
    said = "mode=", "realisation=", "circuit=", "thermal_v=", "retention_s="
    return any(word in setting for word in ("sigma", "noise", "stuck", "skew", *said))


def recorded(drawn, kind, draw):
    """A method of `Draw` that notes what it is asked for."""

    def method(self, name, shape):
        drawn.add(f"{name}: {kind} {shape}\n")
        return draw(self, name, shape)

    return method


def test_everything_random_is_drawn():
    """A new kind of randomness needs its place here."""
    settings = {text.partition("=")[0] for texts in DRAWN.values() for text in texts}
    drawn = {entry.name for _, _, keys in entries(Technology()) for entry in keys if is_random(entry.name)}
    assert drawn - settings == {"tia.noise_v_per_rthz"}  # no specimen has it: `settle` adds it up
