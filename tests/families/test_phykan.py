"""PhyKAN: the law of its band-pass connections, the grid of an array, arrays, own checkpoints."""

import json

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from kanspice.base.errors import InputError
from kanspice.families import load, save
from kanspice.families.common.following import reference_stages
from kanspice.families.phykan.arrays import filter_arrays
from kanspice.families.phykan.bandpass import BandConstants, FilterGrid
from kanspice.families.phykan.network import PhyKAN

X = torch.linspace(-1.5, 1.5, 24, dtype=torch.float64).reshape(8, 3)
LOW_HZ, HIGH_HZ = [4e3, 2e4, 1e5], [5e3, 5e4]


def make(widths=(3, 4, 2), filters=2, seed=1, **options):
    """A PhyKAN in eval mode with random filters, thresholds (if any) and one connection less."""
    torch.manual_seed(seed)
    model = PhyKAN(widths, filters, **options)
    with torch.no_grad():
        for layer in model.band_layers():
            layer.raw.normal_()
            if model.thresholding:
                layer.threshold.normal_()
        model.band_layers()[0].mask[1, 2] = 0
    return model.eval()


def complex_outputs(model, x):
    """The network as its equations are written, connection by connection, with complex responses."""
    c, values = model.constants, x.numpy()
    for layer in model.band_layers():
        raw, threshold = layer.raw.detach().numpy(), layer.threshold.detach().numpy()
        p = 1 / (1 + np.exp(-raw / c.sigma))
        s = 1 / (1 + np.exp(-(values - threshold) / c.sigma))
        f = 10 ** (c.frequency_offset + c.frequency_span * s)
        if c.clock_hz is not None:
            f = c.clock_hz / np.pi * np.arctan(np.pi * f / c.clock_hz)
        y = np.zeros((len(values), raw.shape[1]))
        for i, j in np.ndindex(raw.shape[:2]):
            for gain, low, high in p[i, j]:
                low_rc, high_rc = (1 / (2 * np.pi * 10 ** (c.cutoff_offset + c.cutoff_span * q)) for q in (low, high))
                omega = 2j * np.pi * f[:, i]
                response = omega * high_rc / (1 + omega * high_rc) / (1 + omega * low_rc)
                y[:, j] += float(layer.mask[i, j]) * c.gain_span * (gain - c.gain_centre) * np.abs(response)
        values = y
    return values


@pytest.mark.parametrize(
    "constants",
    [
        BandConstants(),
        BandConstants(
            sigma=0.7, frequency_offset=3.69, frequency_span=2.0, clock_hz=None, gain_span=10.0, cutoff_span=3.0
        ),
    ],
)
@pytest.mark.parametrize("thresholding", [False, True])
def test_outputs_are_those_of_the_equations(constants, thresholding):
    model = make(constants=constants, thresholding=thresholding)
    with torch.no_grad():
        np.testing.assert_allclose(model(X).numpy(), complex_outputs(model, X), rtol=1e-12)


def test_stages_are_squashed_values_and_sums():
    model = make(thresholding=True)
    stages = model.stages(X)
    assert list(stages) == ["l1.encoder", "l1.filters", "l2.encoder", "l2.filters"]
    first, second = model.band_layers()
    assert torch.equal(stages["l1.encoder"], torch.sigmoid((X - first.threshold) / 0.5))
    assert torch.equal(stages["l2.encoder"], torch.sigmoid((stages["l1.filters"] - second.threshold) / 0.5))
    assert torch.equal(model(X), stages["l2.filters"])


def test_a_masked_connection_is_not_there():
    model = make((3, 4))
    outputs = model(X)
    with torch.no_grad():
        model.band_layers()[0].raw[1, 2] += 1.0
    assert torch.equal(model(X), outputs)
    assert filter_arrays(model)[0].gain[1, 2].tolist() == [0.0, 0.0]


def test_gradients_reach_filters_and_thresholds_only():
    model = make(thresholding=True)
    model(X).square().sum().backward()
    assert {name for name, _ in model.named_parameters()} == {
        f"layers.{m}.{name}" for m in (0, 1) for name in ("raw", "threshold")
    }
    assert all(float(parameter.grad.abs().max()) > 0 for parameter in model.parameters())
    assert {name.rsplit(".", 1)[-1] for name, _ in make().named_parameters()} == {"raw"}


def test_a_fresh_network_spreads_its_filters():
    torch.manual_seed(0)
    (layer,) = filter_arrays(PhyKAN((2, 2), 3))
    low, high = (np.log10(hz) for hz in (layer.low_hz, layer.high_hz))
    assert (np.diff(low, axis=-1) > 0.3).all()
    assert (np.diff(high, axis=-1) > 0.3).all()
    assert (np.sign(layer.gain) != np.sign(layer.gain[0, 0, 0])).any()


def test_discrete_takes_the_nearest_cut_offs_and_rounds_gains():
    model = make()
    exact, snapped = filter_arrays(model), filter_arrays(model.discrete(LOW_HZ, HIGH_HZ[::-1], gain_step=0.25))
    for before, after in zip(exact, snapped, strict=True):
        for offered, hz, found in (
            (LOW_HZ, before.low_hz, after.low_hz),
            (HIGH_HZ, before.high_hz, after.high_hz),
        ):
            nearest = np.abs(np.subtract.outer(hz, offered)).argmin(axis=-1)
            assert np.array_equal(found, np.array(offered)[nearest])
        assert np.array_equal(after.gain, np.round(before.gain / 0.25) * 0.25)


