"""Trains small networks of one device each, and solves their circuits: the one that is asked about, and others."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kanspice.base.errors import InputError
from kanspice.circuit.compile.card_spread import with_card_spread, without_card_spread
from kanspice.devices import Device
from kanspice.devices.fit import FitReport
from kanspice.engine.options import RunOptions
from kanspice.engine.progress import Progress
from kanspice.experiments.evidence import Evidence
from kanspice.experiments.trial.normalised import NormalisedDevice, normalised
from kanspice.experiments.trial.result import DecisionMap, DeviceTrial, TaskTrial, TriedDevice
from kanspice.experiments.trial.tasks import MOONS, TrialTask, digits, moons, scaled
from kanspice.experiments.verify.options import VerifyOptions
from kanspice.experiments.verify.result import GapResult
from kanspice.experiments.verify.run import verify
from kanspice.families import LoadedModel
from kanspice.families.kanalogue.starting import fresh, full_scale
from kanspice.families.loading import loaded_from
from kanspice.nn.training import Plain, Schedule, Trained, train
from kanspice.technology import Technology

BESIDE = ("z21", "a21", "rtd", "nmos_2n7002", "ohmic")
"""Shipped devices that one is compared with."""
_WAYS = ((1.0, 0.25), (1.0, 0.5), (0.5, 0.5), (0.25, 0.5))
"""Which part of the device's range a network has, and which part of that its inputs: the best is taken."""
_TRIED = 0.3
"""Of a training's epochs, after which these are compared."""
_RATE, _NOISE = 0.05, 0.02
"""Largest step of the training; noise on its inputs, of the full scale."""
_ENGINE = "batched"
_MAP = 41
"""Points along each side of a map of decisions."""


@dataclass(frozen=True)
class TrialOptions:
    """technology: of the circuits that are not ideal; ideal: of those that are, whatever cards say of how much devices
    differ. specimens: how many are drawn.
    """

    technology: Technology
    ideal: Technology
    specimens: int = 3
    seed: int = 0

    def of(self, device: Device) -> TrialOptions:
        """With the mismatch that is on the device's card, where it has one and nobody has set another."""
        if device.card.spread is None:
            return self
        drawn = with_card_spread(self.technology, [device])  # networks have it normalised, without a card of its own
        return replace(self, technology=without_card_spread(drawn), ideal=without_card_spread(self.ideal))


def known_tasks(seed: int) -> tuple[list[TrialTask], tuple[str, ...]]:
    """Those that there are, and why others are not: digits need scikit-learn."""
    makers: Sequence[Callable[[int], TrialTask]] = (digits, moons)
    found: list[TrialTask] = []
    lacking: list[str] = []
    for make in makers:
        try:
            found.append(make(seed))
        except InputError as error:
            lacking.append(f"{error.problem}: {error.hint}")
    return found, tuple(lacking)


def epochs(tasks: Sequence[TrialTask], devices: int) -> int:
    """How many a trial of so many devices tells of."""
    return devices * sum(len(_WAYS) * _few(task) + task.epochs for task in tasks)


def try_device(
    device: Device,
    beside: Sequence[Device],
    tasks: Sequence[TrialTask],
    options: TrialOptions,
    *,
    left_out: Sequence[str] = (),
    source: str = "",
    report: FitReport | None = None,
    reading: Sequence[str] = (),
    progress: Progress | None = None,
) -> DeviceTrial:
    """Networks of this device, and of each of the others: their accuracies, and their circuits'.

    A network has a part of the device's range, and its inputs a part of that, the best of some; the largest current is
    one unit. tasks, left_out: as `known_tasks` has them. progress: told of every epoch. Raises InputError for a device
    that a network cannot drive.
    """
    began, told = time.monotonic(), progress or (lambda _: None)
    for each in (device, *beside):
        normalised(each, options.technology.tia.rail_v)
    found = [_tried(device, tasks, options.of(device), told, own=True)]
    found += [_tried(each, tasks, options.of(each), told, own=False) for each in beside]
    return DeviceTrial(
        tuple(found),
        source,
        options.technology,
        options.specimens,
        report,
        tuple(reading),
        tuple(left_out),
        time.monotonic() - began,
    )


def _tried(
    device: Device, tasks: Sequence[TrialTask], options: TrialOptions, told: Progress, *, own: bool
) -> TriedDevice:
    trials, drawn = [], None
    for task in tasks:
        trained = _trained(task, device, options, told)
        trials.append(_solved(trained, options))
        if own and task.name == MOONS:
            drawn = _map(trained, options)
    return TriedDevice(device, own, normalised(device, options.technology.tia.rail_v), tuple(trials), drawn)


