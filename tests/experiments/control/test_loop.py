"""The loop by itself: made-up plants and controllers."""

from __future__ import annotations

import numpy as np
import pytest
from loops import Counter, Echo

from kanspice.base.errors import InputError
from kanspice.engine.solution import Outcome
from kanspice.experiments.control.loop import Ending, Loop


def run(plant, controller=None, steps=4, latency=0, others=()):
    plants = [plant, *others]
    return Loop("made up", plants, range(7, 7 + len(plants)), steps, latency).run(controller or Echo())[0]


def test_an_episode_holds_what_passed_between_both():
    plant = Counter()
    (episode,) = run(plant)
    assert plant.seeds == [7]
    assert episode.observations.ravel().tolist() == [0, 1, 2, 3, 4]
    assert episode.commands.ravel().tolist() == [1, 2, 3, 4]
    assert (episode.length, episode.total, episode.ending, episode.success) == (4, 4.0, Ending.LASTED, True)


def test_with_latency_an_action_acts_one_period_late():
    plant = Counter()
    (episode,) = run(plant, latency=1)
    assert np.ravel(plant.actions).tolist() == [0, 1, 2, 3]
    assert episode.commands.ravel().tolist() == [1, 2, 3, 4]


def test_a_plant_gets_no_action_beyond_its_space():
    plant = Counter(bound=2.5)
    (episode,) = run(plant)
    assert np.ravel(plant.actions).tolist() == [1, 2, 2.5, 2.5]
    assert episode.commands.ravel().tolist() == [1, 2, 3, 4]


def at(period, *given):
    return lambda now: given if now == period else None


@pytest.mark.parametrize(
    ("answer", "ending", "success"),
    [
        (at(2, [5.0], 0.0, True, False, {}), Ending.TERMINATED, False),
        (at(2, [5.0], 0.0, True, False, {"is_success": True}), Ending.TERMINATED, True),
        (at(2, [5.0], 0.0, False, True, {}), Ending.LASTED, True),
        (at(2, [5.0], 0.0, False, True, {"is_success": False}), Ending.LASTED, False),
    ],
)
def test_a_plant_ends_an_episode_and_may_say_whether_it_succeeded(answer, ending, success):
    (episode,) = run(Counter(answer=answer))
    assert (episode.length, episode.ending, episode.success) == (2, ending, success)


@pytest.mark.parametrize(("observation", "reward"), [([np.nan], 1.0), ([np.inf], 1.0), ([1.0], np.nan)])
def test_what_is_not_finite_ends_one_episode_and_no_other(observation, reward):
    bad, good = run(Counter(answer=at(3, observation, reward, False, False, {})), others=[Counter()])
    assert (bad.length, bad.ending, bad.success) == (2, Ending.NO_OBSERVATION, False)
    assert len(bad.observations) == 3
    assert "after 2 periods" in bad.detail
    assert (good.length, good.ending) == (4, Ending.LASTED)


def test_a_controller_without_an_answer_ends_one_episode_and_no_other():
    jumps = Counter(answer=at(2, [40.0], 1.0, False, False, {}))
    bad, good = run(jumps, Echo(without=[40.0]), others=[Counter()])
    assert (bad.length, bad.ending, bad.failure.outcome) == (2, Ending.NO_ACTION, Outcome.DIVERGED)
    assert good.ending is Ending.LASTED


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (at(1, [1.0, 2.0], 1.0, False, False, {}), "expected: shape (1,)\n  found:    shape (2,)"),
        (at(1, [1.0], 1.0, False), "the plant failed\n  found:    TypeError: "),
        (at(1, [1.0], "much", False, False, {}), "the plant failed\n  found:    ValueError: could not convert string"),
        (lambda _: 1 / 0, "the plant failed\n  found:    ZeroDivisionError: division by zero"),
    ],
)
def test_a_plant_that_breaks_its_interface_is_an_error(answer, said):
    with pytest.raises(InputError) as raised:
        run(Counter(answer=answer))
    assert said in str(raised.value)
    assert str(raised.value).startswith("made up: ")


def test_a_first_observation_that_is_not_finite_is_an_error(monkeypatch):
    monkeypatch.setattr(Counter, "reset", lambda self, **_: ([np.nan], {}))
    with pytest.raises(InputError, match="made up: the plant's first observation is not finite"):
        run(Counter())