def test_discrete_is_a_copy_that_can_be_trained():
    model = make()
    snapped = model.discrete(LOW_HZ, HIGH_HZ)
    assert model.grid is None
    snapped(X).sum().backward()
    assert float(snapped.layers[0].raw.grad.abs().max()) > 0
    assert model.layers[0].raw.grad is None


@pytest.mark.parametrize(
    ("low_hz", "high_hz", "gain_step", "message"),
    [
        ([], HIGH_HZ, 0.01, "the low-pass cut-offs cannot be used"),
        (LOW_HZ, [1e3, -1.0], 0.01, "the high-pass cut-offs cannot be used"),
        ([np.nan], HIGH_HZ, 0.01, "the low-pass cut-offs cannot be used"),
        (LOW_HZ, [HIGH_HZ], 0.01, r"the high-pass cut-offs cannot be used(?s:.*)shape \(1, 2\)"),
        (LOW_HZ, HIGH_HZ, 0.0, "the gain step cannot be used"),
    ],
)
def test_grids_that_cannot_be(low_hz, high_hz, gain_step, message):
    with pytest.raises(InputError, match=message):
        FilterGrid(low_hz, high_hz, gain_step)


@pytest.mark.parametrize("discrete", [False, True])
@pytest.mark.parametrize("others", [{}, {"input_sigmoid": False, "normalised": True}])
def test_own_checkpoints_are_complete(tmp_path, discrete, others):
    model = make(thresholding=True, constants=BandConstants(clock_hz=None, gain_span=5.0, squash_limit=1.0), **others)
    for name, parameter in model.named_parameters():
        if name.endswith(("scale", "offset")):
            torch.nn.init.normal_(parameter)
    model = model.discrete(LOW_HZ, HIGH_HZ) if discrete else model
    save(model, tmp_path / "model.pt")
    loaded = load(tmp_path / "model.pt")
    assert (loaded.family, loaded.format) == ("phykan", "kanspice")
    assert loaded.model.constants == model.constants
    assert not loaded.model.training
    expected, found = (reference_stages(m, X.numpy()) for m in (model, loaded.model))
    assert all(np.array_equal(found[name], values) for name, values in expected.items())


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("filters", 3, r"layers\.0\.raw has the wrong shape"),
        ("constants", {"sigma": 0.0}, r"constants\.sigma"),
        ("gain_step", 0.01, r"without grid\.high_hz, grid\.low_hz"),
        ("filters", None, "filters"),
    ],
)
def test_own_checkpoints_that_contradict_themselves(tmp_path, key, value, message):
    save(make(), tmp_path / "model.pt")
    content = torch.load(tmp_path / "model.pt", weights_only=True)
    content["config"] = json.dumps(json.loads(content["config"]) | {key: value})
    torch.save(content, tmp_path / "bad.pt")
    with pytest.raises(InputError, match=message):
        load(tmp_path / "bad.pt")


def test_own_checkpoints_of_before_are_read(tmp_path):
    """Those that do not say whether inputs are squashed and sums normalised."""
    save(make(), tmp_path / "model.pt")
    content = torch.load(tmp_path / "model.pt", weights_only=True)
    config = json.loads(content["config"])
    del config["input_sigmoid"], config["normalised"], config["constants"]["squash_limit"]
    torch.save(content | {"config": json.dumps(config)}, tmp_path / "before.pt")
    assert torch.equal(load(tmp_path / "before.pt").model(X), make()(X))


def test_own_checkpoints_with_a_grid_of_nonsense(tmp_path):
    save(make().discrete(LOW_HZ, HIGH_HZ), tmp_path / "model.pt")
    content = torch.load(tmp_path / "model.pt", weights_only=True)
    content["state"]["grid.low_hz"][1] = -1.0
    torch.save(content, tmp_path / "bad.pt")
    with pytest.raises(InputError, match=r"bad\.pt: the low-pass cut-offs cannot be used"):
        load(tmp_path / "bad.pt")


def test_constants_that_cannot_be():
    with pytest.raises(ValidationError, match="greater than 0"):
        BandConstants(clock_hz=0.0)
    with pytest.raises(ValidationError, match="Extra inputs"):
        BandConstants(gain_scale=3.0)


@pytest.mark.parametrize(("widths", "filters"), [((3,), 2), ((3, 0), 2), ((3, 2), 0), ((3, 2), 1.5)])
def test_networks_that_cannot_be(widths, filters):
    with pytest.raises(InputError, match="cannot be used"):
        PhyKAN(widths, filters)


def test_inputs_that_nothing_squashes_have_an_answer_however_large():
    constants = BandConstants(clock_hz=None)
    model = make(input_sigmoid=False, constants=constants)
    outputs = model(torch.tensor([[0.5, 0.5, 0.5], [1e5, -1e5, 0.5]], dtype=torch.float64))
    assert bool(torch.isfinite(outputs).all())
    exact = complex_outputs(make(constants=constants), X)
    np.testing.assert_allclose(make(constants=constants)(X).detach().numpy(), exact, rtol=1e-12)


def test_inputs_of_the_wrong_width():
    with pytest.raises(InputError, match=r"PhyKAN\.forward: the inputs do not fit"):
        make()(X[:, :2])
