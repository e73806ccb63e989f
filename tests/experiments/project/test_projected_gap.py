"""The gap of a network of devices from the learnt one: kept in its checkpoint, told beside the circuit's, a cause."""

import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import torch

import kanspice
from kanspice.base.errors import InputError
from kanspice.experiments.verify.document import to_json
from kanspice.experiments.verify.reading import from_json
from kanspice.families.edgekan.layers import GottliebSpec
from kanspice.families.edgekan.network import EdgeKAN

INPUTS = np.random.default_rng(7).uniform(0, 1, (12, 3))
FILES = Path(__file__).resolve().parents[2] / "families" / "kan_files"


def learnt(norm):
    torch.manual_seed(2)
    specs = [GottliebSpec(inputs=3, outputs=4, degree=3), GottliebSpec(inputs=4, outputs=2, degree=2)]
    model = EdgeKAN(specs, norm=norm)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape))
    return model.eval()


def projected(norm="none", inputs=INPUTS):
    return kanspice.project(learnt(norm), inputs, ["z21"], resistor=True, constant=True)


def verified(network, inputs=INPUTS, **options):
    return kanspice.verify(network, inputs, engine="batched", **options)


def stages(network, inputs):
    with torch.no_grad():
        return {name: values.numpy() for name, values in network.stages(torch.from_numpy(inputs)).items()}


def rms(values):
    return float(np.sqrt(np.mean(values**2)))


def test_the_checkpoint_keeps_the_learnt_network_to_the_last_bit(tmp_path):
    result = projected("layer")
    result.save(tmp_path / "out.pt")
    kept = kanspice.load(tmp_path / "out.pt").model.original
    assert np.array_equal(kept.outputs(INPUTS), result.reference)
    kanspice.save(kanspice.load(tmp_path / "out.pt").model, tmp_path / "again.pt")
    assert (tmp_path / "again.pt").read_bytes() == (tmp_path / "out.pt").read_bytes()
    assert kanspice.load(tmp_path / "out.pt").parameters == sum(each.numel() for each in result.network.parameters())


def test_the_kept_network_does_not_change_with_the_one_that_was_given():
    model = learnt("none")
    network = kanspice.project(model, INPUTS, ["z21"], resistor=True).network
    before = network.original.outputs(INPUTS)
    with torch.no_grad():
        model.edge_layers[0].coeffs.mul_(2)
    assert np.array_equal(network.original.outputs(INPUTS), before)


@pytest.mark.parametrize(("norm", "shift"), [("none", 0.0), ("none", -0.7), ("layer", 0.0)])
def test_network_and_circuit_are_held_against_the_learnt_network(norm, shift):
    """With every number found again from the two torch modules alone, at a first layer of resistors, too."""
    inputs = INPUTS + shift
    network, model = projected(norm, inputs).network, learnt(norm)
    gap = verified(network, inputs, set={"devices.area_sigma": 0.05})
    theirs, ours = stages(model, inputs), stages(network, inputs)
    outputs, made = list(theirs.values())[-1], list(ours.values())[-1]
    scale = np.sqrt(np.mean(np.var(made, axis=0)))
    found = gap.projection
    assert found.made.rmse == pytest.approx(rms(made - outputs), rel=1e-12)
    assert found.made.relative_rmse == pytest.approx(rms(made - outputs) / scale, rel=1e-12)
    assert found.whole.rmse == pytest.approx(rms(gap.outputs - outputs), rel=1e-12)
    assert found.whole.max_abs == pytest.approx(np.abs(gap.outputs - outputs).max(), rel=1e-12)
    # Hidden nodes lie at 0 to 1.4 V, where the learnt network's range on the samples is mapped onto that.
    first, place = theirs["l1.layer"], "l2" if shift else "l1"
    hidden = theirs.get("l1.norm", first)
    low, span = hidden.min(axis=0), np.ptp(hidden, axis=0)
    volts = ours[f"{place}.crossbar" if norm == "none" else f"{place}.norm"]
    arrived = volts / 1.4 * span + low
    made_first = arrived if norm == "none" else ours[f"{place}.crossbar"]
    with torch.no_grad():
        own = model.edge_layers[1](torch.from_numpy(arrived)).numpy()
    assert [layer.name for layer in found.layers] == ["l1", "l2"]
    assert found.layers[0].gap.rmse == pytest.approx(rms(made_first - first), rel=1e-9)
    assert found.layers[0].added.rmse == pytest.approx(rms(made_first - first), rel=1e-9)
    assert found.layers[1].gap.rmse == pytest.approx(rms(made - outputs), rel=1e-9)
    assert found.layers[1].added.rmse == pytest.approx(rms(made - own), rel=1e-9)


