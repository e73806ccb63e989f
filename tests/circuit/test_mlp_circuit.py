"""A compiled multilayer perceptron is the trained network, stage by stage, and fits its amplifiers and devices."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from circuits import PEAK, load_device, technology
from scipy.optimize import brentq
from torch import nn
from typer.testing import CliRunner

from kanspice import DeviceActivation, InputError, convert, save
from kanspice.base.draws import Draw
from kanspice.circuit import Crossbar, LayerNorm, Limiter
from kanspice.circuit.bounds import output_bounds_v
from kanspice.circuit.specimens import draw_specimen
from kanspice.cli.commands import app
from kanspice.engine.batched.record import ENGINE
from kanspice.families import load
from kanspice.families.common.following import reference_stages
from kanspice.families.compiling import sizing_of
from kanspice.families.mlp.circuit import compile_mlp, technology_for_mlp

RTD = load_device("rtd")


def trained(*layers, seed=0):
    """A converted Sequential with random parameters, norms' statistics included."""
    generator = torch.Generator().manual_seed(seed)
    module = nn.Sequential(*layers).double()
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                drawn = torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype)
                tensor.copy_(drawn.abs() + 0.1 if "running_var" in name else drawn)
    return convert(module)


def samples(width, seed=0):
    return np.random.default_rng(seed).normal(0, 1.5, (9, width))


def design_of(model, inputs=None, *overrides):
    return compile_mlp(model, technology(*overrides), None if inputs is None else sizing_of(model, inputs))


NETWORKS = {
    "rectified": lambda: trained(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2)),
    "device": lambda: trained(nn.Linear(3, 4), DeviceActivation(RTD, shift=0.2, scale=-0.01), nn.Linear(4, 2)),
    "devices": lambda: trained(
        *(nn.Linear(3, 3), DeviceActivation(PEAK), nn.BatchNorm1d(3), nn.Linear(3, 3), nn.ReLU()),
        *(DeviceActivation(RTD, scale=0.02), nn.Linear(3, 2), DeviceActivation(RTD, scale=-3.0)),
    ),
    "squashed": lambda: trained(nn.Tanh(), nn.BatchNorm1d(3), nn.Linear(3, 3), nn.Sigmoid(), nn.Linear(3, 1)),
    "normalised": lambda: trained(
        nn.LayerNorm(3), nn.Linear(3, 3), nn.LayerNorm(3), nn.ReLU(), nn.Linear(3, 2), nn.ReLU()
    ),
    "linear": lambda: trained(nn.BatchNorm1d(3), nn.Linear(3, 3), nn.Linear(3, 2)),
}


@pytest.mark.parametrize("from_samples", [True, False])
@pytest.mark.parametrize("units", [(1.0, 1e-6), (0.25, 1e-3)])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_ideal_stage_is_the_networks(name, units, from_samples):
    model, inputs = NETWORKS[name](), samples(3)
    set_ = f"units.v_unit_v={units[0]!r}", f"units.i_unit_a={units[1]!r}"
    design = design_of(model, inputs if from_samples else None, *set_)
    reference = reference_stages(model, inputs)
    assert design.stages[-1].compares_to == list(reference)[-1]
    volts, bounds = inputs * design.input_v_per_unit, output_bounds_v(design, np.abs(inputs).max(axis=0) * units[0])
    for stage in design.stages:
        volts = stage.ideal_v(design, volts)
        wanted = reference[stage.compares_to] * stage.output_v_per_unit
        assert np.allclose(volts, wanted, rtol=1e-11, atol=1e-11 * np.abs(wanted).max())
        assert (np.abs(volts) <= bounds[stage.name]).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_amplifiers_stay_within_the_rails_but_before_a_clip(name):
    model, inputs = NETWORKS[name](), samples(3)
    design = design_of(model, inputs)
    found = ENGINE.solve(design, inputs, "device")
    tia = json.loads(design.technology_json)["tia"]
    limit_v = (1 + 1e-9) * tia.get("rail_v", 5.0) * tia.get("headroom", 0.8)
    for place, stage in enumerate(design.stages):
        if isinstance(stage, Crossbar):
            amplifiers_v = stage.feedback_ohm * found.amplifier_a[stage.name]
            assert np.abs(amplifiers_v).max() <= limit_v
            after = design.stages[place + 1 : place + 3]
            to_device = [type(each) for each in after] == [Limiter, Crossbar] and after[0].kind == "clip"
            if not (to_device and np.isfinite(after[0].high_v)):
                assert np.abs(found.stage_v[stage.name]).max() <= limit_v


