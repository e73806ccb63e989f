"""A network and its circuit in the same loop: what is measured, and what a reader is told."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from json_schemas import hold
from loops import BALANCES, Counter, linear
from rich.console import Console

from kanspice.base.errors import InputError
from kanspice.experiments.control import ControlOptions, Draws, Ending, control, metric_values
from kanspice.experiments.control.document import control_json
from kanspice.experiments.control.page import control_page
from kanspice.experiments.control.plants import CartPole, PlanarArm
from kanspice.experiments.ensemble.variations import Sweep, points_of
from kanspice.families import load, save
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import recipe
from kanspice.gap import Limit, NumericalGap
from kanspice.report.page_html import page_html
from kanspice.report.terminal import print_page
from kanspice.technology import load_technology

FEW = ControlOptions(episodes=3, steps=25, engine="batched")


def told(result):
    """What is printed, as one line."""
    console = Console(record=True, width=100)
    print_page(control_page(result), console)
    return " ".join(console.export_text().split())


def saved(model, folder):
    save(model, folder / "network.pt")
    return load(folder / "network.pt")


@pytest.fixture(scope="module")
def swept(loaded):
    """Draws along a mismatch that is too much for some of them, one also in ngspice."""
    sweeps = (Sweep("devices.area_sigma", ("0", "0.2", "0.9")),)
    draws = Draws(points_of(None, (), (), sweeps), sweeps, trials=4)
    return control(loaded, load_technology(None, ["tia.gain=1000"]), "cartpole", FEW, draws)


def test_an_ideal_circuit_does_what_the_network_does(loaded):
    result = control(loaded, load_technology(None), "cartpole", FEW)
    assert result.reference_rate == result.circuit_rate == 1
    assert metric_values(result)["trajectory_max_abs"] < 1e-12
    assert metric_values(result)["own_action_max_abs"] < 1e-12
    assert result.exit_code == 0
    assert "The circuit succeeds in 100 % (3 of 3) episodes, the network in 100 % (3 of 3)" in told(result)
    starts = [episode.observations[0] for episode in result.reference]
    assert len(np.unique(starts, axis=0)) == 3
    assert all(np.array_equal(r.observations[0], c.observations[0]) for r, c in result.pairs)


def test_a_gap_is_what_the_circuits_law_makes_it(loaded, tmp_path):
    """A gain of 300 weakens every action by what a linear network with as much less gain does too."""
    options = replace(FEW, latency=1)
    real = control(loaded, load_technology(None, ["tia.gain=300"]), "cartpole", options)
    rows = np.abs(BALANCES).sum() / (1 + 1 / 300)
    circuit = real.circuit[0]
    factor = circuit.commands[3, 0] / (circuit.observations[3] @ BALANCES)
    assert 0 < 1 - factor < 2 * rows / 300
    weaker = control(
        saved(linear(factor * np.reshape(BALANCES, (4, 1))), tmp_path), load_technology(None), "cartpole", options
    )
    assert weaker.reference[0].observations == pytest.approx(circuit.observations, abs=1e-9)
    values = metric_values(real)
    expected = [np.abs((1 - factor) * (e.observations[:-1] @ BALANCES)).max() for e in real.reference]
    assert values["action_max_abs"] == pytest.approx(max(expected), rel=1e-6)
    assert values["trajectory_max_abs"] > 100 * values["numerical_rmse"]


@pytest.mark.ngspice
def test_ngspice_and_the_batched_engine_go_the_same_way(loaded):
    technology = load_technology(None, ["tia.gain=300", "converters.input_noise_v=1e-3", "devices.area_sigma=0.05"])
    ours, theirs = (
        control(loaded, technology, "cartpole", replace(FEW, steps=10, engine=engine, cross_check=2))
        for engine in ("batched", "ngspice")
    )
    for mine, other in zip(ours.circuit, theirs.circuit, strict=True):
        assert mine.observations == pytest.approx(other.observations, abs=1e-9)
    assert theirs.along.cross_check.passed
    assert metric_values(ours)["action_rmse"] == pytest.approx(metric_values(theirs)["action_rmse"], rel=1e-6)


@pytest.mark.slow
def test_a_circuit_that_answers_after_a_time_is_in_the_loop_too(tmp_path):
    torch.manual_seed(3)
    topology = recipe("_fully_connect", {"num_node": 3}, "x").build()
    model = KirchhoffNet([topology, topology], [0.5, 1.0], branch_function("ShiftTanh2", {}, "x"))
    network = saved(model, tmp_path)
    made = []

    def plant():
        made.append(Counter(width=network.input_width, actions=network.output_width))
        return made[-1]

    result = control(network, load_technology(None), plant, replace(FEW, steps=2))
    assert metric_values(result)["trajectory_max_abs"] == 0
    assert metric_values(result)["own_action_max_abs"] < 1e-3
    assert any("do not depend on such actions" in note for note in result.notes)
    assert all(plant.closed for plant in made)
    assert result.plant.name == "plant"


def test_nothing_is_said_of_a_plant_that_gets_the_same_actions(loaded):
    def plant():
        return Counter(width=loaded.input_width, actions=loaded.output_width)

    result = control(loaded, load_technology(None), plant, replace(FEW, steps=2, engine="batched"))
    assert metric_values(result)["trajectory_max_abs"] == 0
    assert not any("do not depend on such actions" in note for note in result.notes)


def test_a_circuit_without_an_answer_ends_the_episode_and_not_the_run(loaded):
    """Amplifiers are sized for where the network goes; where mismatch drives the circuit they reach their rails."""
    technology = load_technology(None, ["tia.gain=1000", "devices.area_sigma=1.5", "tia.headroom=1.0"])
    result = control(loaded, technology, "cartpole", replace(FEW, seed=1))
    assert result.exit_code == 3
    assert {episode.ending for episode in result.circuit} & {Ending.NO_ACTION}
    first, *_ = result.failed
    assert f"episode {first.place} ended after {first.episode.length} period" in told(result)
    assert "beyond the rail" in told(result)
    document = json.loads(control_json(result))
    assert document["failed_episodes"][0]["outcome"] == "beyond the rail"
    assert document["passed"] is False


@pytest.mark.slow
def test_a_plant_that_breaks_down_under_the_circuit_alone_is_an_ending(loaded, monkeypatch):
    step, wild = CartPole.step, load_technology(None, ["devices.area_sigma=0.3"])
    reference = control(loaded, load_technology(None), "cartpole", FEW).reference
    known = np.concatenate([episode.commands for episode in reference])

    def touchy(self, action):
        observation, *rest = step(self, action)
        near = np.isclose(known, action, rtol=1e-9).any()
        return (observation if near else observation * np.nan, *rest)

    monkeypatch.setattr(CartPole, "step", touchy)
    result = control(loaded, wild, "cartpole", FEW)
    assert {episode.ending for episode in result.circuit} == {Ending.NO_OBSERVATION}
    assert result.own is None
    assert result.exit_code == 3
    assert "after 0 periods the plant gave [nan" in told(result)
    hold(control_json(result), "kanspice.control/1")


def test_a_plant_that_is_not_finite_with_the_network_itself_is_bad_input(loaded):
    def plant():
        return Counter(width=4, answer=lambda period: ([np.nan] * 4, 0.0, False, False, {}) if period == 5 else None)

    with pytest.raises(InputError) as raised:
        control(loaded, load_technology(None), plant, FEW)
    assert "plant: episode 0 of the network itself ends with what is not finite" in str(raised.value)
    assert "after 4 periods the plant gave [nan, nan, nan, nan]" in str(raised.value)


@pytest.mark.parametrize(
    ("counts", "draws", "found"),
    [
        ({"episodes": 10**12, "steps": 1}, None, "1,000,000,000,000"),
        ({"episodes": 1, "steps": 10**15}, None, "2,000,000,000,000,000"),
        ({"episodes": 10, "steps": 500}, 1_000_000, "5,000,010,000"),
    ],
)
def test_more_than_could_be_kept_is_refused_before_anything_begins(loaded, counts, draws, found):
    specimens = None if draws is None else Draws(points_of(None, (), (), ()), (), draws)
    with pytest.raises(InputError, match="too many") as refused:
        control(loaded, load_technology(None), "cartpole", ControlOptions(**counts), specimens)
    assert refused.value.found == found


def test_a_network_without_finite_answers_is_bad_input(tmp_path):
    class Far(Counter):
        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return np.full(4, 1e2), {}

    network = saved(linear(np.ones((4, 1))), tmp_path)
    with torch.no_grad():
        network.model.crossbars[0].coeffs.fill_(1e308)
    with pytest.raises(InputError) as raised:
        control(network, load_technology(None), lambda: Far(width=4), FEW)
    assert "the network has no action for any start" in str(raised.value)
    assert "found:    the network's own values are not finite" in str(raised.value)


@pytest.mark.slow
def test_success_over_draws(swept):
    none, some, most = swept.points
    assert (len(none.draws), none.random, none.rate) == (1, False, 1.0)
    assert (none.yield_.low, none.yield_.high) == (None, None)
    assert len(some.draws) == len(most.draws) == 4
    assert [draw.seed for draw in some.draws] == [draw.seed for draw in most.draws]
    assert some.rate > most.rate
    assert most.yield_.low is not None
    assert none.apart < some.apart < most.apart
    text = told(swept)
    assert "nothing is drawn at random at devices.area_sigma=0: one draw is all there is" in text
    document = json.loads(control_json(swept))
    assert [point["values"] for point in document["success"]] == [
        {"devices.area_sigma": value} for value in ("0", "0.2", "0.9")
    ]
    assert document["success"][2]["good_draws"] == sum(all(draw.successes) for draw in most.draws)


@pytest.mark.ngspice
def test_a_draw_in_the_other_engine_ends_as_it_did(loaded):
    sweeps = (Sweep("devices.area_sigma", ("0.05", "0.6")),)
    draws = Draws(points_of(None, (), (), sweeps), sweeps, trials=2, checks=1)
    result = control(loaded, load_technology(None), "cartpole", replace(FEW, steps=8), draws)
    (check,) = result.checks
    assert check.agrees
    assert (check.engine, check.point) == ("ngspice", "devices.area_sigma=0.6")
    assert check.found.seed == result.points[1].draws[0].seed
    wrong = replace(check, found=replace(check.found, lengths=(1, 2, 3)))
    disagreeing = replace(result, checks=(wrong,))
    assert disagreeing.exit_code == 3
    assert "3 of 3 episodes end differently" in told(disagreeing)


@pytest.mark.slow
def test_processes_make_plants_by_their_names(loaded):
    sweeps = (Sweep("devices.area_sigma", ("0.2",)),)
    draws = Draws(points_of(None, (), (), sweeps), sweeps, trials=3)
    one, two = (control(loaded, load_technology(None), "cartpole", FEW, draws, jobs=jobs) for jobs in (1, 2))
    assert one.points == two.points
    with pytest.raises(InputError, match="processes make plants by their names"):
        control(loaded, load_technology(None), CartPole, FEW, draws, jobs=2)


def test_limits(loaded):
    limits = [("success_drop", 0.0), ("action_rmse", 1e-9)]
    technology = load_technology(None, ["tia.gain=1000"])
    result = control(loaded, technology, "cartpole", replace(FEW, limits=limits))
    assert [limit.passed for limit in result.limits] == [True, False]
    assert result.exit_code == 1
    assert "FAILED: of 2 limits, 1 exceeded" in told(result)
    least = control(loaded, technology, "cartpole", replace(FEW, limits=[("success_rate", 1.0)]))
    assert [(limit.min, limit.value) for limit in least.limits] == [(1.0, least.circuit_rate)]
    assert least.exit_code == (0 if least.circuit_rate == 1 else 1)
    with pytest.raises(InputError, match="did you mean 'action_rmse'"):
        control(loaded, technology, "cartpole", replace(FEW, limits=[("action_rms", 1.0)]))


def test_a_limit_on_actions_below_their_numerical_error_is_not_kept_by_chance(swept):
    error = NumericalGap(4, 1e-3, 1e-3, 1e-3)
    along = replace(swept.along, numerical=error)
    resolved = replace(swept, along=along, limits=(Limit("action_rmse", 1e-6, 0.1), Limit("trajectory_max_abs", 0, 0)))
    assert resolved.exit_code == 0
    for metric in ("action_rmse", "action_max_abs", "own_action_rmse", "own_action_max_abs"):
        found = replace(resolved, limits=(Limit(metric, 1e-6, 1e-5),))
        assert found.exit_code == 3
        assert "lies below the numerical error" in found.unresolved[0]
        assert "FAILED: not resolved" in told(found)
        assert json.loads(control_json(found))["unresolved"] == list(found.unresolved)


def test_the_document_is_valid_and_has_the_keys_that_scripts_rely_on(swept):
    hold(control_json(swept), "kanspice.control/1")
    document = json.loads(control_json(swept))
    control_part = document["control"]
    for whose in ("circuit", "reference"):
        assert control_part[f"{whose}_lengths"] == [25, 25, 25]
        assert control_part[f"{whose}_returns"] == [25.0, 25.0, 25.0]
        assert control_part[f"{whose}_mean_reward"] == 1.0
    assert control_part["step_s"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("plant", ["cartpole", "arm"])
def test_the_page_has_a_picture_of_every_plant(plant, loaded, swept, tmp_path):
    if plant == "arm":
        network = saved(linear([[1.0, 0.5], [0.5, -0.2]]), tmp_path)
        result = control(network, load_technology(None), "arm", replace(FEW, latency=1))
        assert PlanarArm().observation_names[0] in result.plant.observation_names
    else:
        result = swept
    page = page_html(control_page(result))
    assert ("data:image/svg+xml" in page) == (plant == "cartpole")
    assert ("The path of the hand" in page) == (plant == "arm")
    assert ("How often do circuits succeed?" in page) == (plant == "cartpole")
    assert page.count('<img src="data:image/') >= 2
    assert "://" not in page.replace("http://www.w3.org", "")


@pytest.mark.slow
@pytest.mark.ngspice
def test_a_loop_that_will_take_long_says_so_before_it_begins(loaded, monkeypatch):
    options, said, periods = replace(FEW, engine="ngspice"), [], []
    control(loaded, load_technology(None), "cartpole", options, warn=said.append)
    assert said == []
    monkeypatch.setattr("kanspice.experiments.control.setup.WORTH_SAYING_S", 0.0)

    def warn(text):
        said.append(text)
        assert sum(periods) == 3 * 25  # the network's own

    control(loaded, load_technology(None), "cartpole", options, progress=periods.append, warn=warn)
    assert re.fullmatch(
        r"ngspice takes \S+ s for an inference of this circuit, about \S+ s for all: 75 control periods, if the"
        r" circuit's episodes last as long as the network's, and 75 observations outside of the loop;.*",
        *said,
    )
    control(loaded, load_technology(None), "cartpole", FEW, warn=warn)
    assert len(said) == 1
