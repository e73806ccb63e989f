"""What trying a device gives: its curve, and how far networks of it and of others come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.devices import Device
from kanspice.devices.extrema import Extrema
from kanspice.devices.fit import FitReport
from kanspice.engine.solution import FailedSample
from kanspice.experiments.trial.normalised import NormalisedDevice
from kanspice.report.blocks import Page
from kanspice.report.frames import Columns
from kanspice.report.shown import Shown
from kanspice.technology import Technology

_POINTS = 4001


@dataclass(frozen=True)
class SteepestFall:
    """Where a device's current falls most steeply: volts, and amps per volt below 0. None of it: nowhere."""

    at_v: float
    siemens: float

    @property
    def largest_ohm(self) -> float:
        """A resistance in series with more than this has several currents at one voltage."""
        return -1 / self.siemens

    def feedback_f(self, gbw_hz: float) -> float:
        """The capacitor across a fast feedback, in farads, with which an amplifier holds one such device's column."""
        return -self.siemens / (2 * np.pi * gbw_hz)


@dataclass(frozen=True)
class TaskTrial:
    """One device on one task.

    network, ideal: accuracies of the network and of its ideal circuit; typical: of specimens in the technology.
    range_v: the voltages that the network has, from 0 V, and input_v the largest of its inputs. failed: samples without
    a result of the specimen that has most of them; unstable: the part of the samples that swing. why_none: why there is
    no such circuit.
    """

    task: str
    network: float
    ideal: float
    range_v: float
    input_v: float
    typical: tuple[float, ...] = ()
    failed: tuple[FailedSample, ...] = ()
    unstable: float = 0.0
    why_none: str = ""

    @property
    def mean(self) -> float:
        """Of the specimens; NaN without any."""
        return float(np.mean(self.typical)) if self.typical else float("nan")


@dataclass(frozen=True)
class DecisionMap:
    """Decisions over a plane: of the network and of a circuit, (points, points), -1 where there is none.

    axis: (points,) volts, of both inputs. inputs: (samples, 2) volts of samples, and their labels (samples,).
    """

    axis: Array
    network: Indices
    circuit: Indices
    inputs: Array
    labels: Indices


@dataclass(frozen=True)
class TriedDevice:
    """A device and what it did. own: whether it is the one that was asked about. normal: as networks have it."""

    device: Device
    own: bool
    normal: NormalisedDevice
    trials: tuple[TaskTrial, ...]
    map: DecisionMap | None = None

    def on(self, task: str) -> TaskTrial | None:
        """The trial on a task; None where there was none."""
        return next((trial for trial in self.trials if trial.task == task), None)

    def fall(self, unit_a: float) -> SteepestFall | None:
        """Of its curve above 0 V where the largest current is `unit_a`; None where it never falls."""
        curve, volts_per_unit = self.normal.device.curve, self.normal.volts_per_unit
        volts = np.linspace(max(curve.lo_v, 0.0), self.normal.range_v / volts_per_unit, _POINTS)
        slope = curve.numpy(volts)[1]
        steepest = int(np.argmin(slope))
        if slope[steepest] >= 0:
            return None
        return SteepestFall(float(volts[steepest]) * volts_per_unit, float(slope[steepest]) * unit_a / volts_per_unit)

    @property
    def peak(self) -> Extrema | None:
        """Its main peak and the valley behind it; None where its current never falls."""
        return self.device.curve.extrema()

    @property
    def largest_a(self) -> float | None:
        """Its largest current above 0 V, in amps; None where the card does not say what its unit is."""
        unit_a = self.device.card.units.current_unit_a
        return None if unit_a is None else unit_a * self.normal.unit


@dataclass(frozen=True, repr=False)
class DeviceTrial(Shown):
    """One device tried, beside others.

    devices: the one asked about first. source: the file, card or name that it is from. report: of its fit, None for a
    card. reading: how its file was read. specimens: of every circuit. left_out: why a task is not there. seconds: how
    long it took.
    """

    devices: tuple[TriedDevice, ...]
    source: str
    technology: Technology
    specimens: int
    report: FitReport | None = None
    reading: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    seconds: float = 0.0
    command: str | None = field(default=None)

    @property
    def own(self) -> TriedDevice:
        """The device that was asked about."""
        return self.devices[0]

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(trial.task for trial in self.own.trials)

    @property
    def technology_values(self) -> Mapping[str, object]:
        """Of the circuits that are not ideal, by section and key."""
        return self.technology.model_dump()

    def page(self) -> Page:
        from kanspice.experiments.trial.page import trial_page  # noqa: PLC0415 - pages are made when they are asked for

        return trial_page(self)

    def columns(self) -> Columns:
        """A row for every device and task."""
        rows = [(each.device.name, trial) for each in self.devices for trial in each.trials]
        return {
            "device": [name for name, _ in rows],
            "task": _of(trial.task for _, trial in rows),
            "network": _of(trial.network for _, trial in rows),
            "ideal": _of(trial.ideal for _, trial in rows),
            "typical": _of(trial.mean for _, trial in rows),
            "unstable": _of(trial.unstable for _, trial in rows),
        }


def _of(values: Iterable[object]) -> list[object]:
    return list(values)
