"""KANs made of devices: least squares against other code, what is folded where, and what cannot be projected."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from json_schemas import hold
from typer.testing import CliRunner

import kanspice
from kanspice.base.errors import InputError
from kanspice.cli.commands import app
from kanspice.experiments.project.document import projection_json
from kanspice.experiments.project.fit import edge_errors, fitted
from kanspice.families.common.following import reference_stages
from kanspice.families.common.network import DivergenceError
from kanspice.families.edgekan.layers import GottliebSpec, SplineSpec, SymbolicEdge
from kanspice.families.edgekan.moments import NodeMap, basis, edge_functions, moments
from kanspice.families.edgekan.network import EdgeKAN
from kanspice.report.blocks import Facts

FILES = Path(__file__).resolve().parents[2] / "families" / "kan_files"
DIODES = ["a21", "z21", "z15", "zaz21"]
INPUTS = np.random.default_rng(7).uniform(0, 1, (40, 3))


def gottlieb(norm="layer"):
    torch.manual_seed(2)
    model = EdgeKAN(
        [GottliebSpec(inputs=3, outputs=4, degree=3), GottliebSpec(inputs=4, outputs=2, degree=2)], norm=norm
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape))
    return model.eval()


def straight():
    """Two layers whose edges are straight lines: -2 x, 0.5 x, ..."""
    specs = [SplineSpec(inputs=i, outputs=o, functions=1, order=0, base="identity") for i, o in ((3, 4), (4, 2))]
    model = EdgeKAN(specs)
    torch.manual_seed(4)
    with torch.no_grad():
        for layer in model.edge_layers:
            layer.base.copy_(torch.randn(layer.base.shape))
            layer.bias.copy_(torch.randn(layer.bias.shape))
    return model.eval()


def outputs(network, inputs):
    return list(reference_stages(network, inputs).values())[-1]


def test_areas_are_those_of_least_squares_on_the_samples():
    layer, devices = gottlieb().edge_layers[0], [kanspice.load_device(name) for name in (*DIODES, "ohmic")]
    found = moments(layer, INPUTS, NodeMap.none(3), devices)
    areas = fitted(found, range(5), constant=True, ridge=0.0)
    curves, functions = basis(devices, INPUTS), edge_functions(layer, INPUTS)
    for source in range(3):
        expected, *_ = np.linalg.lstsq(curves[:, source], functions[:, source], rcond=None)
        np.testing.assert_allclose(areas[source], expected, rtol=1e-6, atol=1e-8)
    residual = functions - np.einsum("sik,ikj->sij", curves, areas)
    np.testing.assert_allclose(edge_errors(found, areas), np.sqrt(np.mean(residual**2, axis=0)), rtol=1e-4)


def test_a_subset_uses_no_other_card_and_no_constant():
    layer, devices = gottlieb().edge_layers[0], [kanspice.load_device(name) for name in DIODES]
    found = moments(layer, INPUTS, NodeMap.none(3), devices)
    areas = fitted(found, [1, 3], constant=False, ridge=1e-4)
    assert not areas[:, [0, 2, 4]].any()
    assert areas[:, [1, 3]].all()


@pytest.mark.parametrize(("scale", "shift", "mapped"), [(1.0, 0.0, False), (2.0, -3.0, True)])
def test_straight_edges_are_resistors_wherever_the_inputs_lie(scale, shift, mapped):
    result = kanspice.project(straight(), INPUTS * scale + shift, ["ohmic"], constant=True, ridge=0.0)
    assert result.gap.relative_rmse < 1e-12
    assert result.inputs_mapped is mapped
    assert len(result.network.crossbars) == 2 + mapped


def test_layer_norm_takes_the_scales_of_the_nodes_and_the_network_is_the_one_that_was_tried():
    model = gottlieb()
    result = kanspice.project(model, INPUTS, DIODES, resistor=True, constant=True)
    assert result.network.norm == "layer"
    assert not result.inputs_mapped
    assert result.subsets[-1].devices == result.devices
    assert result.subsets[-1].relative_rmse == pytest.approx(result.gap.relative_rmse, rel=1e-9)
    off = outputs(result.network, INPUTS) - outputs(model, INPUTS)
    assert result.gap.rmse == pytest.approx(float(np.sqrt(np.mean(off**2))), rel=1e-9)
    assert len(result.subsets) == 2**5 - 1
    assert result.layers[0].exact == pytest.approx(result.layers[0].arrived, rel=1e-9)


def test_hidden_nodes_see_the_devices_range():
    result = kanspice.project(gottlieb("none"), INPUTS, DIODES, constant=True, resistor=True)
    hidden = reference_stages(result.network, INPUTS)["l1.crossbar"]
    assert hidden.min() > -0.1
    assert hidden.max() < 1.5


@pytest.fixture(scope="module")
def tuned():
    return kanspice.project(
        FILES / "pykan_symbolic_state", FILES / "inputs.npy", DIODES, resistor=True, constant=True, fine_tune=20
    )


@pytest.mark.slow
def test_fine_tuning_is_judged_by_samples_that_it_did_not_see(tuned):
    found = tuned.tuning
    assert (found.trained, found.held_out) == (40, 10)
    assert found.unseen.rmse < 0.6 * found.before.rmse
    assert tuned.is_tuned
    off = (outputs(tuned.network, np.load(FILES / "inputs.npy").astype(float)) - tuned.reference)[4::5]
    assert found.unseen.rmse == pytest.approx(float(np.sqrt(np.mean(off**2))), rel=1e-9)


@pytest.mark.slow
def test_fine_tuning_that_only_helps_what_it_saw_is_left_out():
    few = INPUTS[:10]
    result = kanspice.project(gottlieb(), few, DIODES, resistor=True, constant=True, fine_tune=60)
    assert result.tuning.seen.rmse < 0.1 * result.gap.rmse
    assert result.tuning.unseen.rmse > result.tuning.before.rmse
    assert not result.is_tuned
    without = kanspice.project(gottlieb(), few, DIODES, resistor=True, constant=True)
    assert np.array_equal(outputs(result.network, few), outputs(without.network, few))
    (facts,) = (block for block in result.page().sections[0].blocks if isinstance(block, Facts))
    assert "left out" in json.dumps([fact.text for _, fact in facts.known])


@pytest.mark.slow
def test_fine_tuning_makes_no_device_where_there_was_none(tuned):
    first = tuned.network.crossbars[0].coeffs.detach().numpy()
    assert np.count_nonzero(first) == 2
    removed = tuned.network.crossbars[1].coeffs.detach().numpy()[1, 2]
    assert not removed.any()


@pytest.mark.slow
def test_the_checkpoint_says_where_it_is_from_and_has_the_same_bytes_again(tuned, tmp_path):
    again = kanspice.project(
        FILES / "pykan_symbolic_state", FILES / "inputs.npy", DIODES, resistor=True, constant=True, fine_tune=20
    )
    tuned.save(tmp_path / "a.pt")
    again.save(tmp_path / "b.pt")
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()
    notes = kanspice.load(tmp_path / "a.pt").notes
    assert "projected from a KAN (pykan" in notes[0]
    assert f"{tuned.gap.relative_rmse:.3g}" in notes[1]
    assert "fine-tuned for 20 epochs" in notes[2]


@pytest.mark.slow
def test_the_document_keeps_its_contract(tuned):
    hold(projection_json(tuned), "kanspice.projection/1")


@pytest.mark.slow
def test_verify_tells_both_parts_of_the_gap(tuned, tmp_path):
    """The circuit against the network of devices, and that against the learnt one: a gap of its own."""
    tuned.save(tmp_path / "out.pt")
    gap = kanspice.verify(tmp_path / "out.pt", FILES / "inputs.npy", reference=tuned.reference, engine="batched")
    assert gap.gap.relative_rmse < 1e-9
    off = outputs(tuned.network, np.load(FILES / "inputs.npy").astype(float)) - tuned.reference
    assert gap.external_gap.rmse == pytest.approx(float(np.sqrt(np.mean(off**2))), rel=1e-6)
    assert any("projection: relative RMSE" in note for note in gap.notes)


@pytest.mark.ngspice
def test_a_projected_efficient_kan_is_its_circuit_in_ngspice():
    made = kanspice.project(
        FILES / "efficient_kan_state.pth", FILES / "inputs.npy", DIODES, resistor=True, constant=True, limit=10
    )
    gap = kanspice.verify(made.network, FILES / "inputs.npy", limit=10)
    assert gap.gap.relative_rmse < 1e-9


@pytest.mark.reference_data
@pytest.mark.parametrize("name", ["bspline_kan", "gottlieb_kan"])
def test_the_authors_networks_lose_nothing(reference_data, name):
    folder = reference_data / "kanalogue" / "mlp_and_kan" / name
    inputs, labels = folder / "inputs.npy", folder / "labels.npy"
    result = kanspice.project(folder / "best.pth", inputs, DIODES, labels=labels, resistor=True, constant=True)
    assert result.gap.relative_rmse < 0.05
    assert result.accuracy.projected >= result.accuracy.network - 0.01
    gap = kanspice.verify(result.network, inputs, labels=labels, engine="batched", limit=20)
    assert gap.gap.relative_rmse < 1e-9


def refused(*parts, model=None, inputs=INPUTS, devices=DIODES, kind=InputError, **options):
    with pytest.raises(kind) as caught:
        kanspice.project(model or gottlieb(), inputs, devices, **options)
    for part in parts:
        assert part in str(caught.value)


def test_inputs_that_no_device_takes_need_a_resistor():
    refused("beyond what devices see", "-0.4963 to", "--resistor", model=gottlieb("none"), inputs=INPUTS - 0.5)


def test_inputs_before_a_layer_norm_cannot_be_mapped():
    refused("beyond what devices see", "LayerNorm", inputs=INPUTS - 0.5, resistor=True)


@pytest.mark.parametrize("devices", [["a21", "CMTD_A21"], [], ["a21"] * 9])
def test_cards_that_are_no_basis(devices):
    refused("cannot be a basis", "each once", devices=devices)


def test_a_network_without_learnt_edges(tmp_path):
    devices = [kanspice.load_device("z21")]
    refused("no learnt edges", "kanalogue", model=kanspice.KANalogue([3, 2], devices))


def test_too_few_samples_to_fine_tune():
    refused("too few samples", "5 samples or more", devices=["z21"], inputs=INPUTS[:4], fine_tune=3)


def test_as_few_samples_as_functions_of_an_edge():
    refused("too few samples", "more than 5", inputs=INPUTS[:5], constant=True)


@pytest.mark.parametrize("option", ["ridge", "max_edge"])
def test_numbers_that_are_none(option):
    refused(f"--{option.replace('_', '-')}", **{option: float("nan")})


def test_an_edge_without_a_value_for_some_sample():
    edge = SymbolicEdge(source=1, target=0, function="log")
    model = EdgeKAN([SplineSpec(inputs=3, outputs=1, functions=1, order=0, base="zero", symbolic=(edge,))])
    with torch.no_grad():
        model.edge_layers[0].symbolic.copy_(torch.tensor([[1.0, -0.5, 1.0, 0.0]]))
    refused("no finite answer", "l1.layer", model=model, kind=DivergenceError)


def called(*arguments):
    return CliRunner().invoke(app, ["project", *map(str, arguments)])


@pytest.mark.slow
def test_the_command_names_edges_that_the_basis_does_not_fit(tmp_path):
    files = ["--inputs", FILES / "inputs.npy", "-o", tmp_path / "out.pt", "--outputs", tmp_path / "own.npy"]
    written = ["--json", tmp_path / "p.json", "--html", tmp_path / "p.html", "--junit", tmp_path / "p.xml"]
    basis_ = ["--devices", "a21,z21", "--resistor", "--constant", "--max-edge", "0.2"]
    done = called(FILES / "pykan_state", *files, *written, *basis_)
    assert done.exit_code == 1, done.output
    document = json.loads((tmp_path / "p.json").read_text())
    worst = document["beyond"][0]
    assert worst["rmse"] > 0.2
    assert f"l{worst['layer']}: {worst['source']} to {worst['target']}" in done.output
    assert "EdgesNotFitted" in (tmp_path / "p.xml").read_text()
    assert "<img" in (tmp_path / "p.html").read_text()
    assert kanspice.load(tmp_path / "out.pt").family == "kanalogue"
    np.testing.assert_allclose(np.load(tmp_path / "own.npy"), np.load(FILES / "pykan_outputs.npy"), atol=1e-12)


def test_what_is_read_is_not_written_over(tmp_path):
    inputs = tmp_path / "x.npy"
    np.save(inputs, np.load(FILES / "inputs.npy"))
    before = inputs.read_bytes()
    done = called(FILES / "pykan_state", "--inputs", inputs, "--devices", "z21", "--resistor", "-o", inputs)
    assert done.exit_code == 2 or isinstance(done.exception, InputError)
    assert inputs.read_bytes() == before


def test_a_checkpoints_origin_is_plain_text(tmp_path):
    model = kanspice.KANalogue([1, 1], [kanspice.load_device("z21")], norm="none", origin=["\x1b[2J"])
    kanspice.save(model, tmp_path / "m.pt")
    with pytest.raises(InputError, match="origin"):
        kanspice.load(tmp_path / "m.pt")


def test_the_learnt_network_is_never_written_over(tmp_path):
    model, inputs = tmp_path / "model.pth", tmp_path / "inputs.npy"
    model.write_bytes((FILES / "efficient_kan_state.pth").read_bytes())
    np.save(inputs, np.load(FILES / "inputs.npy"))
    for given, written in (
        (model, {"output": model}),
        (kanspice.load(model), {"output": model}),
        (model, {"outputs": inputs}),
    ):
        before = model.read_bytes(), inputs.read_bytes()
        with pytest.raises(InputError, match="would be overwritten"):
            kanspice.project(given, inputs, ["a21"], resistor=True, **written)
        assert (model.read_bytes(), inputs.read_bytes()) == before


def test_labels_must_be_classes_of_the_network():
    with pytest.raises(InputError, match="a label is not a class"):
        kanspice.project(gottlieb(), INPUTS, DIODES, labels=np.full(40, 99))
