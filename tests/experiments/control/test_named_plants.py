"""Plants by name: ours, gymnasium's (in its stead a small registry), and names that are refused."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from loops import Counter

from kanspice.base.errors import InputError
from kanspice.experiments.control.plants import PLANTS, PlanarArm, check_fit, named, plant_maker


class RegistryError(Exception):
    """As gymnasium's."""


@pytest.fixture
def registry(monkeypatch):
    """A gymnasium that knows one environment, and one that cannot be made."""

    class Room(Counter):
        def __init__(self):
            super().__init__(width=3)
            self.action_space = SimpleNamespace(
                low=np.float32([-2]), high=np.float32([2]), shape=(1,), dtype=np.dtype(np.float32)
            )

    def make(name, **options):
        assert options == {"disable_env_checker": True}
        if name == "Broken-v0":
            raise ImportError("no module named mujoco")
        if name not in {"Room-v1", "space/Room-v1"}:
            raise RegistryError(f"Environment `{name}` doesn't exist.\nmore")
        return Room()

    fake = ModuleType("gymnasium")
    fake.make, fake.error = make, SimpleNamespace(Error=RegistryError)
    monkeypatch.setitem(sys.modules, "gymnasium", fake)
    monkeypatch.setattr(named, "find_spec", lambda name: name == "gymnasium")


def refused(name, actions=1):
    with pytest.raises(InputError) as raised:
        plant_maker(name, actions)
    return str(raised.value)


def test_ours_are_made_anew_for_every_episode():
    assert set(PLANTS) == {"cartpole", "pv", "pv-curves", "arm", "arm6"}
    make = plant_maker("arm", 3)
    first, second = make(), make()
    assert isinstance(first, PlanarArm)
    assert first is not second
    assert first.action_space.shape == (3,)


def test_whatever_is_registered_with_gymnasium_is_a_plant(registry):
    for name in ("Room-v1", "space/Room-v1"):
        plant = plant_maker(name, 1)()
        check_fit(plant, name, 3, 1)


def test_an_unknown_plant(registry):
    said = refused("Rome-v1")
    assert "unknown plant 'Rome-v1'" in said
    assert "expected: one of cartpole, pv, pv-curves, arm, arm6; or an environment registered with gymnasium" in said
    assert "found:    Environment `Rome-v1` doesn't exist." in said


def test_an_unknown_plant_without_gymnasium(monkeypatch):
    """What there is is listed once, and what is missing is the hint."""
    monkeypatch.setattr(named, "find_spec", lambda _name: None)
    said = refused("Rome-v1")
    assert said.count("cartpole") == 1
    assert "try:      pip install 'kanspice[gymnasium]'" in said
    assert "did you mean 'cartpole'" in refused("cartpolo")


def test_a_plant_that_cannot_be_made(registry):
    assert "the plant cannot be made\n  found:    ImportError: no module named mujoco" in refused("Broken-v0")


def test_without_gymnasium_there_are_ours(monkeypatch):
    monkeypatch.setattr(named, "find_spec", lambda name: None)
    said = refused("cartpol")
    assert "gymnasium, which is not installed" in said
    assert "did you mean 'cartpole'?" in said


@pytest.mark.parametrize("name", ["os:Room-v1", "module.of.a.stranger:Env-v0", ":Room-v1"])
def test_a_name_that_would_import_a_module_is_refused(registry, name):
    assert "a plant's name cannot name a module to import" in refused(name)


@pytest.mark.parametrize("name", ["", "../x", "a b", "a/b/c", "x\n", "`x`"])
def test_what_is_no_name_is_not_looked_up(name):
    assert "unknown plant" in refused(name)


@pytest.mark.parametrize(
    ("inputs", "outputs", "what", "expected", "found"),
    [
        (2, 1, "observation", "(2,) for a network of 2 inputs", "Box(-inf, inf, (3,)"),
        (3, 2, "action", "(2,) for a network of 2 outputs", "Box(-1.0, 1.0, (1,)"),
    ],
)
def test_a_plant_that_does_not_fit_the_network_says_what_it_has(inputs, outputs, what, expected, found):
    with pytest.raises(InputError) as raised:
        check_fit(Counter(width=3, bound=1.0), "a plant", inputs, outputs)
    said = f"a plant: the network does not fit the plant's {what} space\n  expected: a box of shape {expected}"
    assert f"{said}\n  found:    {found}" in str(raised.value)


def test_a_plant_whose_actions_are_choices_does_not_fit():
    plant = Counter()
    plant.action_space = SimpleNamespace(n=2, shape=(), dtype=np.dtype(int))
    with pytest.raises(InputError, match="the plant's action space"):
        check_fit(plant, "choices", 1, 1)
