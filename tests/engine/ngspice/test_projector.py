"""Projectors of KirchhoffNets: a digital layer after the read-out, outside the circuit, with both engines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from kanspice.base.errors import InputError
from kanspice.circuit import DigitalLayer, load_design, save_design
from kanspice.circuit.bounds import output_bounds_v
from kanspice.circuit.file import design_bytes
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve
from kanspice.experiments.compile import read_compiled, write_compiled
from kanspice.experiments.verify.run import Evidence, VerifyOptions, verify
from kanspice.families import compile_model, load, save
from kanspice.families.common.following import reference_stages
from kanspice.families.compiling import sizing_of
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import FullyConnected
from kanspice.gap import decoded_outputs
from kanspice.technology import load_technology

pytestmark = pytest.mark.slow

INPUTS = np.random.default_rng(0).normal(size=(6, 2))
WEIGHT, BIAS = np.array([[3.0, -2.0], [0.0, 1.0], [-7.0, 0.5]]), np.array([0.5, -1.0, 40.0])
LEAK = "kirchhoffnet.leak_ohm=3e6"
MONOLITHIC = "switches.mode=monolithic"
ENGINES = ["batched", pytest.param("ngspice", marks=pytest.mark.ngspice)]


@pytest.fixture
def loaded(tmp_path):
    topology = FullyConnected(num_node=4).build()
    thetas = [0.5 * torch.randn(3, topology.edges, generator=torch.Generator().manual_seed(2))]
    projector = {"weight": torch.tensor(WEIGHT), "bias": torch.tensor(BIAS)}
    branch = branch_function("ShiftTanh2", {}, "here")
    model = KirchhoffNet(
        [topology], [1.0], branch, input_width=2, readout="last2", projector=projector, thetas=thetas
    ).eval()
    save(model, tmp_path / "model.pt")
    return load(tmp_path / "model.pt")


def circuit(loaded, *overrides):
    return compile_model(loaded, load_technology(None, overrides), sizing_of(loaded.model, INPUTS))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("overrides", [["units.v_unit_v=0.2"], [MONOLITHIC]])
def test_both_engines_compute_what_torch_computes(engine, overrides, loaded):
    expected, design = reference_stages(loaded.model, INPUTS), circuit(loaded, *overrides)
    solution = solve(engine, design, INPUTS, "device", RunOptions(steps=400))
    for stage in design.stages:
        found = solution.stage_v[stage.name] / stage.output_v_per_unit
        np.testing.assert_allclose(found, expected[stage.compares_to], rtol=0, atol=2e-5)
    outputs = decoded_outputs(design, solution)
    np.testing.assert_allclose(outputs, expected["readout"] @ WEIGHT.T + BIAS, rtol=0, atol=2e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_read_out_is_converted_and_noisy_before_it(engine, loaded):
    design = circuit(loaded, "converters.adc_bits=3", "kirchhoffnet.noise_k=300", "kirchhoffnet.capacitance_f=1e-18")
    solution = solve(engine, design, INPUTS, "device", RunOptions(steps=100))
    read_v = solution.stage_v["readout"]
    expected = reference_stages(loaded.model, INPUTS)["readout"]
    assert (design.adc.low_v, design.adc.high_v) == (expected.min(), expected.max())
    assert np.abs(read_v - expected).max() > 0.01  # kT/C: 64 mV
    np.testing.assert_allclose(solution.stage_v["projector"], read_v @ WEIGHT.T + BIAS, rtol=0, atol=1e-12)
    levels = design.adc.convert(read_v)
    assert len(np.unique(levels)) <= 8
    np.testing.assert_allclose(decoded_outputs(design, solution), levels @ WEIGHT.T + BIAS, rtol=0, atol=1e-12)


def test_gap_and_accuracy_are_of_the_final_outputs(loaded):
    expected = reference_stages(loaded.model, INPUTS)
    labels = expected["projector"].argmax(axis=1)
    evidence = Evidence(INPUTS, labels=labels, external=expected["projector"])
    result = verify(loaded, load_technology(None, [LEAK]), evidence, VerifyOptions(engine="batched"))
    assert [stage.name for stage in result.stages] == ["l1.period", "readout", "projector"]
    readout, projector = result.stages[1:]
    read_v = solve("batched", circuit(loaded, LEAK), INPUTS, "device", RunOptions()).stage_v["readout"]
    np.testing.assert_allclose(result.outputs, read_v @ WEIGHT.T + BIAS, rtol=0, atol=1e-12)
    assert projector.gap.rmse == pytest.approx(result.gap.rmse)
    assert projector.gap.rmse > 2 * readout.gap.rmse > 0.01
    assert projector.added.max_abs < 1e-12
    assert result.external_gap.max_abs == 0
    assert result.accuracy == {"reference": 1.0, "circuit": 1.0}
    assert (
        sum("digital linear layer outside the circuit makes 3 outputs of the 2 voltages" in n for n in result.notes)
        == 1
    )


def test_the_circuit_ends_with_the_read_out(loaded, tmp_path):
    design = circuit(loaded)
    manifest = write_compiled(design, "device", tmp_path / "circuit")
    assert [stage["kind"] for stage in manifest["stages"]] == ["OdePeriod", "ReadOut", "DigitalLayer"]
    assert len(manifest["outputs"]["nodes"]) == 2
    assert "projector" not in (tmp_path / "circuit" / "nodes.csv").read_text()
    assert design_bytes(read_compiled(tmp_path / "circuit").design) == design_bytes(design)


def test_no_output_is_larger_than_possible(loaded):
    design = circuit(loaded)
    bounds_v = output_bounds_v(design, np.abs(INPUTS).max(axis=0))
    least_v = bounds_v["readout"] @ np.abs(WEIGHT).T + np.abs(BIAS)
    np.testing.assert_allclose(bounds_v["projector"], least_v, rtol=2e-3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight": np.zeros((3, 3))}, "does not fit"),
        ({"offset_v": np.zeros((3, 1))}, "does not fit"),
        ({"weight": np.zeros((2, 0)), "offset_v": np.zeros(0)}, "does not fit"),
        ({"weight": np.full((2, 3), np.nan)}, "not finite"),
        ({"unit_v": 0.0}, "does not fit"),
        ({"name": "readout"}, "same name"),
    ],
)
def test_a_strangers_projector_is_refused(changes, message, loaded, tmp_path):
    design = circuit(loaded)
    save_design(replace(design, stages=(*design.stages[:-1], replace(design.digital, **changes))), tmp_path / "d.npz")
    with pytest.raises(InputError, match="is not a kanspice design") as caught:
        load_design(tmp_path / "d.npz")
    assert message in caught.value.found


def test_digital_layers_are_nowhere_else_in_a_design(loaded, tmp_path):
    period, readout, digital = circuit(loaded).stages
    square = DigitalLayer("projector", "projector", np.eye(3), np.zeros(3), 1.0)
    for stages in [(period, square, readout), (period, digital), (digital, period, readout)]:
        save_design(replace(circuit(loaded), stages=stages), tmp_path / "d.npz")
        with pytest.raises(InputError, match="is not a kanspice design"):
            load_design(tmp_path / "d.npz")
