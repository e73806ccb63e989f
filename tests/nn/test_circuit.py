"""The circuit as a torch module: its answers are the engine's, its gradients those of central differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from circuits import LINE, PEAK, inputs_for, network, technology
from connections import inputs_for as values_for
from connections import memkan, phykan
from gradients import error_of
from hypothesis import example, given, settings
from hypothesis import strategies as st
from images import cnnkan, images_for

from kanspice.base.draws import Draw
from kanspice.base.errors import InputError
from kanspice.base.traced import is_tracing, traced
from kanspice.devices import load_device
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve
from kanspice.families import compile_model, sizing_for
from kanspice.families.loading import loaded_from
from kanspice.families.mlp.network import MLP
from kanspice.nn import Circuit
from kanspice.nn.values import part, part_names
from kanspice.technology import load_technology

IMPERFECT = (
    *("tia.gain=300", "tia.output_ohm=2e4", "tia.offset_v=1e-3", "tia.offset_sigma_v=0.005", "tia.feedback_sigma=0.01"),
    *("tia.input_bias_a=1e-9", "devices.area_sigma=0.05", "devices.area_added_sigma=0.01"),
    *("devices.current_per_k=0.002", "devices.temperature_c=40.0", "references.current_sigma=0.01"),
    *("references.clip_sigma=0.01", "clippers.knee_v=0.02"),
)
BY_KEY = (
    *("units.v_unit_v", "units.i_unit_a", "tia.gain", "tia.output_ohm", "tia.rail_v", "tia.headroom", "tia.offset_v"),
    *("tia.offset_sigma_v", "tia.feedback_sigma", "devices.area_sigma", "devices.area_added_sigma"),
    *("devices.current_per_k", "devices.temperature_c", "references.current_sigma", "clippers.knee_v"),
)
NO_PART_OF_IT = ("rail_v", "column_swing_v", "feedback_f", "junction_f", "row_f", "column_f", "input_v_per_unit")


def small(norm="batch", seed=0):
    """A network of published curves, whose layers see each other: rows of the second are seldom at its clip."""
    model = network([3, 4, 2], [load_device("z21"), load_device("a21")], norm=norm, seed=seed)
    with torch.no_grad():
        if norm == "none":
            model.crossbars[0].coeffs *= 0.1
            model.crossbars[0].bias.fill_(0.5)
        else:
            model.norms[0].weight.fill_(0.3)
            model.norms[0].bias.fill_(0.5)
    return model


def circuit_of(model, inputs, *overrides, **options):
    circuit = Circuit(model, technology(*overrides), inputs, **{"prove_states": False} | options)
    for parameter in circuit.network.parameters():
        parameter.requires_grad_(requires_grad=False)
    return circuit


def key(circuit, name):
    section, _, field = name.partition(".")
    return torch.tensor(float(getattr(getattr(circuit.technology, section), field)), dtype=torch.float64)


def test_answers_are_those_of_the_engine_to_the_last_bit():
    model = small()
    inputs = inputs_for(model, 30)
    loaded, tech = loaded_from(model), technology(*IMPERFECT)
    design = compile_model(loaded, tech, sizing_for(loaded, tech, inputs), Draw(3))
    found = solve("batched", design, inputs, "device", RunOptions())
    expected = found.stage_v["l2.crossbar"] / design.stages[-1].output_v_per_unit
    circuit = Circuit(model, tech, inputs)
    assert np.array_equal(circuit(torch.from_numpy(inputs), 3).detach().numpy(), expected)
    with torch.no_grad():
        assert np.array_equal(circuit(torch.from_numpy(inputs), 3).numpy(), expected)


@pytest.mark.parametrize("name", BY_KEY)
def test_by_a_key_of_the_technology(name):
    model = small()
    circuit = circuit_of(model, inputs_for(model, 12), *IMPERFECT)
    value = key(circuit, name)
    assert error_of(circuit, inputs_for(model, 8, seed=1), value, keys={name: value}) < 1e-6


BENT = ("devices.series_ohm=300", "devices.voltage_per_k=0.001")
WIRED = ("wires.row_ohm=20", "wires.column_ohm=20", "wires.driver_ohm=100")


@pytest.mark.parametrize("others", [(), WIRED], ids=["", "wires"])
@pytest.mark.parametrize("name", ["devices.series_ohm", "devices.voltage_per_k", "devices.temperature_c"])
def test_by_what_bends_the_curves_of_devices(name, others):
    model = small()
    circuit = circuit_of(model, inputs_for(model, 12), *IMPERFECT, *BENT, *others, "devices.shift_sigma_v=0.003")
    value = key(circuit, name)
    assert error_of(circuit, inputs_for(model, 8, seed=1), value, keys={name: value}) < 1e-6
    assert value.grad is not None and bool(value.grad)


@pytest.mark.parametrize("tech", ["typical", "pessimistic"])
@pytest.mark.parametrize("used_for", ["columns", "all"])
def test_general_technologies_have_gradients_by_every_number(tech, used_for):
    """Feedback capacitors are chosen by a search, and nothing that settles depends on them."""
    model = small()
    inputs = torch.from_numpy(inputs_for(model, 5))
    circuit = Circuit(model, load_technology(tech, [f"tia.used_for={used_for}"]), inputs.numpy(), prove_states=False)
    keys = {}
    for section in circuit.technology.sections:
        for name, value in getattr(circuit.technology, section):
            if isinstance(value, float) and 0 <= value < np.inf:
                keys[f"{section}.{name}"] = torch.tensor(value, dtype=torch.float64, requires_grad=True)
    outputs = circuit(inputs, 1, keys=keys)
    assert np.array_equal(outputs.detach().numpy(), circuit(inputs, 1).detach().numpy())
    outputs.sum().backward()
    there = {name for name, value in keys.items() if value.grad is not None and bool(value.grad)}
    assert {"tia.gain", "wires.row_ohm", "devices.series_ohm", "devices.area_sigma", "clippers.knee_v"} < there


def test_by_units_where_devices_are_behind_resistances():
    model = small()
    inputs = inputs_for(model, 8, seed=1)
    circuit = circuit_of(model, inputs, "tia.gain=300", *BENT)
    values = {name: key(circuit, name) for name in ("units.i_unit_a", "units.v_unit_v")}
    for name, value in values.items():
        assert error_of(circuit, inputs, value, keys={name: value}) < 1e-6


def test_the_curves_of_a_convolution_bend_too():
    model = cnnkan()
    images = images_for(model, 3)
    circuit = circuit_of(model, images, "tia.gain=300", "devices.temperature_c=40.0", *BENT)
    value = key(circuit, "devices.series_ohm")
    assert error_of(circuit, images, value, keys={"devices.series_ohm": value}) < 1e-6


def test_a_resistance_that_is_not_there_yet_has_a_gradient():
    """Of one side: a resistance below 0 is none."""
    model = small()
    inputs = torch.from_numpy(inputs_for(model, 8, seed=1))
    circuit, value = circuit_of(model, inputs.numpy(), "tia.gain=300"), torch.zeros(()).requires_grad_()
    circuit(inputs, keys={"devices.series_ohm": value}).sum().backward()
    with torch.no_grad():
        before, one, two = (
            float(circuit(inputs, keys={"devices.series_ohm": torch.tensor(ohm)}).sum()) for ohm in (0.0, 1.0, 2.0)
        )
    assert value.grad is not None
    assert float(value.grad) == pytest.approx(2 * (one - before) - (two - before) / 2, rel=1e-5)


def test_shifts_that_are_not_there_yet_have_a_gradient():
    """They are drawn for whoever asks what they would do."""
    model = small()
    inputs = inputs_for(model, 8, seed=1)
    circuit = circuit_of(model, inputs, "tia.gain=300")
    value = key(circuit, "devices.shift_sigma_v")
    assert float(value) == 0.0
    assert error_of(circuit, inputs, value, keys={"devices.shift_sigma_v": value}) < 1e-5


def test_by_every_part_of_a_specimen():
    model = small()
    inputs = inputs_for(model, 8, seed=1)
    circuit = circuit_of(model, inputs_for(model, 12), *IMPERFECT, "devices.shift_sigma_v=0.003", "tia.swing_v=3.0")
    errors = {}
    for name in part_names(circuit.design(0)):
        value = part(circuit.design(0), name)
        if name.rpartition(".")[2] in (*NO_PART_OF_IT, "driver_ohm", "row_ohm", "column_ohm") or not value.any():
            continue
        if bool(torch.isfinite(value).all()):
            errors[name] = error_of(circuit, inputs, value, parts={name: value})
    assert {"l1.crossbar.area", "l1.crossbar.shift_v", "l2.crossbar.swing_v", "l1.input.knee_v"} < set(errors)
    assert max(errors.values()) < 1e-6, errors


def test_parts_that_are_ideal_so_far():
    """Columns at 0 V do move with an offset, though an engine need not look at them as long as there is none."""
    model = small()
    inputs = inputs_for(model, 8, seed=1)
    circuit = circuit_of(model, inputs, "clippers.knee_v=0.02")
    for name in ("l1.crossbar.offset_v", "l2.crossbar.shift_v"):
        value = part(circuit.design(0), name)
        assert not value.any()
        assert error_of(circuit, inputs, value, parts={name: value}, scale=0.01) < 1e-6


def test_by_areas_of_devices_that_there_are_none_of():
    model = small()
    with torch.no_grad():
        model.crossbars[0].coeffs[:, :, 1] = 0.0
    inputs = inputs_for(model, 8, seed=1)
    circuit = circuit_of(model, inputs, "tia.gain=300", "tia.offset_v=0.002", "clippers.knee_v=0.02")
    value = part(circuit.design(0), "l1.crossbar.area")
    assert (
        error_of(circuit, inputs, value, parts={"l1.crossbar.area": value}, scale=0.01) < 1e-5
    )  # there is a corner at 0, where differences converge more slowly


@pytest.mark.parametrize("norm", ["batch", "layer", "none"])
def test_by_what_the_network_was_trained_to(norm):
    model = small(norm=norm)
    inputs = inputs_for(model, 8, seed=1)
    circuit = circuit_of(model, inputs_for(model, 12), *IMPERFECT)
    for parameter in circuit.network.parameters():
        assert error_of(circuit, inputs, parameter, seed=5) < 1e-6


def test_by_the_inputs():
    model = small()
    circuit = circuit_of(model, inputs_for(model, 12), *IMPERFECT)
    inputs = torch.from_numpy(inputs_for(model, 8, seed=1))
    assert error_of(circuit, inputs, inputs, scale=1.0) < 1e-6


TECHNOLOGIES = st.fixed_dictionaries(
    {
        "tia.gain": st.sampled_from(["inf", "5", "40", "1e3"]),
        "tia.swing_v": st.sampled_from(["inf", "0.5", "2.5"]),
        "tia.offset_sigma_v": st.sampled_from(["0", "0.02"]),
        "tia.used_for": st.sampled_from(["columns", "all"]),
        "tia.output_ohm": st.sampled_from(["0", "200"]),
        "devices.area_sigma": st.sampled_from(["0", "0.3"]),
        "clippers.circuit": st.sampled_from(["diodes", "rectifiers"]),
        "clippers.knee_v": st.just("0.03"),
    }
)


@settings(deadline=None, max_examples=10)
@given(drawn=TECHNOLOGIES, seed=st.integers(0, 20))
@example(
    drawn={"tia.gain": "inf", "tia.swing_v": "0.5", "tia.used_for": "all", "devices.shift_sigma_v": "0.01"}, seed=17
)
def test_random_technologies(drawn, seed):
    model = small(seed=seed)
    inputs = inputs_for(model, 6, seed=seed + 1)
    overrides = [f"{name}={value}" for name, value in drawn.items()]
    circuit = circuit_of(model, inputs_for(model, 12), *overrides, prove_states=True)  # those with several jump
    values = [parameter for parameter in circuit.network.parameters() if parameter.any()]
    assert error_of(circuit, inputs, *values, seed=seed) < 1e-6


def test_perceptrons():
    torch.manual_seed(0)
    layers = torch.nn.Linear(3, 5), torch.nn.BatchNorm1d(5), torch.nn.ReLU(), torch.nn.Linear(5, 2)
    model = MLP([layer.double() for layer in layers])
    inputs = np.random.default_rng(0).normal(size=(8, 3))
    circuit = circuit_of(model, inputs, "tia.gain=300", "devices.area_sigma=0.05", "clippers.knee_v=0.02")
    for parameter in circuit.network.parameters():
        assert error_of(circuit, inputs, parameter) < 1e-6


@pytest.mark.parametrize("layout", ["reused", "unrolled"])
def test_convolutions(layout):
    model = cnnkan()
    images = images_for(model, 3)
    circuit = circuit_of(model, images, "tia.gain=300", "devices.area_sigma=0.05", f"convolution.layout={layout}")
    assert error_of(circuit, images, *circuit.network.parameters()) < 1e-6


@pytest.mark.parametrize(
    ("make", "overrides"),
    [
        (phykan, ("filters.component_sigma=0.02", "filters.gain_sigma=0.02", "filters.hold_s=1e-3")),
        (memkan, ("synapses.current_sigma=0.02", "synapses.alpha_sigma=0.02", "synapses.resistance_sigma=0.02")),
    ],
)
def test_connections(make, overrides):
    model = make()
    inputs = values_for(model, 8)
    circuit = circuit_of(model, inputs, *overrides)
    for parameter in circuit.network.parameters():
        if parameter.any():
            assert error_of(circuit, inputs, parameter) < 1e-6
    name = overrides[0].partition("=")[0]
    value = key(circuit, name)
    assert error_of(circuit, inputs, value, keys={name: value}) < 1e-6


def test_samples_without_a_result_are_none_and_take_no_part():
    model = network([2, 2, 2], [PEAK, LINE], input_stage="None", norm="none")
    circuit = circuit_of(model, np.array([[0.1, 0.1]]), "tia.gain=1000")
    inputs = torch.tensor([[0.1, 0.1], [9.0, 9.0]], dtype=torch.float64).requires_grad_()
    outputs = circuit(inputs)
    assert [failure.index for failure in circuit.failed] == [1]
    assert bool(torch.isnan(outputs[1]).all())
    assert bool(torch.isfinite(outputs[0]).all())
    torch.nansum(outputs).backward()
    assert inputs.grad is not None
    assert bool(inputs.grad[0].any())
    assert not inputs.grad[1].any()


def test_what_has_no_gradient_is_refused(monkeypatch):
    model = small()
    inputs = inputs_for(model, 5)
    circuit, one = circuit_of(model, inputs, "tia.gain=300"), torch.tensor(1.0)
    for name in ("tia.gian", "tia", "clippers.circuit", "devices.area_levels"):
        with pytest.raises(InputError, match=f"no gradient by '{name}'"):
            circuit(torch.from_numpy(inputs), keys={name: one})
    with pytest.raises(InputError, match=r"no stage 'l9\.crossbar'"):
        circuit(torch.from_numpy(inputs), parts={"l9.crossbar.area": one})
    with pytest.raises(InputError, match="another shape"):
        circuit(torch.from_numpy(inputs), parts={"l1.crossbar.area": one})
    with pytest.raises(InputError, match="another shape"):
        circuit(torch.ones((2, 9)))
    design = circuit.design()
    monkeypatch.setattr("kanspice.nn.module.with_parts", lambda *_: float(traced(one)) if is_tracing() else design)
    with pytest.raises(InputError, match=r"no gradient is known by tia\.gain"):
        circuit(torch.from_numpy(inputs), keys={"tia.gain": one})


def test_an_answer_on_another_device_or_of_other_numbers_is_there_and_of_them():
    model = small()
    inputs = torch.from_numpy(inputs_for(model, 4))
    circuit = circuit_of(model, inputs.numpy(), "tia.gain=300")
    whole = circuit(inputs)
    assert whole.dtype == torch.float64
    assert torch.equal(circuit.train()(inputs), whole)
    assert not any(part.training for part in circuit.network.modules())
    assert torch.equal(circuit(inputs.to(torch.float32).to(torch.float64)), circuit(inputs.to(torch.float32)))
