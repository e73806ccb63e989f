import pytest
import torch

from kanspice.base.errors import InputError
from kanspice.families.kanalogue.noise import NOISE_KINDS, CoefficientNoise

SCALE = 0.2
COEFFICIENTS = torch.linspace(-2, 2, 40_000, dtype=torch.float64).reshape(100, 200, 2)


def deviations(kind, seed=1):
    """Deviations divided by what they scale with: 1 for additive noise, the coefficient otherwise."""
    noise = CoefficientNoise(kind, SCALE, training=True, evaluation=True, seed=seed)
    difference = noise.perturb(COEFFICIENTS, noise.generator()) - COEFFICIENTS
    return difference if kind == "additive" else difference / COEFFICIENTS


@pytest.mark.parametrize(
    ("kind", "standard_deviation"),
    [("additive", SCALE), ("gaussian", SCALE), ("uniform", SCALE / 3**0.5), ("binary", SCALE)],
)
def test_mean_and_spread(kind, standard_deviation):
    sample = deviations(kind)
    assert abs(float(sample.mean())) < 4 * standard_deviation / 200
    assert float(sample.std()) == pytest.approx(standard_deviation, rel=0.02)


def test_uniform_stays_within_its_bounds():
    sample = deviations("uniform").abs()
    assert float(sample.max()) <= SCALE * (1 + 1e-12)
    assert float(sample.max()) > 0.99 * SCALE


def test_binary_takes_both_signs_and_one_size():
    torch.testing.assert_close(deviations("binary").abs(), torch.full_like(COEFFICIENTS, SCALE))


@pytest.mark.parametrize("kind", NOISE_KINDS)
def test_the_seed_names_the_draw(kind):
    assert torch.equal(deviations(kind, seed=1), deviations(kind, seed=1))
    assert not torch.equal(deviations(kind, seed=1), deviations(kind, seed=2))


@pytest.mark.parametrize("kind", NOISE_KINDS)
def test_no_noise_at_scale_zero(kind):
    noise = CoefficientNoise(kind, 0.0, training=True, evaluation=True)
    assert torch.equal(noise.perturb(COEFFICIENTS, noise.generator()), COEFFICIENTS)


def test_unknown_kind():
    with pytest.raises(InputError, match=r"(?s)unknown kind of coefficient noise.*additive.*'pink'"):
        CoefficientNoise("pink", 0.1, training=True, evaluation=False)


@pytest.mark.parametrize("scale", [-0.1, float("nan"), float("inf")])
def test_unusable_scale(scale):
    with pytest.raises(InputError, match=r"(?s)scale of the coefficient noise.*not negative"):
        CoefficientNoise("additive", scale, training=True, evaluation=False)