def test_projection_is_a_cause_whose_share_is_shapleys():
    """Of all six orders in which two imperfections and projection join, each circuit verified by itself."""
    network = projected().network
    settings = {"devices.area_sigma": 0.1, "tia.gain": 100.0}
    outputs, names = network.original.outputs(INPUTS), [*settings, "projection"]

    def error(some):
        circuit = verified(network, set={name: settings[name] for name in settings if name in some})
        return rms(circuit.outputs - (outputs if "projection" in some else circuit.reference)) ** 2

    value = {some: error(some) for order in permutations(names) for some in map(frozenset, heads(order))}
    whole, nothing = value[frozenset(names)], value[frozenset()]
    gap = verified(network, set=settings, attribute=True)
    for name in names:
        joins = [
            value[frozenset(order[: order.index(name) + 1])] - value[frozenset(order[: order.index(name)])]
            for order in permutations(names)
        ]
        cause = next(each for each in gap.causes if each.name == name)
        assert cause.share.fraction == pytest.approx(np.mean(joins) / whole, abs=1e-9)
        assert cause.alone.gap.rmse == pytest.approx(np.sqrt(value[frozenset([name])]), rel=1e-9)
        assert cause.without.gap.rmse == pytest.approx(np.sqrt(value[frozenset(names) - {name}]), rel=1e-9)
    shares = [cause.share.fraction for cause in gap.causes if cause.name in names]
    assert sum(shares) == pytest.approx(1 - nothing / whole)
    assert gap.attribution.trials == 4
    assert gap.attribution.relative_rmse == pytest.approx(gap.projection.whole.relative_rmse)


def heads(order):
    return (order[:length] for length in range(len(order) + 1))


def test_reports_keep_it_and_other_networks_have_none(tmp_path):
    gap = verified(projected().network, attribute=True)
    again = from_json(to_json(gap), "g.json")
    assert (again.projection.made, again.projection.whole) == (gap.projection.made, gap.projection.whole)
    assert [each.added.rmse for each in again.projection.layers] == [each.added.rmse for each in gap.projection.layers]
    assert again.causes[0].name == "projection"
    assert "from those of the learnt network, by" in gap.page().answer.text
    network = kanspice.KANalogue([3, 2], [kanspice.load_device("z21")], norm="none")
    assert verified(network).projection is None
    assert '"projection"' not in to_json(verified(network))


def test_the_distance_from_the_learnt_network_can_be_limited_and_studied(tmp_path):
    result = projected()
    result.save(tmp_path / "out.pt")
    np.save(tmp_path / "x.npy", INPUTS)
    settings = {"devices.area_sigma": 0.05}
    gap = verified(tmp_path / "out.pt", set=settings, seed=1, max={"learnt_relative_rmse": 1e-3})
    whole = gap.projection.whole.relative_rmse
    assert (gap.limits[0].value, gap.exit_code) == (whole, 1)
    study = kanspice.study(
        tmp_path / "out.pt",
        tmp_path / "x.npy",
        tmp_path / "s",
        set=settings,
        trials=2,
        cross_check=0,
        max={"learnt_relative_rmse": whole * 1.0001},
    )
    found = {draw.seed: draw.metrics["learnt_relative_rmse"] for draw in study.points[0].draws}
    for seed, value in found.items():
        again = verified(tmp_path / "out.pt", set=settings, seed=seed)
        assert value == pytest.approx(again.projection.whole.relative_rmse, rel=1e-9)
    network = kanspice.KANalogue([3, 2], [kanspice.load_device("z21")], norm="none")
    with pytest.raises(InputError, match="holds no learnt one"):
        verified(network, max={"learnt_relative_rmse": 1e-3})


def test_samples_without_an_answer_of_the_learnt_network_are_in_no_figure_of_projection():
    network = kanspice.project(
        FILES / "efficient_kan_state.pth", FILES / "inputs.npy", ["z21"], resistor=True, constant=True
    ).network
    inputs = np.load(FILES / "inputs.npy").astype(float)[:6]
    expected = verified(network, inputs[:5]).projection.made.rmse

    def holed(x, stages=network.original.network.stages):
        found = stages(x)
        last = list(found)[-1]
        return {**found, last: torch.where(torch.arange(len(x))[:, None] == 5, torch.nan, found[last])}

    network.original.network.stages = holed
    limit = {"learnt_relative_rmse": 10.0}
    gap = verified(network, inputs, attribute=True, set={"tia.gain": 100.0}, max=limit)
    assert (gap.projection.samples, gap.exit_code) == (5, 3)
    assert "(over 5 of 6 samples)" in gap.page().answer.text
    assert gap.projection.made.rmse == pytest.approx(expected)
    assert gap.attribution.samples == 5
    assert any("the learnt network has no finite answer for 1 sample:" in note for note in gap.notes)


def changed(tmp_path, change):
    """The checkpoint's content with something in it changed, loaded."""
    projected().save(tmp_path / "out.pt")
    content = torch.load(tmp_path / "out.pt", weights_only=True)
    change(content)
    torch.save(content, tmp_path / "out.pt")
    with pytest.raises(InputError) as caught:
        kanspice.load(tmp_path / "out.pt")
    return str(caught.value)


def test_a_kept_network_that_is_none_is_refused(tmp_path):
    assert "maps.0.gain has a zero" in changed(tmp_path, lambda held: held["state"]["original.maps.0.gain"].zero_())
    assert "not finite" in changed(tmp_path, lambda held: held["state"]["original.layers.0.coeffs"].fill_(torch.nan))
    assert "original.layers.1.alpha" in changed(tmp_path, lambda held: held["state"].pop("original.layers.1.alpha"))

    def mapped(held):
        held["config"] = held["config"].replace('"mapped": false', '"mapped": true')

    assert "'original' is not what this network can have been made of" in changed(tmp_path, mapped)

    def without(held):
        config = json.loads(held["config"])
        del config["original"]
        held["config"] = json.dumps(config)

    assert "tensors are not those of the network" in changed(tmp_path, without)
