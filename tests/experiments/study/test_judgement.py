"""Draws are judged as single runs are: what numerical error could have made is no gap, and no good draw."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from periods import contracting

from kanspice.base.errors import InputError
from kanspice.engine.options import RunOptions
from kanspice.experiments.ensemble.draws import DrawResult
from kanspice.experiments.ensemble.workers import local
from kanspice.experiments.evidence import Evidence
from kanspice.experiments.facts import ModelFacts
from kanspice.experiments.study.document import to_json
from kanspice.experiments.study.page import study_page
from kanspice.experiments.study.plan import StudyRequest
from kanspice.experiments.study.result import PointResult, StudyResult
from kanspice.experiments.study.run import run, start
from kanspice.experiments.study.wording import generated, numerical, outcome, unresolved
from kanspice.experiments.study.wording import limits as limits_of
from kanspice.experiments.verify.run import VerifyOptions, verify
from kanspice.families import load, save
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.generation import Generation
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import FullyConnected
from kanspice.gap import NumericalGap, Variation
from kanspice.gap.distribution import log_density_difference
from kanspice.report.page_html import page_html
from kanspice.technology import Technology, load_technology

pytestmark = pytest.mark.slow

LIMITS = (("relative_rmse", 0.1),)
WHY = ("the circuit's numerical error is 25 of the outputs' standard deviation, as large as the gap",)


def draw(trial, gap, why=(), failed=None):
    metrics = dict.fromkeys(("rmse", "max_abs", "relative_rmse", "max_relative"), gap)
    metrics |= {"accuracy": None, "numerical_rmse": 1e-9, "numerical_relative_rmse": 1e-9}
    return DrawResult(0, trial, trial, 5, metrics, failed or {}, tuple(why))


GOOD, BAD = (0.05, ()), (0.2, ())
OPEN = (17.0, WHY)


def study_of(*draws, limits=LIMITS, yield_min=None, reference=None):
    """One point with these draws."""
    trials = tuple(draw(trial, *each) for trial, each in enumerate(draws))
    request = StudyRequest(
        folder=".", model="m.pt", inputs="x.npy", trials=len(draws), limits=limits, yield_min=yield_min
    )
    (point,) = request.points()
    found = PointResult(point, True, trials, limits)
    model = ModelFacts("m.pt", "kanalogue", "kanspice", "00", 1, ("Z21",))
    return StudyResult(request, model, (), {}, 5, None, reference, Variation(1.0, 2.0), (found,), ())


@pytest.mark.parametrize(
    ("draws", "wanted", "code"),
    [
        ([GOOD, GOOD], None, 0),
        ([GOOD, BAD], None, 1),
        ([GOOD, OPEN], None, 3),
        ([GOOD, OPEN, BAD], None, 1),
        ([GOOD, GOOD, GOOD, OPEN], 0.75, 0),
        ([GOOD, GOOD, BAD, OPEN], 0.75, 3),
        ([GOOD, BAD, BAD, OPEN], 0.75, 1),
        ([OPEN], None, 3),
    ],
)
def test_a_verdict_that_rests_on_draws_that_are_not_resolved_is_none(draws, wanted, code):
    result = study_of(*draws, yield_min=wanted)
    assert result.exit_code == code
    count = draws.count(OPEN)
    (point,) = result.points
    assert (len(point.unresolved), result.unresolved_fraction) == (count, count / len(draws))
    assert point.yield_.good == draws.count(GOOD)
    assert ("not resolved" in outcome(result).text) == (code == 3)
    assert (unresolved(result) is not None) == bool(count)


def test_a_good_draw_reaches_every_minimum_and_the_study_stays_about_its_gap():
    trials = tuple(draw(trial, 0.05) for trial in range(4))
    trials = tuple(
        replace(each, metrics={**each.metrics, "accuracy": accuracy})
        for each, accuracy in zip(trials, (0.8, 0.9, 1.0, None), strict=True)
    )
    result = study_of(*[GOOD] * 4, limits=(("accuracy", 0.9), ("relative_rmse", 0.1)))
    (point,) = result.points
    result = replace(result, points=(replace(point, draws=trials),))
    assert result.points[0].good == (False, True, True, False)
    assert result.metric == "relative_rmse"
    assert (result.bound("accuracy"), result.bound("rmse")) == (0.9, None)
    assert "accuracy at least 0.9 and relative_rmse at most 0.1" in limits_of(result)
    assert study_of(GOOD, limits=(("accuracy", 0.9),)).metric == "relative_rmse"


def test_without_a_limit_every_draw_is_the_answer():
    assert study_of(GOOD, BAD, limits=()).exit_code == 0
    result = study_of(GOOD, OPEN, limits=())
    assert result.exit_code == 3
    assert "the answer rests on draws" in outcome(result).text


def test_the_yields_interval_holds_whatever_is_true_of_draws_that_are_not_resolved():
    lone, open_ = study_of(GOOD, BAD, BAD).points[0].yield_, study_of(GOOD, OPEN, BAD).points[0].yield_
    assert (open_.good, open_.low) == (lone.good, lone.low)
    assert open_.high == study_of(GOOD, GOOD, BAD).points[0].yield_.high > lone.high


def test_a_failed_draw_is_a_bad_one_resolved_or_not():
    failed = (17.0, WHY, {"beyond the rail": 1})
    assert study_of(GOOD, failed, yield_min=0.9).exit_code == 1


def test_the_first_screen_and_the_json_say_how_many():
    result = study_of(GOOD, OPEN, GOOD, yield_min=0.5)
    first_screen, _, _ = page_html(study_page(result)).partition("Can the number be trusted?")
    assert "1 of 3 draws not resolved" in first_screen
    assert "as large as the gap" in first_screen
    found = json.loads(to_json(result))
    assert found["unresolved_fraction"] == found["points"][0]["unresolved_fraction"] == pytest.approx(1 / 3)
    assert found["points"][0]["draws"]["unresolved"] == [[], list(WHY), []]
    assert found["points"][0]["draws"]["good"] == [True, False, True]
    assert found["undecided_points"] == []
    assert json.loads(to_json(study_of(GOOD, OPEN)))["undecided_points"] == [0]


def test_the_networks_own_error_is_held_against_every_gap():
    small, large = (NumericalGap(4, error, error, error) for error in (1e-6, 0.01))
    assert not numerical(study_of(GOOD, BAD, reference=small)).warning
    said = numerical(study_of(GOOD, BAD, reference=large))
    assert said.warning
    assert "in 1 draw" in said.text


def measured(folder, model, inputs, settings, limits=()):
    folder.mkdir(exist_ok=True)
    save(model, folder / "model.pt")
    np.save(folder / "inputs.npy", inputs)
    request = StudyRequest(
        folder=str(folder), model="model.pt", inputs="inputs.npy", set_=settings, limits=limits, trials=2
    )
    prepared = start(request, folder / "study")
    return prepared, run(prepared, folder / "study")


def verified(folder, settings, seed, limits=()) -> SimpleNamespace:
    loaded = load(folder / "model.pt")
    options = VerifyOptions(engine="batched", run=RunOptions(seed=seed), limits=limits)
    technology = load_technology(None, settings) if settings else Technology()
    return verify(loaded, technology, Evidence(np.load(folder / "inputs.npy")), options)


@pytest.mark.parametrize(("times", "code"), [(1, 0), (60, 3)])
def test_draws_of_a_network_that_forgets_its_inputs_are_not_measured(tmp_path, times, code):
    settings, inputs = ("branches.gain_sigma=0.01",), np.random.default_rng(0).normal(size=(2, 3))
    prepared, result = measured(tmp_path, contracting(times), inputs, settings)
    assert result.exit_code == code
    first, second = result.points[0].draws
    assert code == 3 or verified(tmp_path, settings, first.seed).exit_code == 0
    assert bool(first.unresolved) == bool(second.unresolved) == (code == 3)
    lines = [json.loads(line) for line in (tmp_path / "study" / "journal.jsonl").read_text().splitlines()]
    assert [bool(line["unresolved"]) for line in lines] == [code == 3] * 2
    assert run(prepared, tmp_path / "study") == result
    assert result.reference_error.rmse > 0


def test_a_limit_below_a_draws_numerical_error_is_not_kept_by_chance(tmp_path):
    inputs = np.random.default_rng(0).normal(size=(3, 3))
    prepared, _ = measured(tmp_path, contracting(1), inputs, (), limits=(("max_abs", 1e-3),))
    (setup,) = prepared.setups
    for largest, open_ in ((1e-4, False), (1e-2, True)):
        found = replace(setup, reference_error=NumericalGap(3, 1e-4, largest, 1e-4)).measure(0, 1)
        assert found.metrics["max_abs"] < 1e-4
        assert [("lies below the numerical error" in why) for why in found.unresolved] == [True] * open_


@pytest.fixture
def generator():
    topology = FullyConnected(num_node=3).build()
    thetas = [0.5 * torch.randn(3, topology.edges, generator=torch.Generator().manual_seed(k)) for k in (1, 2)]
    branch = branch_function("ShiftTanh2", {}, "here")
    return KirchhoffNet([topology] * 2, [0.5, 0.5], branch, generation=Generation(), thetas=thetas)


def test_every_draw_of_a_generator_is_judged_as_a_distribution_as_verify_does(tmp_path, generator):
    settings, inputs = ("branches.gain_sigma=0.05",), np.random.default_rng(3).normal(size=(40, 2))
    limits = (("energy_distance", 1.0), ("log_density_difference", 1.0))
    prepared, result = measured(tmp_path, generator, inputs, settings, limits)
    (tmp_path / "again").mkdir()
    assert run(prepared, tmp_path / "again", local(2)) == result
    assert (result.exit_code, result.metric) == (0, "energy_distance")
    for each in result.points[0].draws:
        single = verified(tmp_path, settings, each.seed).distribution
        expected = {
            "energy_distance": single.energy_distance,
            "log_density_difference": log_density_difference(single),
            "energy_distance_noise": single.noise,
        }
        assert {name: each.metrics[name] for name in expected} == pytest.approx(expected, rel=1e-9)
    (point,) = json.loads(to_json(result))["points"]
    assert len(point["draws"]["log_density_difference"]) == point["metrics"]["energy_distance"]["draws"] == 2
    assert point["told_apart_draws"] == 0
    assert "told apart" in generated(result).text
    assert "not told apart" not in page_html(study_page(result))


def test_draws_that_are_told_apart_and_limits_on_distributions(tmp_path, generator):
    settings, inputs = (
        ("branches.gain_sigma=0.05", "kirchhoffnet.leak_ohm=2e5"),
        np.random.default_rng(3).normal(size=(40, 2)),
    )
    _, result = measured(tmp_path, generator, inputs, settings, (("energy_distance", 1e-3),))
    assert result.exit_code == 1
    assert result.points[0].told_apart == 2
    assert generated(result).warning


def test_limits_on_distributions_are_for_networks_that_generate(tmp_path):
    with pytest.raises(InputError, match="unknown metric 'energy_distance'"):
        measured(tmp_path, contracting(1), np.zeros((2, 3)), (), limits=(("energy_distance", 1.0),))
    assert not Path(tmp_path / "study").exists()
