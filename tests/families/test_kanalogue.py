import numpy as np
import pytest
import torch
from torch.nn.functional import mse_loss

from kanspice.base.errors import InputError
from kanspice.devices import load_device
from kanspice.families.kanalogue.network import KANalogue
from kanspice.families.kanalogue.noise import CoefficientNoise

X = torch.tensor([[0.5, 1.0, -3.0], [2.0, -0.2, 0.1]], dtype=torch.float64)


def set_parameters(model, layer, coeffs, bias):
    with torch.no_grad():
        model.crossbars[layer].coeffs.copy_(torch.tensor(coeffs, dtype=torch.float64))
        model.crossbars[layer].bias.copy_(torch.tensor(bias, dtype=torch.float64))


def test_one_layer_in_closed_form(devices):
    """y_0 = 2 x_0 - x_0^2 + 3 x_1^2 + 0.25 and y_1 = -x_1 + 1, with x = clip(input, 0, 1.4)."""
    model = KANalogue([2, 2], devices).eval()
    set_parameters(model, 0, [[[2, -1], [0, 0]], [[0, 3], [-1, 0]]], [0.25, 1])
    x = torch.tensor([[0.5, 1.0], [9.0, -9.0]], dtype=torch.float64)
    expected = [[1 - 0.25 + 3 + 0.25, 0], [2.8 - 1.96 + 0.25, 1]]
    np.testing.assert_allclose(model(x).detach(), expected, rtol=1e-15, atol=1e-15)


def test_two_layers_with_batch_norm_in_closed_form(devices):
    model = KANalogue([1, 1, 1], devices).eval()
    set_parameters(model, 0, [[[1, 0]]], [0.5])
    set_parameters(model, 1, [[[0, 1]]], [-1])
    with torch.no_grad():
        norm = model.norms[0]
        norm.running_mean.fill_(0.25)
        norm.running_var.fill_(4 - 1e-5)
        norm.weight.fill_(2)
        norm.bias.fill_(0.1)
    hidden = (0.3 + 0.5 - 0.25) / 2 * 2 + 0.1
    assert model(torch.tensor([[0.3]], dtype=torch.float64)).item() == pytest.approx(hidden**2 - 1, rel=1e-14)


def test_layer_norm_uses_the_sample_s_own_mean_and_variance(devices):
    model = KANalogue([2, 2, 1], devices, norm="layer", input_stage=None).eval()
    set_parameters(model, 0, [[[1, 0], [0, 0]], [[0, 0], [1, 0]]], [0, 0])
    stages = model.stages(torch.tensor([[1.0, 3.0]], dtype=torch.float64))
    expected = np.array([[-1, 1]]) / np.sqrt(1 + 1e-5)
    np.testing.assert_allclose(stages["l1.norm"].detach(), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("PosHC", [-2.0, 0.5, 3.0]),
        ("NegHC", [-2.0, 0.5, 3.0]),
        ("sigmoid", [-2.0, 0.5, 3.0]),
        ("tanh", [-2.0, 0.5, 3.0]),
        ("None", [-2.0, 0.5, 3.0]),
        (None, [-2.0, 0.5, 3.0]),
    ],
)
def test_input_stages(devices, stage, expected):
    functions = {
        "PosHC": lambda x: np.clip(x, 0, 1.4),
        "NegHC": lambda x: np.clip(x, -1, 1),
        "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
        "tanh": np.tanh,
    }
    x = np.array([expected])
    model = KANalogue([3, 1], devices, input_stage=stage).eval()
    after = model.stages(torch.from_numpy(x))["l1.input"]
    np.testing.assert_allclose(after, functions.get(stage, lambda x: x)(x), rtol=1e-15)


def test_the_input_stage_acts_before_every_layer(network):
    stages = network(norm="none", input_stage="NegHC").stages(X)
    assert torch.equal(stages["l2.input"], stages["l1.crossbar"].clamp(-1, 1))


@pytest.mark.parametrize(("norm", "between"), [("batch", ["l1.norm"]), ("layer", ["l1.norm"]), ("none", [])])
def test_stage_names_shapes_and_order(network, norm, between):
    model = network((3, 4, 2), norm=norm)
    stages = model.stages(X)
    assert list(stages) == ["l1.input", "l1.crossbar", *between, "l2.input", "l2.crossbar"]
    assert [tuple(stage.shape) for stage in stages.values()] == [
        (2, 3),
        (2, 4),
        *[(2, 4)] * len(between),
        (2, 4),
        (2, 2),
    ]
    assert torch.equal(stages["l2.crossbar"], model(X))
    assert all(stage.dtype == torch.float64 for stage in stages.values())


@pytest.mark.parametrize("widths", [(3, 1), (3, 4, 5, 6, 2)])
def test_any_number_of_layers(network, widths):
    model = network(widths)
    assert model(X).shape == (2, widths[-1])
    assert (model.input_width, model.output_width) == (widths[0], widths[-1])
    assert list(model.stages(X))[-1] == f"l{len(widths) - 1}.crossbar"


