"""Training on all samples at once."""

import pytest
import torch

from kanspice.base.errors import InputError
from kanspice.families.common.training import fit
from kanspice.families.memkan.network import MemKAN
from kanspice.families.phykan.network import PhyKAN

X = torch.linspace(-1, 1, 60, dtype=torch.float64)[:, None]


def fresh():
    torch.manual_seed(0)
    return PhyKAN((1, 1), 3)


@pytest.mark.slow
@pytest.mark.parametrize(("adam_steps", "lbfgs_steps"), [(150, 0), (0, 60), (40, 40)])
def test_a_network_learns_what_a_network_of_its_kind_does(adam_steps, lbfgs_steps):
    torch.manual_seed(1)
    teacher = PhyKAN((1, 1), 3)
    with torch.no_grad():
        teacher.layers[0].raw.mul_(2.0)
        targets = teacher(X)
        before = float((fresh()(X) - targets).square().mean())
    model = fresh()
    error = fit(model, X, targets, adam_steps=adam_steps, lbfgs_steps=lbfgs_steps, learning_rate=0.03)
    assert error < 0.02 * before
    assert not model.training
    with torch.no_grad():
        assert error == float((model(X) - targets).square().mean())


@pytest.mark.slow
def test_the_same_start_gives_the_same_end():
    results = []
    for _ in range(2):
        model = fresh()
        fit(model, X, X, adam_steps=5, lbfgs_steps=5)
        results.append(model.layers[0].raw.detach())
    assert torch.equal(*results)


def test_a_penalty_is_heeded():
    gains = []
    for weight in (0.0, 1.0):
        torch.manual_seed(0)
        model = MemKAN((1, 1))
        (layer,) = model.synapse_layers()

        def penalty(layer=layer, weight=weight):
            return weight * layer.gain.square().mean()

        fit(model, X, X, adam_steps=0, lbfgs_steps=20, penalty=penalty)
        gains.append(float(layer.gain.detach().abs().max()))
    assert gains[1] < 0.5 * gains[0]


def test_training_that_diverges():
    with pytest.raises(InputError, match="the training diverged"):
        fit(fresh(), X, torch.full_like(X, torch.nan), adam_steps=1)


def test_an_array_in_place_of_a_tensor_is_named():
    with pytest.raises(InputError, match="no torch tensor") as told:
        fit(fresh(), X.numpy(), X)
    assert (told.value.found, told.value.hint) == ("ndarray", "torch.from_numpy(x)")
