"""Circuits that generate, judged as distributions."""

import json

import numpy as np
import pytest
import torch
from rendered import to_html, to_markdown
from scipy.stats import energy_distance

from kanspice.base.errors import InputError
from kanspice.experiments.evidence import Evidence
from kanspice.experiments.verify.distributions import lines, pictures
from kanspice.experiments.verify.document import to_json
from kanspice.experiments.verify.reading import read_report
from kanspice.experiments.verify.run import VerifyOptions, verify
from kanspice.families import load, save
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.generation import Generation
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import FullyConnected
from kanspice.gap.distribution import (
    Distribution,
    Generated,
    LogDensities,
    PeriodEnds,
    distribution,
    log_densities,
    log_density_difference,
)
from kanspice.technology import load_technology

DRAWN = np.random.default_rng(3)


def test_the_energy_distance_is_scipys_in_one_dimension():
    expected, outputs = DRAWN.normal(size=(60, 1)), DRAWN.normal(size=(60, 1)) + 0.5
    found = distribution(expected, outputs, 0)
    assert found.energy_distance == pytest.approx(energy_distance(expected[:, 0], outputs[:, 0]))


def test_the_same_samples_have_no_distance():
    samples = DRAWN.normal(size=(50, 3))
    found = distribution(samples, samples, 0)
    assert found.energy_distance == pytest.approx(0, abs=1e-7)
    assert found.noise > 0.1
    assert not found.is_told_apart


def test_sets_of_one_distribution_are_not_told_apart_and_others_are():
    apart = [distribution(*DRAWN.normal(size=(2, 100, 2)), seed).is_told_apart for seed in range(20)]
    assert sum(apart) <= 4
    expected, outputs = DRAWN.normal(size=(2, 100, 2))
    assert distribution(expected, outputs * 1.8, 0).is_told_apart
    assert distribution(expected, outputs + 0.6, 0).is_told_apart


@pytest.mark.slow
def test_the_seed_decides_which_samples_and_which_divisions():
    expected, outputs = DRAWN.normal(size=(2, 1100, 1))
    first, again, other = (distribution(expected, outputs, seed) for seed in (1, 1, 2))
    assert first == again
    assert first.samples == 1000
    assert first.energy_distance != other.energy_distance


def test_samples_without_a_result_are_left_out():
    expected, outputs = DRAWN.normal(size=(2, 10, 2))
    outputs[3] = np.nan
    expected[4] = np.nan
    assert distribution(expected, outputs, 0).samples == 8
    assert distribution(expected[:1], outputs[:1], 0) is None


def test_log_densities_of_both_and_what_is_not_known():
    samples = np.arange(8.0).reshape(4, 2)
    found = log_densities(
        samples,
        samples,
        samples + 1,
        lambda rows: -rows.sum(axis=1),
        lambda rows: np.where(rows[:, 0] > 6.5, np.nan, -rows.sum(axis=1) + 1e-3),
        most=4,
        seed=0,
    )
    assert (found.samples, found.unknown) == (3, 1)
    assert found.difference == pytest.approx(-2 + 1e-3)
    assert found.error == pytest.approx(1e-3)
    whole = Distribution(4, 0.5, 0.1, found)
    assert log_density_difference(whole) is None
    assert "they are told apart" in lines(whole)[0]
    assert "of 1 sample it is not known" in lines(whole)[1]


@pytest.fixture
def generator(tmp_path):
    topology = FullyConnected(num_node=3).build()
    thetas = [0.5 * torch.randn(3, topology.edges, generator=torch.Generator().manual_seed(k)) for k in (1, 2)]
    branch = branch_function("ShiftTanh2", {}, "here")
    model = KirchhoffNet([topology] * 2, [0.5, 0.5], branch, generation=Generation(), thetas=thetas)
    save(model, tmp_path / "generator.pt")
    return load(tmp_path / "generator.pt")


def measured(loaded, *overrides, limits=()):
    options = VerifyOptions(engine="batched", limits=limits)
    return verify(loaded, load_technology(None, overrides), Evidence(DRAWN.normal(size=(40, 2))), options)


@pytest.mark.slow
def test_a_generator_is_judged_as_a_distribution(generator, tmp_path):
    limits = (("energy_distance", 1e-3), ("log_density_difference", 1e-3))
    ideal = measured(generator, limits=limits)
    assert ideal.passed
    assert ideal.distribution.log_density.error < 1e-6
    far = measured(generator, "kirchhoffnet.leak_ohm=5e5", limits=limits)
    assert far.exit_code == 1
    assert far.distribution.is_told_apart
    text = to_json(far)
    assert json.loads(text)["distribution"]["log_density"]["difference"] == far.distribution.log_density.difference
    (tmp_path / "far.json").write_text(text)
    assert read_report(tmp_path / "far.json").distribution == far.distribution
    for page in (to_html(far), to_markdown(far)):
        assert "energy distance" in page
    assert [end.stage for end in far.generated.ends] == ["l1.period", "l2.period"]
    assert len(pictures(far.generated)) == 1


def test_a_classifier_has_no_energy_distance(generator):
    generator.model.generation = None
    with pytest.raises(InputError, match="unknown metric 'energy_distance'"):
        measured(generator, limits=(("energy_distance", 1.0),))


@pytest.mark.slow
def test_images_at_every_periods_end():
    pixels = DRAWN.normal(size=(3, 6))
    broken = pixels.copy()
    broken[1] = np.nan
    ends = (PeriodEnds("l1.period", pixels, pixels), PeriodEnds("l2.period", pixels, broken))
    found = pictures(Generated(ends, (1, 2, 3)))
    assert len(found) == 2
    assert all(picture.draw().startswith("data:image/png;base64,") for picture in found)
    nothing = PeriodEnds("l1.period", pixels, np.full_like(pixels, np.nan))
    assert len(pictures(Generated((nothing,), (1, 2, 3)))) == 1


def test_networks_of_other_widths_have_no_picture_of_this_kind():
    points = DRAWN.normal(size=(3, 5))
    assert pictures(Generated((PeriodEnds("l1.period", points, points),), None)) == []


def test_a_difference_that_is_not_a_number():
    nothing = LogDensities(0, float("nan"), float("nan"), float("nan"), 2)
    assert log_density_difference(Distribution(2, 0.0, 0.1, nothing)) is None
    assert log_density_difference(None) is None
