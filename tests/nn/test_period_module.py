"""KirchhoffNets as torch modules: the engine's answers, and gradients by parameters, inputs, technology and noise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from circuits import technology

from kanspice.base.draws import Draw
from kanspice.engine.batched import periods
from kanspice.engine.batched.integrator import Tolerance
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve
from kanspice.families import compile_model
from kanspice.families.kirchhoffnet.branches import BRANCHES
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import Topology
from kanspice.families.loading import load, loaded_from
from kanspice.nn import Circuit
from kanspice.technology import Technology

EDGES = np.array([(1, 0), (1, 2), (2, 1), (1, 2), (0, 2)])
IMPERFECT = (
    *("branches.realisation=schematic", "branches.pair_saturation=1.05", "branches.pair_sigma=0.05"),
    *("branches.gain_sigma=0.05", "branches.offset_sigma_v=0.02", "branches.parasitic_f=1e-14"),
    *("kirchhoffnet.capacitor_sigma=0.05", "kirchhoffnet.leak_ohm=1e7", "kirchhoffnet.jitter_sigma_s=1e-8"),
    *("kirchhoffnet.noise_k=300.0", "switches.mode=monolithic", "switches.rise_s=5e-9", "switches.hold_s=1e-7"),
    *("switches.off_ohm=1e8", "switches.injected_c=1e-14", "switches.injected_sigma_c=5e-15", "switches.skew_s=1e-8"),
)
INPUTS = np.random.default_rng(0).standard_normal((4, 2))


@pytest.fixture
def small_errors(monkeypatch):
    """The engine chooses its steps anew for either side of a difference."""
    for name in ("_SMOOTH_TOLERANCE", "_KINKED_TOLERANCE"):
        monkeypatch.setattr(periods, name, Tolerance(1e-10, 1e-11))


def small(law="ShiftTanh2", **options):
    generator = torch.Generator().manual_seed(0)
    topology, branch = Topology(*EDGES.T, np.arange(len(EDGES)), 2), BRANCHES[law]()
    thetas = [torch.randn(branch.rows, len(EDGES), generator=generator, dtype=torch.float64) for _ in range(2)]
    return KirchhoffNet([topology] * 2, [0.5] * 2, branch, thetas=thetas, **options).eval()


def relative_error(circuit, value, outputs_of, step=1e-4):
    """Of the derivative along a random direction by a tensor, which outputs_of(circuit) depends on."""
    drawn = np.random.default_rng(1)
    along = torch.from_numpy(drawn.normal(size=tuple(value.shape))) * value.detach().abs()
    value.requires_grad_(requires_grad=True)
    outputs = outputs_of(circuit)
    weights = torch.from_numpy(drawn.normal(size=tuple(outputs.shape)))
    (gradient,) = torch.autograd.grad((outputs * weights).sum(), value)
    value.requires_grad_(requires_grad=False)
    kept, sides = value.detach().clone(), []
    for by in (2 * step, step, -step, -2 * step):
        with torch.no_grad():
            value.copy_(kept + by * along)
            sides.append(float((outputs_of(circuit) * weights).sum()))
            value.copy_(kept)
    expected = (8 * (sides[1] - sides[2]) - (sides[0] - sides[3])) / (12 * step)
    return abs(float((gradient * along).sum()) / expected - 1)


def frozen(circuit):
    for parameter in circuit.network.parameters():
        parameter.requires_grad_(requires_grad=False)
    return circuit


def test_answers_are_those_of_the_engine_to_the_last_bit():
    model, tech = small(), technology(*IMPERFECT)
    design = compile_model(loaded_from(model), tech, None, Draw(3))
    found = solve("batched", design, INPUTS, "device", RunOptions())
    expected = found.stage_v["readout"] / design.stages[-1].output_v_per_unit
    circuit = Circuit(model, tech)
    assert np.array_equal(circuit(torch.from_numpy(INPUTS), 3).detach().numpy(), expected)
    with torch.no_grad():
        assert np.array_equal(circuit(torch.from_numpy(INPUTS), 3).numpy(), expected)


@pytest.mark.usefixtures("small_errors")
def test_by_parameters_and_inputs():
    circuit, inputs = frozen(Circuit(small(), technology(*IMPERFECT))), torch.from_numpy(INPUTS.copy())
    for value in (*circuit.network.parameters(), inputs):
        assert relative_error(circuit, value, lambda circuit: circuit(inputs, 3)) < 1e-6


@pytest.mark.usefixtures("small_errors")
@pytest.mark.parametrize(
    ("name", "step"),
    [
        *(("branches.pair_saturation", 1e-4), ("branches.gain_sigma", 1e-4), ("branches.offset_sigma_v", 1e-4)),
        *(("kirchhoffnet.capacitor_sigma", 1e-4), ("kirchhoffnet.leak_ohm", 1e-3), ("kirchhoffnet.noise_k", 1e-2)),
        *(("kirchhoffnet.jitter_sigma_s", 1e-3), ("switches.rise_s", 1e-2), ("switches.injected_sigma_c", 1e-3)),
    ],
)
def test_by_keys_of_the_technology(name, step):
    circuit, (section, _, field) = frozen(Circuit(small(), technology(*IMPERFECT))), name.partition(".")
    value = torch.tensor(getattr(getattr(circuit.technology, section), field), dtype=torch.float64)
    inputs = torch.from_numpy(INPUTS)
    assert relative_error(circuit, value, lambda circuit: circuit(inputs, 3, keys={name: value}), step) < 1e-6


@pytest.mark.reference_data
def test_the_published_network_comes_nearer_to_itself(reference_data):
    """A few steps down the gradient of its circuit's error."""
    folder = reference_data / "kirchhoffnet" / "circle"
    loaded = load(folder / "model.pth", folder / "config.yaml")
    inputs, outputs = (
        torch.from_numpy(np.load(folder / f"{name}.npy")[:8].astype(float)) for name in ("inputs", "outputs")
    )
    circuit = Circuit(loaded, Technology(branches={"realisation": "schematic", "pair_saturation": 1.05}))
    optimizer, losses = torch.optim.SGD(circuit.parameters(), lr=2e-4), []
    for _ in range(3):
        loss = ((circuit(inputs) - outputs) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.9 * losses[0]