def test_samples_do_not_influence_each_other(network):
    model = network()
    torch.testing.assert_close(torch.cat([model(X[:1]), model(X[1:])]), model(X), rtol=1e-14, atol=1e-14)


def test_no_samples_give_no_outputs(network):
    assert network()(X[:0]).shape == (0, 2)


def test_float32_inputs_are_widened(network):
    model = network()
    assert torch.equal(model(X.float()), model(X.float().double()))


@pytest.mark.parametrize("shape", [(2, 4), (3,), (1, 2, 3)])
def test_inputs_of_wrong_shape(network, shape):
    with pytest.raises(InputError) as caught:
        network()(torch.zeros(shape, dtype=torch.float64))
    for part in ("KANalogue.forward", "do not fit", "(samples, 3)", str(shape)):
        assert part in str(caught.value)


def test_inputs_of_wrong_type(network):
    with pytest.raises(InputError, match=r"(?s)not real numbers.*float64.*found:.*int64"):
        network()(torch.zeros((2, 3), dtype=torch.int64))


@pytest.mark.parametrize("widths", [[], [3], [3, 0], [3, -1, 2], [3, 2.5]])
def test_unusable_widths(devices, widths):
    with pytest.raises(InputError, match=r"(?s)layer widths cannot be used.*at least two whole numbers.*found"):
        KANalogue(widths, devices)


def test_no_devices():
    with pytest.raises(InputError, match=r"(?s)no devices.*one device type or more"):
        KANalogue([3, 2], [])


def test_unknown_input_stage(devices):
    with pytest.raises(InputError, match=r"(?s)unknown input stage.*PosHC, NegHC, sigmoid, tanh, None.*'relu'"):
        KANalogue([3, 2], devices, input_stage="relu")


def test_unknown_norm(devices):
    with pytest.raises(InputError, match=r"(?s)unknown norm.*batch, layer, none.*'group'"):
        KANalogue([3, 2], devices, norm="group")


def test_gradients_reach_every_parameter_and_the_input(network):
    model = network(input_stage="tanh").train()
    x = X.clone().requires_grad_()
    model(x).square().sum().backward()
    gradients = [x.grad, *(parameter.grad for parameter in model.parameters())]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)
    assert all(crossbar.coeffs.grad.abs().sum() > 0 for crossbar in model.crossbars)


def test_gradient_equals_finite_differences(network):
    model = network(norm="layer", input_stage="tanh")
    assert torch.autograd.gradcheck(model, (X.clone().requires_grad_(),))


def test_initial_outputs_have_unit_scale():
    torch.manual_seed(0)
    model = KANalogue([100, 200], [load_device("a21"), load_device("z21")], norm="none")
    outputs = model(1.4 * torch.rand(500, 100, dtype=torch.float64))
    assert 0.5 < float(outputs.detach().square().mean().sqrt()) < 2


@pytest.mark.slow
@pytest.mark.parametrize("norm", ["batch", "layer", "none"])
def test_training_reduces_the_loss(norm):
    torch.manual_seed(0)
    model = KANalogue([2, 8, 1], [load_device("a21"), load_device("z21")], norm=norm)
    x = 1.2 * torch.rand(128, 2, dtype=torch.float64)
    target = (x[:, :1] * x[:, 1:]).detach()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
    losses = []
    for _ in range(150):
        optimiser.zero_grad()
        loss = mse_loss(model(x), target)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]


def test_the_global_seed_names_the_start(devices):
    def start(seed):
        torch.manual_seed(seed)
        return KANalogue([3, 2], devices).crossbars[0].coeffs

    assert torch.equal(start(5), start(5))
    assert not torch.equal(start(5), start(6))


def noisy(network, training, evaluation, seed=0):
    return network(norm="none", noise=CoefficientNoise("gaussian", 0.3, training, evaluation, seed))


def test_noise_acts_only_where_it_is_asked_for(network):
    clean = network(norm="none")(X)
    only_training = noisy(network, training=True, evaluation=False)
    only_evaluation = noisy(network, training=False, evaluation=True)
    assert torch.equal(only_training(X), clean)
    assert not torch.equal(only_training.train()(X), clean)
    assert not torch.equal(only_evaluation(X), clean)
    assert torch.equal(only_evaluation.train()(X), clean)


def test_evaluation_noise_is_one_realisation_per_seed(network):
    model = noisy(network, training=False, evaluation=True, seed=3)
    first = model(X)
    assert torch.equal(model(X), first)
    assert torch.equal(noisy(network, training=False, evaluation=True, seed=3)(X), first)
    assert not torch.equal(noisy(network, training=False, evaluation=True, seed=4)(X), first)


def test_training_noise_is_a_reproducible_sequence(network):
    first, second = (noisy(network, training=True, evaluation=False).train() for _ in range(2))
    outputs = [first(X), first(X)]
    assert not torch.equal(*outputs)
    assert torch.equal(second(X), outputs[0])
    assert torch.equal(second(X), outputs[1])


def test_gradients_flow_through_noise(network):
    model = noisy(network, training=True, evaluation=False).train()
    model(X).sum().backward()
    assert model.crossbars[1].coeffs.grad.abs().sum() > 0
