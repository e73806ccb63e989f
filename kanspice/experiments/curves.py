"""Devices' curves in the simulators that are installed, against NumPy."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from kanspice.base.errors import InputError, SimulatorError
from kanspice.devices import Device
from kanspice.engine.engines import Engine, engine_named
from kanspice.engine.names import HOMES
from kanspice.engine.simulators.curve_check import CurveDeviation, checked_volts, deviation


@dataclass(frozen=True)
class CheckedCurve:
    """One device in one simulator."""

    device: str
    engine: str
    found: CurveDeviation


def check_curves(devices: Sequence[Device], engine: str | None, timeout_s: float) -> list[CheckedCurve]:
    """Every device in a simulator, or in all that are installed.

    Raises InputError for an engine that is none, SimulatorError where it, or every one, is missing.
    """
    simulators, ends_at = _simulators(engine), time.monotonic() + timeout_s
    checked = []
    for device in devices:
        volts = checked_volts(device.curve)
        expected = device.curve.numpy(volts)[0]
        for simulator in simulators:
            if simulator.sweep_curve is not None:
                found = simulator.sweep_curve(device.curve, volts, ends_at)
                checked.append(CheckedCurve(device.name, simulator.name, deviation(volts, expected, found)))
    return checked


def _simulators(wanted: str | None) -> list[Engine]:
    if wanted is not None:
        engine = engine_named(wanted)
        if engine.sweep_curve is None:
            raise InputError("has NumPy's own curves", where="--engine", expected="a simulator", found=wanted)
        engine.find()
        return [engine]
    installed = [each for each in map(engine_named, HOMES) if each.sweep_curve is not None and _is_installed(each)]
    if not installed:
        raise SimulatorError("no simulator is installed", hint="run `kanspice doctor`")
    return installed


def _is_installed(engine: Engine) -> bool:
    try:
        engine.find()
    except SimulatorError:
        return False
    return True
