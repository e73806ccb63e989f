"""A GPU's code gives what NumPy's gives: run on the central processor always, and on a GPU where there is one.

Without a GPU, whatever is made without being told where lands on torch's `meta` device, and mixing that with anything
is an error, as is a tensor that NumPy takes without being told: the code cannot forget to say where an array belongs.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext

import numpy as np
import pytest
import torch
from circuits import DEVICE_NAMES, LINE, PEAK, crossbar_design, inputs_for, network, specimen_of
from connections import inputs_for as connection_inputs
from connections import phykan
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from periods import design_of_periods, period
from schematics import EDGES, SCHEMATIC, SCHEMATICS, parameters

from kanspice.base.draws import Draw
from kanspice.base.errors import InputError, SimulatorError
from kanspice.circuit.branch_laws import LAWS
from kanspice.circuit.specimens import draw_specimen
from kanspice.devices import load_device
from kanspice.engine.batched import solve
from kanspice.engine.batched.array_devices import curve_values, failures_of, host, processor_named
from kanspice.engine.batched.branch_banks import DenseBank, NodeSums, PairBank, bank_of
from kanspice.engine.batched.crosspoints import WholeCrosspoints
from kanspice.engine.options import RunOptions
from kanspice.families.kirchhoffnet.branches import BRANCHES
from kanspice.families.kirchhoffnet.circuit import compile_kirchhoffnet
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import Topology
from kanspice.families.phykan.circuit import compile_phykan
from kanspice.technology import Technology

DEVICES = ["torch", pytest.param("cuda", marks=pytest.mark.gpu)]
TECHNOLOGIES = {
    "ideal": (),
    "gain": ("tia.gain=300",),
    "offsets": ("tia.offset_sigma_v=2e-3", "tia.feedback_sigma=0.02"),
    "swing": ("tia.gain=1000", "tia.swing_v=3.0", "tia.output_ohm=200"),
    "shifts": ("tia.gain=1000", "devices.shift_sigma_v=0.01", "devices.area_sigma=0.1"),
    "wires": ("wires.row_ohm=50", "wires.column_ohm=50", "wires.driver_ohm=300"),
    "everything": (
        *("tia.gain=500", "tia.offset_sigma_v=2e-3", "tia.swing_v=4.0", "devices.shift_sigma_v=0.01"),
        *("wires.row_ohm=20", "wires.column_ohm=20", "devices.series_ohm=3000", "converters.input_noise_v=2e-3"),
    ),
}
WIDE = ("units.i_unit_a=1e-6", "tia.rail_v=1000.0", "tia.headroom=0.01")


@contextmanager
def on(device):
    """Where nothing may be made, or taken from there, without being told."""
    with pytest.MonkeyPatch.context() as patched, torch.device("meta") if device == "torch" else nullcontext():
        patched.setattr(torch.Tensor, "__array__", refuse)
        yield


def refuse(*_, **__):
    raise TypeError("a tensor is made an array without being told")


def check_alike(design, inputs, device, *, within=1e-12, fidelity="device"):
    """Solves by NumPy and on the device; gives the latter."""
    options = {"check_samples": 2}
    expected = solve(design, inputs, fidelity, RunOptions(**options))
    with on(device):
        found = solve(design, inputs, fidelity, RunOptions(**options, device=device))
    assert [(one.index, one.outcome) for one in found.failed] == [(one.index, one.outcome) for one in expected.failed]
    for kind in ("stage_v", "column_v", "row_a", "amplifier_a"):
        for name, values in getattr(expected, kind).items():
            scale = np.nanmax(np.abs(values), initial=1e-30)
            np.testing.assert_allclose(getattr(found, kind)[name], values, rtol=0, atol=within * scale)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", TECHNOLOGIES)
def test_crossbars(name, device):
    model = network([5, 4, 3], [load_device("z21"), load_device("rtd")], seed=3)
    inputs = inputs_for(model, 6, 1)
    found = check_alike(specimen_of(model, inputs, *TECHNOLOGIES[name], *WIDE, seed=2), inputs, device)
    assert found.solved.any()
    assert found.engine_options["device"].startswith(device)
    assert found.numerical_error.max_abs_v < 1e-10


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("ohm", [2e5, 2e6])
def test_states_that_jump_are_found_out_there_too(ohm, device):
    design = crossbar_design((PEAK,), [[[1.0]]], gain=1 / 1e-6, feedback=ohm)
    inputs = np.linspace(0.02, 3.02, 31)[:, None]
    check_alike(design, inputs, device)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("law", LAWS)
def test_branches_of_every_law(law, device):
    """What drives the nodes, both ways in which torch adds it up: following knows nothing of the law."""
    volts = np.random.default_rng(1).normal(size=(5, 2))
    bank = bank_of(period(law, EDGES, parameters(law)))
    expected, processor = bank.into_nodes(volts), processor_named(device)
    for kind in (DenseBank, PairBank):
        with on(device):
            found = host(kind(bank.branches, processor).into_nodes(processor.array(volts)))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13 * np.abs(expected).max())


@pytest.mark.slow
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("law", ["Conductance", "ShiftLeakyRelu2", "ShiftTanh1", "Device2.silu"])
def test_periods_of_every_shape(law, device):
    edges = [(1, 0), (1, 2), (2, 1), (2, 0), (0, 1)]
    theta = 0.7 * np.random.default_rng(5).normal(size=(parameters(law).shape[0], len(edges)))
    design = design_of_periods(period(law, edges, theta, nodes=2))
    check_alike(design, np.random.default_rng(1).normal(size=(5, 2)), device, within=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("device", DEVICES)
@settings(max_examples=4, deadline=None, derandomize=True, phases=[Phase.generate])
@given(law=st.sampled_from(sorted(SCHEMATICS)), seed=st.integers(0, 100), pulled=st.booleans())
def test_kirchhoffnets_of_real_parts(device, law, seed, pulled):
    generator = torch.Generator().manual_seed(seed)
    edges = np.array([(1, 0), (1, 2), (2, 1), (1, 2), (0, 2)])
    topology, branch = Topology(*edges.T, np.arange(len(edges)), 2), BRANCHES[law]()
    thetas = [torch.randn(branch.rows, len(edges), generator=generator, dtype=torch.float64) for _ in range(2)]
    model = KirchhoffNet([topology] * 2, [0.5] * 2, branch, thetas=thetas).eval()
    technology = Technology(
        general=True,
        kirchhoffnet={"capacitor_sigma": 0.05, "leak_ohm": 1e3 if pulled else 1e8, "supply_v": 0.8, "clamp_ohm": 3e4},
        branches={"realisation": "schematic", "gain_sigma": 0.1, "switch_on_ohm": 1e4},
        switches={"mode": "phased", "on_ohm": 1e3, "rise_s": 5e-9, "injected_c": 1e-14, "skew_s": 1e-8},
    )
    design = draw_specimen(compile_kirchhoffnet(model, technology), technology, Draw(seed))
    check_alike(design, np.random.default_rng(seed).normal(size=(3, 2)), device, within=1e-6)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("law", SCHEMATICS)
def test_pairs_of_nodes(law, device):
    volts = np.random.default_rng(0).normal(size=(4, 2))
    branches = bank_of(period(law, EDGES, parameters(law)), SCHEMATIC).branches
    processor = processor_named(device)
    with on(device):
        found = host(PairBank(branches, processor).into_nodes(processor.array(volts)))
    np.testing.assert_allclose(found, PairBank(branches).into_nodes(volts), rtol=0, atol=1e-13)


@pytest.mark.parametrize("device", ["cpu", *DEVICES])
def test_sums_at_nodes_are_those_of_a_matrix(device):
    rng = np.random.default_rng(2)
    first, second = rng.integers(0, 7, size=(2, 30))
    first, second = first[first != second], second[first != second]
    currents = rng.normal(size=(3, len(first)))
    incidence = np.zeros((len(first), 9))
    incidence[np.arange(len(first)), second] += 1
    incidence[np.arange(len(first)), first] -= 1
    processor = processor_named(device)
    with on(device):
        found = host(NodeSums(8, first, second, processor).of(processor.array(currents)))
    np.testing.assert_allclose(found, (currents @ incidence)[:, 1:], rtol=0, atol=1e-14)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", DEVICE_NAMES)
def test_curves(name, device):
    curve = load_device(name).curve
    volts = np.concatenate([np.linspace(curve.lo_v - 0.1, curve.hi_v + 0.1, 400), [curve.lo_v, curve.hi_v]])
    with on(device):
        current, slope = (host(values) for values in curve_values(curve, processor_named(device).array(volts)))
    for found, expected in zip((current, slope), curve.numpy(volts), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11 * np.abs(expected).max())


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "cuda:-1", "CPU", "mps", "", "cuda:99"])
def test_a_processor_that_is_not_there(name):
    with pytest.raises(InputError) as raised:
        processor_named(name)
    assert "--device" in raised.value.where


def test_circuits_without_anything_for_a_gpu():
    model = phykan()
    design = compile_phykan(model, Technology())
    with pytest.raises(InputError, match="GPU"):
        solve(design, connection_inputs(model, 2), "behavioural", RunOptions(device="torch"))


def test_resistances_are_not_for_a_gpu():
    """And nobody is told that one computed them."""
    model = network([4, 3], [LINE], seed=3)
    inputs = inputs_for(model, 6, 1)
    found = check_alike(specimen_of(model, inputs, *TECHNOLOGIES["wires"], *WIDE), inputs, "torch")
    assert found.engine_options["device"] == "cpu"


def test_slopes_where_torch_is_told_to_find_none():
    curve, volts = load_device("rtd").curve, np.linspace(0.0, 1.0, 5)
    with torch.inference_mode():
        _, slope = (host(values) for values in curve_values(curve, processor_named("torch").array(volts)))
    np.testing.assert_allclose(slope, curve.numpy(volts)[1], rtol=1e-10)


FULL = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has 1.00 GiB free. Process 7 has the rest. See elsewhere."


@pytest.mark.parametrize(
    ("name", "raised", "said", "hint"),
    [
        ("cuda:0", torch.cuda.OutOfMemoryError(FULL), "not enough memory", "fewer processes at a time or --device cpu"),
        ("cuda", RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling x"), "not enough memory", "cpu"),
        ("cuda", RuntimeError("CUDA error: no kernel image is available\nfor this"), "the GPU failed", "--device cpu"),
        ("torch", RuntimeError("DefaultCPUAllocator: can't allocate memory"), "not enough memory", "--device cpu"),
        ("cpu", MemoryError("Unable to allocate 8.00 GiB"), "not enough memory", "fewer processes at a time"),
    ],
)
def test_what_a_processor_cannot_do(name, raised, said, hint):
    with pytest.raises(SimulatorError, match=said) as found, failures_of(name):
        raise raised
    assert found.value.hint.endswith(hint)
    assert found.value.found in str(raised)
    assert "\n" not in found.value.found
    assert "Process" not in found.value.found


@pytest.mark.parametrize("name", ["cpu", "torch", "cuda"])
def test_a_bug_is_no_failure_of_a_processor(name):
    with pytest.raises(RuntimeError, match="the size of tensor a"), failures_of(name):
        raise RuntimeError("the size of tensor a (3) must match the size of tensor b (4)")


def test_a_gpu_that_is_full(monkeypatch):
    model = network([5, 3], [load_device("rtd")], seed=3)
    inputs = inputs_for(model, 6, 1)
    design = specimen_of(model, inputs, *TECHNOLOGIES["gain"], *WIDE)

    def full(*_):
        raise torch.cuda.OutOfMemoryError(FULL)

    monkeypatch.setattr(WholeCrosspoints, "at", full)
    with pytest.raises(SimulatorError, match="not enough memory"):
        solve(design, inputs, "device", RunOptions(device="torch"))
