"""Our own plants, held against their equations."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kanspice.control.plants import Box, CartPole, PhotovoltaicArray, PlanarArm
from kanspice.control.plants.arm import RAD_PER_UNIT
from kanspice.control.plants.cartpole import SCALE
from kanspice.control.plants.photovoltaic import STANDARD_K, Cells

OURS = [CartPole, PhotovoltaicArray, PlanarArm]


@pytest.mark.parametrize("make", OURS)
def test_a_seed_makes_the_same_episode_and_another_seed_another(make):
    def episode(seed):
        plant = make()
        observations = [plant.reset(seed=seed)[0]]
        observations += [plant.step(np.full(plant.action_space.shape, 0.1))[0] for _ in range(4)]
        assert all(plant.observation_space.contains(each) for each in observations)
        return np.array(observations)

    assert np.array_equal(episode(3), episode(3))
    assert not np.array_equal(episode(3), episode(4))


def accelerations(state, force):
    """Of cart and pole, from the two equations of motion solved together: Lagrange's, without friction."""
    _, _, angle, turning = state
    sine, cosine = math.sin(angle), math.cos(angle)
    masses = [[1.1, 0.1 * 0.5 * cosine], [0.1 * 0.5 * cosine, 0.1 * 0.25 * 4 / 3]]
    forces = [force + 0.1 * 0.5 * turning**2 * sine, 0.1 * 9.8 * 0.5 * sine]
    return np.linalg.solve(masses, forces)


def test_the_pole_moves_as_mechanics_says():
    state, plant = np.array([0.1, -0.2, 0.05, 0.3]), CartPole()
    plant.reset(options={"state": state})
    found, reward, fallen, *_ = plant.step([0.4])
    for _ in range(5):
        cart, pole = accelerations(state, 2.0)
        state[1] += 0.02 * cart
        state[3] += 0.02 * pole
        state[0] += 0.02 * state[1]
        state[2] += 0.02 * state[3]
    assert found * SCALE == pytest.approx(state, rel=1e-12)
    assert (reward, fallen) == (1.0, False)


@pytest.mark.parametrize("state", [(2.399, 3.0, 0, 0), (0, 0, 0.2094, 1.0), (0, 0, -0.2094, -1.0)])
def test_the_pole_falls_and_the_cart_leaves_the_track(state):
    plant = CartPole()
    plant.reset(options={"state": state})
    _, reward, fallen, late, _ = plant.step([0.0])
    assert (reward, fallen, late) == (0.0, True, False)


@pytest.mark.parametrize(("sun", "celsius"), [(1000, 25), (250, 15), (1000, 60), (430, 41)])
def test_the_cells_current_solves_their_equation(sun, celsius):
    cells = Cells().at(sun, celsius + 273.15)
    for volts in np.linspace(0, 200, 9).tolist():
        amps = cells.current_a(volts)
        inner = volts + amps * cells.series_ohm
        diode = cells.saturation_a * math.expm1(inner / cells.thermal_v)
        assert cells.light_a - diode - inner / cells.shunt_ohm == pytest.approx(amps, abs=1e-9)
    best_v, best_w = cells.greatest_power()
    watts = [volts * cells.current_a(volts) for volts in np.linspace(0, 200, 2001).tolist()]
    assert max(watts) <= best_w * (1 + 1e-12)
    assert best_w == pytest.approx(best_v * cells.current_a(best_v)) == pytest.approx(max(watts), rel=1e-5)


def test_the_array_is_as_its_units_say():
    cells = Cells().at(1000, STANDARD_K)
    assert cells == Cells()
    assert cells.current_a(0) == pytest.approx(8.9, rel=2e-3)
    assert cells.current_a(187.0) == pytest.approx(0, abs=0.05)


def test_the_array_is_tracked_perfectly_by_who_knows_where_its_power_is_greatest():
    plant = PhotovoltaicArray()
    observation, _ = plant.reset(seed=1)
    best_v, efficiencies = 150.0, []
    for _ in range(120):
        step = (best_v - 200 * observation[0]) / 5
        observation, reward, *_, info = plant.step([step])
        best_v = info["best_v"]
        efficiencies.append(reward)
        assert observation[2] == pytest.approx(np.clip(step, -1, 1))
    assert max(efficiencies) <= 1 + 1e-9
    assert min(efficiencies[20:]) > 0.999
    assert info["is_success"]


def test_no_current_flows_back_into_the_array():
    plant = PhotovoltaicArray()
    plant.reset(seed=1)
    for _ in range(40):
        observation, reward, *_ = plant.step([1.0])
    assert observation[0] == 1.5
    assert (observation[1], reward) == (0.0, 0.0)
    assert observation[3] == 2.0


def test_the_arm_follows_with_exact_inverse_kinematics_and_not_with_a_stiff_elbow():
    plant = PlanarArm()
    target, _ = plant.reset(seed=5)
    for _ in range(100):
        distance, (first, second) = np.hypot(*target), plant.links
        elbow = math.acos((distance**2 - first**2 - second**2) / (2 * first * second))
        lead = math.atan2(second * math.sin(elbow), first + second * math.cos(elbow))
        action = np.array([math.atan2(target[1], target[0]) - lead, elbow]) / RAD_PER_UNIT
        target, reward, *_, info = plant.step(action)
        assert reward == pytest.approx(0, abs=1e-12)
    assert info["is_success"]
    assert not plant.step([0.0, 0.0])[4]["hand"][1]
    plant.reset(seed=5)
    assert not plant.step([0.0, 0.0])[4]["is_success"]


def test_the_links_of_an_arm_of_any_number_of_joints_are_one_long():
    for joints in (1, 2, 3, 6):
        plant = PlanarArm(joints)
        assert plant.action_space.shape == (joints,)
        assert plant.hand(np.zeros(joints)) == pytest.approx([1.0, 0.0])


def test_a_box_says_what_is_in_it():
    box = Box([0.0, -1.0], [1.0, np.inf])
    assert box.contains([0.5, 100.0])
    assert not box.contains([0.5, -1.1])
    assert not box.contains([0.5])
    assert str(box) == "Box(-1.0, inf, (2,), float64)"