def test_a_linear_layer_is_resistors_and_a_device_stands_alone():
    model = NETWORKS["device"]()
    design = design_of(model, samples(3), "wires.row_ohm=1", "wires.driver_ohm=2", "wires.column_f=1e-15")
    first, device, second = design.crossbars
    assert [part.name for part in design.devices] == ["ohmic", "rtd"]
    assert np.array_equal(first.area[:, :, 0], model.layers[0].weight.detach().numpy().T)
    assert not first.area[:, :, 1].any()
    assert (device.device_count, device.area.shape, second.rows) == (4, (4, 4, 2), 4)
    assert np.array_equal(device.area[:, :, 1], -np.eye(4))
    assert (first.row_ohm, first.driver_ohm, first.column_f) == (1.0, 2.0, 1e-15)
    assert (device.row_ohm, device.driver_ohm, device.column_f) == (0.0, 0.0, 1e-15 / 4)
    assert [part.types.tolist() for part in design.crossbars] == [[0], [1], [0]]


def test_rails_are_high_enough_for_devices_unless_somebody_sets_them():
    model = NETWORKS["device"]()
    assert technology_for_mlp(model, technology()).tia.rail_v == 5.0 / 0.8
    assert technology_for_mlp(model, technology("units.v_unit_v=2.0")).tia.rail_v == 10.0 / 0.8
    assert technology_for_mlp(model, technology("tia.rail_v=3.0")).tia.rail_v == 3.0
    assert technology_for_mlp(NETWORKS["rectified"](), technology()).tia.rail_v == 5.0
    assert "rails of 6.25 V" in design_of(model).swing_basis


def test_what_would_have_no_effect_is_refused():
    for name, setting in [
        ("squashed", "clippers.knee_v=0.01"),
        ("rectified", "references.clip_sigma=0.01"),
        ("device", "filters.gain_sigma=0.01"),
    ]:
        with pytest.raises(InputError, match="would have no effect"):
            design_of(NETWORKS[name](), None, setting)
    design_of(NETWORKS["rectified"](), None, "clippers.knee_v=0.01")
    design_of(NETWORKS["device"](), None, "references.clip_sigma=0.01")


def test_inputs_that_no_resistor_is_meant_for_are_refused():
    model = NETWORKS["rectified"]()
    with pytest.raises(InputError, match="layer 1 are larger than a resistor"):
        design_of(model, 2000 * samples(3))


def test_a_mismatched_device_of_finite_gain_is_its_equation():
    """Solved by bisection, with the device's own area, shift and offset, from nothing but the specimen's numbers."""
    model = trained(nn.Linear(1, 1), DeviceActivation(RTD, (-3.0, 4.0), shift=0.1, scale=0.05))
    inputs = np.linspace(-2, 3, 6)[:, None]
    set_ = technology("tia.gain=200", "tia.offset_sigma_v=0.01", "devices.area_sigma=0.1", "devices.shift_sigma_v=0.05")
    technology_ = technology_for_mlp(model, set_)
    specimen = draw_specimen(compile_mlp(model, technology_, sizing_of(model, inputs)), technology_, Draw(3))
    stage = specimen.crossbars[1]
    assert not specimen.crossbars[0].shift_v.any()
    found = ENGINE.solve(specimen, inputs, "device")
    for sample, row_v in enumerate(found.stage_v["l2.input"][:, 0]):
        outputs = []
        for column, area in enumerate((stage.area[0, 0, 1], 0.0)):

            def left(volts, column=column, area=area, row_v=row_v):
                current = area * RTD.curve.numpy(row_v - volts - stage.shift_v[0, 0, 1])[0] * stage.current_unit_a
                driven = 200 * (stage.offset_v[column] - volts)
                return float(current + stage.bias_a[column] - (volts - driven) / stage.feedback_ohm[column])

            outputs.append(200 * (stage.offset_v[column] - brentq(left, -1, 1, xtol=1e-16)))
        wanted = stage.subtractor_gain * (outputs[1] - outputs[0])
        assert found.stage_v["l2.crossbar"][sample, 0] == pytest.approx(wanted, rel=1e-9)