def _few(task: TrialTask) -> int:
    return max(1, round(_TRIED * task.epochs))


@dataclass(frozen=True)
class _Trained:
    """A network of a task, of a device, whose inputs are `by` times as large as the task's."""

    task: TrialTask
    normal: NormalisedDevice
    network: LoadedModel
    by: float

    @property
    def input_v(self) -> float:
        return self.by * self.normal.volts_per_unit


def _trained(task: TrialTask, device: Device, options: TrialOptions, told: Progress) -> _Trained:
    """The network that uses the part of the range that is best after a few epochs."""
    rail_v = options.technology.tia.rail_v
    ways = [(normalised(device, rail_v, part), inputs * full_scale()) for part, inputs in _WAYS]
    tried = [_course(task, *way, _few(task), options.seed, told) for way in ways]
    normal, by = ways[int(np.argmin([min(each.course.losses) for each in tried]))]
    return _Trained(task, normal, loaded_from(_course(task, normal, by, task.epochs, options.seed, told).network), by)


def _course(  # noqa: PLR0917, twice, from `_trained`
    task: TrialTask, normal: NormalisedDevice, by: float, epochs: int, seed: int, told: Progress
) -> Trained:
    training, held_out = scaled(task.training, by), scaled(task.held_out, by)
    network = fresh(task.widths, [normal.device], training.inputs, seed)
    schedule = Schedule(epochs=epochs, rate=_RATE, input_noise=_NOISE * by, seed=seed, patience=epochs)
    return train(Plain(network), training, held_out, schedule, progress=told)


def _solved(trained: _Trained, options: TrialOptions) -> TaskTrial:
    task, by = trained.task, trained.by
    inputs, sizing = scaled(task.tested, by).inputs, scaled(task.held_out, by).inputs
    evidence = Evidence(inputs, labels=task.labels, population=sizing)
    ideal = _verified(trained, options.ideal, evidence, 0)
    found = TaskTrial(
        task=task.name,
        network=_accuracy(ideal, "reference"),
        ideal=_accuracy(ideal, "circuit"),
        range_v=trained.normal.range_v,
        input_v=trained.input_v,
    )
    try:
        draws = [_verified(trained, options.technology, evidence, seed) for seed in range(options.specimens)]
    except InputError as error:
        why = error.problem + (f" (found: {error.found})" if error.found else "")
        return replace(found, why_none=why)
    worst = max(draws, key=lambda draw: len(draw.failed))
    return replace(
        found,
        typical=tuple(_accuracy(draw, "circuit") for draw in draws),
        failed=worst.failed,
        unstable=max(draw.unstable_fraction for draw in draws),
    )


def _accuracy(result: GapResult, whose: str) -> float:
    return float("nan") if result.accuracy is None else float(result.accuracy[whose])


def _verified(trained: _Trained, technology: Technology, evidence: Evidence, seed: int) -> GapResult:
    """The circuit in volts of the device, one unit of current being the technology's."""
    own = _in_units_of(technology, trained.normal)
    return verify(trained.network, own, evidence, VerifyOptions(engine=_ENGINE, run=RunOptions(seed=seed)))


def _in_units_of(technology: Technology, normal: NormalisedDevice) -> Technology:
    """The technology with the device's volts for one unit, and with its own amps for one."""
    fields = {"v_unit_v": normal.volts_per_unit, "i_unit_a": technology.units.i_unit_a}
    return technology.model_copy(update={"units": technology.units.model_copy(update=fields)})


def _map(trained: _Trained, options: TrialOptions) -> DecisionMap | None:
    """Decisions of the network and of the first specimen all over the plane of the inputs; None without a circuit."""
    task, by, axis = trained.task, trained.by, np.linspace(0.0, 1.0, _MAP)
    across, up = np.meshgrid(axis, axis)
    grid = np.stack([across.ravel(), up.ravel()], axis=1) * by
    try:
        found = _verified(trained, options.technology, Evidence(grid, population=scaled(task.held_out, by).inputs), 0)
    except InputError:
        return None
    circuit = np.where(np.isfinite(found.outputs).all(axis=1), np.nan_to_num(found.outputs).argmax(axis=1), -1)
    return DecisionMap(
        axis * trained.input_v,
        found.reference.argmax(axis=1).reshape(across.shape),
        circuit.reshape(across.shape),
        task.tested.inputs * trained.input_v,
        task.labels,
    )
