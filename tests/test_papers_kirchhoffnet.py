"""The studies of the KirchhoffNet paper: their data, their mathematics, and a small row of each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.datasets import make_circles, make_moons, make_swiss_roll

from benchmarks.papers import flows, generation, inference_time, kirchhoffnet_figures, regression
from benchmarks.papers.ode import flow
from benchmarks.papers.plane import POTENTIALS, TASKS, energy_distance
from benchmarks.papers.rows import Setting, known, measure
from kanspice.families.kirchhoffnet.branches import ShiftTanh1, ShiftTanh2
from kanspice.families.kirchhoffnet.density import log_densities, log_densities_at

POINTS = 2000


def drawn(task, seed=0):
    return TASKS[task](POINTS, np.random.default_rng(seed))


@pytest.fixture
def setting(tmp_path, monkeypatch):
    """A study that takes seconds."""
    short = {task: replace(shape, updates=200) for task, shape in flows.SHAPES.items()}
    monkeypatch.setattr(flows, "SHAPES", short)
    monkeypatch.setattr(flows, "COURSE", 10)
    monkeypatch.setattr(regression, "EPOCHS", 10)
    return Setting(tmp_path, tmp_path / "results", quick=True)


@pytest.mark.parametrize(
    ("task", "theirs"),
    [
        ("moons", lambda: make_moons(POINTS, noise=0.1, random_state=0)[0]),
        ("circles", lambda: make_circles(POINTS, noise=0.06, factor=0.5, random_state=0)[0]),
        ("swiss roll", lambda: make_swiss_roll(POINTS, noise=1.0, random_state=0)[0][:, [0, 2]] / 5),
    ],
)
def test_points_are_those_of_scikit_learn(task, theirs):
    points, noise = drawn(task), energy_distance(drawn(task, 1), drawn(task, 2))
    assert energy_distance(points, theirs()) < 2 * noise + 0.02
    assert energy_distance(points + np.array([0.1, 0]), theirs()) > 0.04


def test_gaussians_lie_around_eight_points_on_a_circle():
    points = drawn("8gaussians")
    centres = 4 / np.sqrt(2) * np.exp(1j * np.pi / 4 * np.arange(8))
    apart = np.abs((points @ [1, 1j])[:, None] - centres)
    assert np.sqrt(np.mean(apart.min(axis=1) ** 2) / 2) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)
    assert np.bincount(apart.argmin(axis=1)).min() > POINTS / 8 - 80


def test_pinwheel_has_five_blades_and_spirals_two_arms():
    turned = np.exp(2j * np.pi / 5) * (drawn("pinwheel", 1) @ [1, 1j])
    assert energy_distance(drawn("pinwheel"), np.column_stack([turned.real, turned.imag])) < 0.12
    spirals = drawn("2spirals")
    assert energy_distance(spirals, -drawn("2spirals", 1)) < 0.12
    assert np.linalg.norm(spirals, axis=1).max() == pytest.approx(np.pi, rel=0.2)


@pytest.mark.parametrize("name", POTENTIALS)
def test_points_of_a_potential_have_its_density(name):
    """Of few nats less than its largest; the integral over the plane is 1."""
    potential = POTENTIALS[name]
    points = potential.draw(20_000, np.random.default_rng(0))
    side = np.linspace(-5, 5, 400)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    density = np.exp(potential.log_density(grid))
    assert density.sum() * (side[1] - side[0]) ** 2 == pytest.approx(1, rel=0.01)
    entropy = -(density * potential.log_density(grid)).sum() / density.sum()
    assert -potential.log_density(points).mean() == pytest.approx(entropy, abs=0.03)


@pytest.mark.parametrize("law", [ShiftTanh1(), ShiftTanh2()], ids=["Eq. 11", "Eq. 13"])
def test_what_training_follows_is_the_networks_own_density(law):
    torch.manual_seed(0)
    model = flows.Shape(layers=2, repeat=4, branch=law).network()
    points = np.random.default_rng(0).standard_normal((20, 2))
    with torch.no_grad():
        start, change, _ = flow(model, torch.from_numpy(points), 80, backwards=True)
        made, gained, rough = flow(model, torch.from_numpy(points), 80, backwards=False)
        np.testing.assert_allclose(made.numpy(), model(torch.from_numpy(points)).numpy(), atol=1e-5)
        assert 0 < rough < flow(model, torch.from_numpy(points), 40, backwards=False)[2] / 10
    normal = -(points**2).sum(1) / 2 - np.log(2 * np.pi)
    np.testing.assert_allclose(normal - gained.numpy(), log_densities(model, points), atol=1e-5)
    followed = -start.square().sum(1).numpy() / 2 - np.log(2 * np.pi) - change.numpy()
    np.testing.assert_allclose(followed, log_densities_at(model, points), atol=1e-5)


@pytest.mark.parametrize("data", regression.PAPER)
def test_networks_are_as_large_as_the_papers(data):
    for name, (_, parameters) in regression.PAPER[data].items():
        assert sum(each.numel() for each in regression.network(data, name).parameters()) == parameters


def test_the_fastest_circuit_is_found_between_two_capacitances():
    gaps = (1e-15, 1.0), (1e-14, 0.1), (1e-13, 0.01)
    points = [{"capacitance_f": c, "relative_rmse": gap, "failed_samples": 0} for c, gap in gaps]
    assert inference_time.smallest(points, 0.0316) == pytest.approx(3.16e-14, rel=0.01)
    assert inference_time.smallest(points, 0.001) is None
    assert inference_time.smallest(points, 2.0) is None


def test_a_circuit_that_loses_samples_is_not_the_fastest():
    gaps = (1e-15, 1.0, 0), (1e-14, 0.001, 3), (1e-13, 0.01, 0)
    points = [{"capacitance_f": c, "relative_rmse": gap, "failed_samples": lost} for c, gap, lost in gaps]
    assert inference_time.smallest(points, 0.05) == 1e-13


def test_a_row_of_regression(setting):
    measure("regression", regression.rows(setting), setting, "diabetes; KirchhoffNet-s; (seed 0|chips)")
    found = known(setting.results / "regression.json")
    row, chips = found["diabetes; KirchhoffNet-s; seed 0"], found["diabetes; KirchhoffNet-s; chips"]
    assert row["parameters"] == 528
    assert row["ideal"]["test_loss"]["circuit"] == pytest.approx(row["ideal"]["test_loss"]["reference"], rel=1e-4)
    assert len(chips["losses"]) == len(chips["relative_rmse"]) == 3
    assert all(0 < gap < 1 for gap in chips["relative_rmse"])


def test_rows_of_generation_and_their_figures(setting, monkeypatch):
    monkeypatch.setattr(generation, "SAMPLES", 300)
    monkeypatch.setattr(generation, "_SIDE", 10)
    for task in ("moons", "potential2"):
        measure("generation", generation.rows(setting), setting, f"{task}; ours")
    rows = known(setting.results / "generation.json")
    moons, potential = rows["moons; ours"], rows["potential2; ours"]
    assert moons["ideal"]["relative_rmse"] < 1e-5 < moons["typical"]["relative_rmse"]
    assert moons["energy_distance"]["ideal"] == pytest.approx(moons["energy_distance"]["network"], abs=1e-4)
    assert len(moons["periods"]["network"]) == 2
    assert potential["divergence"] > 0
    docs = setting.folder / "docs"
    docs.mkdir()
    kirchhoffnet_figures.draw(setting, docs)
    assert {path.name for path in docs.iterdir()} == {"generation.png", "periods.png", "potentials.png"}


def test_rows_of_inference_time_and_their_figure(setting, monkeypatch):
    monkeypatch.setattr(inference_time, "_SAMPLES", 50)
    monkeypatch.setattr(inference_time, "CAPACITANCES_F", (1e-15, 1e-14, 1e-13))
    monkeypatch.setattr(inference_time, "ALLOWED", (0.1,))
    network = inference_time.NETWORKS[1]
    for name in ("none", "noise", "all", "fastest, all"):
        measure("inference_time", inference_time.rows(setting), setting, f"{network}; {name}")
    rows = known(setting.results / "inference_time.json")
    gaps = [point["relative_rmse"] for point in rows[f"{network}; noise"]["points"]]
    assert gaps == sorted(gaps, reverse=True)
    assert rows[f"{network}; noise"]["points"][0]["latency_s"] == pytest.approx(1e-9)
    found = rows[f"{network}; fastest, all"]["fastest"]["0.1"]
    assert 0.02 < found["relative_rmse"] < 0.5
    docs = setting.folder / "docs"
    docs.mkdir()
    kirchhoffnet_figures.draw(setting, docs)
    assert (docs / "inference_time.svg").stat().st_size < 150_000
