"""Our own plants, held against their equations."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kanspice.base.errors import InputError
from kanspice.experiments.control.plants import (
    Box,
    CartPole,
    DenavitHartenberg,
    PhotovoltaicArray,
    PlanarArm,
    PowerTracking,
    SerialArm,
    load_curves,
    plant_maker,
    six_axes,
)
from kanspice.experiments.control.plants.arm import RAD_PER_UNIT
from kanspice.experiments.control.plants.cartpole import SCALE
from kanspice.experiments.control.plants.photovoltaic import STANDARD_K, Cells

OURS = [CartPole, PhotovoltaicArray, PlanarArm, PowerTracking, SerialArm]


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


CURVE_A = np.array([5.0, 5.0, 4.0, 2.0, 0.0])


def test_tracking_on_given_curves_is_in_volts_and_kilowatts():
    """Powers at the points are 0, 1, 1.6, 1.2 and 0 W; in between they are linear, as current is, up to 0.8 V."""
    plant = PowerTracking(CURVE_A[None])
    (volts, *_), _ = plant.reset(seed=2)
    observation, reward, *_, info = plant.step([0.5 - 200 * volts])
    assert observation == pytest.approx([0.5 / 200, 3.0 / 9, 0.5 - 200 * volts, 1.4 / 1000])
    assert reward == pytest.approx(1.4 / 1.6)
    assert (info["best_v"], info["best_w"]) == (pytest.approx(0.4), pytest.approx(1.6))
    observation, reward, *_, info = plant.step([-0.1])
    assert observation == pytest.approx([0.4 / 200, 4.0 / 9, -0.1, 1.6 / 1000])
    assert reward == 1.0
    assert info["is_success"] == ((1.4 / 1.6 + 1) / 2 >= 0.95)
    for step, voltage in ((1000.0, 200.0), (-1000.0, 0.0)):
        observation, reward, *_ = plant.step([step])
        assert observation[[0, 2]] == pytest.approx([voltage / 200, step])
        assert reward == 0.0


def test_curves_are_drawn_from_a_file(tmp_path):
    np.save(tmp_path / "curves.npy", np.outer([1.0, 2.0, 3.0], CURVE_A))
    plant = plant_maker("pv-curves", 1, tmp_path / "curves.npy")()
    drawn = set()
    for seed in range(20):
        plant.reset(seed=seed)
        drawn.add(round(plant.step([0.0])[4]["best_w"], 6))
    assert drawn == {1.6, 3.2, 4.8}


@pytest.mark.parametrize(
    ("curves", "message"),
    [
        (np.ones(5), "wrong shape"),
        (np.ones((3, 1)), "have no length"),
        (np.array([CURVE_A, -CURVE_A]), "row 1 delivers none"),
        (np.array([[1.0, np.nan]]), "finite"),
    ],
)
def test_curves_that_cannot_be(tmp_path, curves, message):
    np.save(tmp_path / "curves.npy", curves)
    with pytest.raises(InputError, match=message):
        load_curves(tmp_path / "curves.npy")


def test_another_plant_has_no_curves(tmp_path):
    with pytest.raises(InputError, match="the plant has no curves"):
        plant_maker("pv", 1, tmp_path / "curves.npy")


def rotation(axis, angle):
    """About the x axis (0) or the z axis (2)."""
    c, s = math.cos(angle), math.sin(angle)
    if axis:
        return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def test_the_hand_of_six_axes_is_where_turning_joint_by_joint_leads():
    table = six_axes()
    for seed in range(5):
        u = np.random.default_rng(seed).uniform(0, 1, 6)
        turned, place = np.eye(3), np.zeros(3)
        angles = [5.76 * (u[0] - 0.5), 3.84 * (u[1] - 0.5), 1.22 + 0.7 * u[2]]
        angles += [5.58 * (u[3] - 0.5), 4.18 * (u[4] - 0.5), 6.28 * u[5]]
        links = [(0, 0.29, -90), (0.27, 0, 0), (0.07, 0.134, -90), (0, 0.168, 90), (0.072, 0, -90), (0, 0, 0)]
        for angle, (length, offset, twist) in zip(angles, links, strict=True):
            turned = turned @ rotation(2, angle)
            place = place + turned @ [length, 0, offset]
            turned = turned @ rotation(0, math.radians(twist))
        assert table.hand_m(u) == pytest.approx(place, abs=1e-14)


def test_a_stretched_arm_of_a_table_of_its_own():
    flat = np.zeros(2)
    table = DenavitHartenberg(np.array([0.3, 0.2]), flat, flat, flat, np.full(2, math.pi))
    assert table.hand_m(np.zeros(2)) == pytest.approx([0.5, 0, 0])
    assert table.hand_m(np.array([0.5, 0.0])) == pytest.approx([0, 0.5, 0])
    assert SerialArm(table).action_space.shape == (2,)
    with pytest.raises(InputError, match="the arm's table cannot be used"):
        DenavitHartenberg(flat, flat, flat, flat, np.zeros(3))


def test_the_six_axes_follow_the_path_with_the_joints_that_draw_it():
    plant = SerialArm()
    target, _ = plant.reset(seed=4)
    for period in range(100):
        action = plant.leading(period)
        assert plant.action_space.contains(action)
        assert plant.table.hand_m(action) == pytest.approx(target, abs=1e-14)
        target, reward, *_, info = plant.step(action)
        assert reward == pytest.approx(0, abs=1e-12)
    assert info["is_success"]
    assert plant.step(np.full(6, 0.5))[1] < 0


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