def test_the_measured_points_of_a_device_can_be_built():
    device = PEAK.with_points([0.0, 0.5, 0.9], [0.0, 0.9, 0.3], "here")
    model = trained(nn.Linear(1, 1), DeviceActivation(device), nn.Linear(1, 1))
    design = design_of(model, None, "devices.curve=points")
    assert [part.name for part in design.devices] == ["ohmic", "peak"]
    assert design.devices[1].curve.numpy([0.5])[0] == pytest.approx([0.9])


def test_layer_norms_and_other_formulas_are_said_to_be_behavioural():
    stages = [*design_of(NETWORKS["normalised"]()).stages, *design_of(NETWORKS["squashed"]()).stages]
    behavioural = {type(stage) for stage in stages if stage.is_behavioural}
    assert behavioural == {LayerNorm, Limiter}
    assert not any(stage.is_behavioural for stage in design_of(NETWORKS["rectified"]()).stages)


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """A plain Sequential with BatchNorm and ReLU that learnt a product of two numbers: its files, and the module."""
    folder = tmp_path_factory.mktemp("taught")
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.01), nn.Linear(8, 1))
    inputs = torch.rand(256, 2) * 2 - 1
    targets = inputs[:, :1] * inputs[:, 1:]
    optimizer = torch.optim.Adam(module.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        nn.functional.mse_loss(module(inputs), targets).backward()
        optimizer.step()
    module.eval()
    torch.save(module.state_dict(), folder / "state.pt")
    (folder / "config.json").write_text('{"activation": "relu"}')
    save(convert(module), folder / "own.pt")
    np.save(folder / "x.npy", inputs[:12].double().numpy())
    np.save(folder / "y.npy", module(inputs[:12]).detach().double().numpy())
    return folder


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.parametrize("checkpoint", ["state.pt", "own.pt"])
def test_a_trained_sequential_becomes_a_circuit_both_ways(taught, tmp_path, checkpoint):
    command = ["verify", taught / checkpoint, "--inputs", taught / "x.npy", "--reference", taught / "y.npy"]
    result = CliRunner().invoke(app, [*map(str, command), "--json", str(tmp_path / "gap.json")])
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "gap.json").read_text())
    assert report["model"]["family"] == "mlp"
    assert report["gap"]["relative_rmse"] < 1e-9
    assert report["external_gap"]["relative_rmse"] < 1e-5  # the module is single precision


@pytest.mark.slow
def test_state_dict_and_module_are_the_same_network(taught):
    x = torch.from_numpy(np.load(taught / "x.npy"))
    both = [load(taught / name).model(x) for name in ("state.pt", "own.pt")]
    assert torch.equal(*both)


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.parametrize("name", ["devices", "normalised"])
def test_both_engines_agree_on_an_imperfect_one(name, tmp_path):
    model = NETWORKS[name]()
    save(model, tmp_path / "model.pt")
    np.save(tmp_path / "x.npy", samples(3)[:4])
    set_ = ("tia.gain=1000", "devices.area_sigma=0.05", "devices.shift_sigma_v=0.01", "clippers.knee_v=0.01")
    words = [word for text in set_ for word in ("--set", text)]
    command = ["verify", tmp_path / "model.pt", "--inputs", tmp_path / "x.npy", "--cross-check", "4", *words]
    result = CliRunner().invoke(app, [*map(str, command), "--json", str(tmp_path / "gap.json")])
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "gap.json").read_text())
    assert report["gap"]["relative_rmse"] > 1e-4
    assert report["cross_check"]["passed"] is True


@pytest.mark.slow
def test_it_settles_as_any_circuit_of_crossbars(tmp_path):
    save(NETWORKS["rectified"](), tmp_path / "model.pt")
    np.save(tmp_path / "x.npy", samples(3)[:2])
    command = ["settle", tmp_path / "model.pt", "--inputs", tmp_path / "x.npy", "--set", "tia.gbw_hz=1e6"]
    result = CliRunner().invoke(app, [*map(str, command), "--engine", "batched"])
    assert result.exit_code == 0, result.output
    assert "l4.crossbar" in result.output
