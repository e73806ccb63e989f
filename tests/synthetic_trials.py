"""Trials of devices that nobody ran, with everything that one can say, and with what one may lack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from kanspice.devices import Device, load_device
from kanspice.engine.solution import FailedSample, Outcome
from kanspice.experiments.trial.normalised import normalised
from kanspice.experiments.trial.result import DecisionMap, DeviceTrial, TaskTrial, TriedDevice
from kanspice.technology import load_technology

RAIL_V = 5.0
DIGITS = TaskTrial("digits", 0.9375, 0.9375, 1.4, 0.75, (0.9375, 0.90625))
MOONS = TaskTrial("two moons", 0.984375, 0.984375, 0.75, 0.375, (0.96875, 0.984375))


def tried(device: Device, *trials: TaskTrial, own: bool = False) -> TriedDevice:
    return TriedDevice(device, own, normalised(device, RAIL_V), trials)


def spread(device: Device) -> Device:
    """The same with a spread on its card."""
    found = {"devices": 5, "area_sigma": 0.0625, "shift_sigma_v": 0.003, "residual": 0.01}
    return Device.from_dict(device.to_dict() | {"spread": found})


def whole() -> DeviceTrial:
    """Two devices on two tasks."""
    axis = np.linspace(0.0, 0.5, 3)
    decided = np.array([[0, 0, 1], [0, 1, 1], [1, 1, -1]])
    shown = DecisionMap(axis, np.abs(decided), decided, np.array([[0.125, 0.25]]), np.array([0]))
    own = replace(tried(spread(load_device("z21_passive")), DIGITS, MOONS, own=True), map=shown)
    return DeviceTrial(
        (own, tried(load_device("ohmic"), DIGITS, MOONS)),
        "iv.csv",
        load_technology("typical"),
        2,
        reading=("41 rows from line 2, separated by commas",),
        seconds=12.5,
        command="kanspice devices try iv.csv --beside ohmic",
    )


def lacking() -> DeviceTrial:
    """A transistor without a circuit, beside a device some of whose samples have no result; no digits."""
    none = replace(MOONS, typical=(), why_none="a device behind its series resistance has several currents")
    failed = replace(MOONS, failed=(FailedSample(3, Outcome.UNSTABLE, "seen at 3 V"),), unstable=0.125)
    devices = tried(load_device("nmos_2n7002"), none, own=True), tried(load_device("z21"), failed)
    return DeviceTrial(devices, "nmos_2n7002", load_technology("typical"), 2, left_out=("no digits",), seconds=1.0)


TRIALS: Mapping[str, Callable[[], DeviceTrial]] = {"whole": whole, "lacking": lacking}
