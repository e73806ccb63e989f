"""`kanspice.try_device`: what a device would do in small networks, beside others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kanspice.base.errors import InputError
from kanspice.base.validation import similar
from kanspice.devices import Device, load_device
from kanspice.devices.fit import KINDS, FitKind, FitReport
from kanspice.devices.instruments.columns import ColumnChoice
from kanspice.devices.instruments.sweeps import BRANCHES, Branch
from kanspice.devices.measured import device_from
from kanspice.experiments.api.arguments import Overrides, Tech, technology_of
from kanspice.experiments.numbers import check_numbers, plain_numbers
from kanspice.experiments.trial.result import DeviceTrial
from kanspice.experiments.trial.run import BESIDE, TrialOptions, epochs, known_tasks
from kanspice.experiments.trial.run import try_device as tried
from kanspice.report.progress_bar import Bar, bar_of
from kanspice.technology import load_technology


@plain_numbers
def try_device(
    source: str | Path | Device,
    *,
    kind: FitKind = "smooth",
    voltage_column: str | None = None,
    current_column: str | None = None,
    voltage_unit: str | None = None,
    current_unit: str | None = None,
    area_cm2: float | None = None,
    branch: Branch = "up",
    tech: Tech = "typical",
    set: Overrides = (),
    specimens: int = 3,
    beside: Sequence[str | Path | Device] | None = None,
    seed: int = 0,
    progress: bool | Bar = False,
) -> DeviceTrial:
    """Trains small networks of a device, solves their circuits, and does the same with others.

    source: a file of measured voltages and currents, a card, a shipped device's name, or a device. kind: of the curve
    through points; voltage_column to branch: how their file is read. tech, set: of the circuits that are not ideal, of
    which there are so many specimens. beside: devices to compare with, shipped ones if None. seed: of training, samples
    and specimens.
    Raises InputError for what cannot be read, and for a device that a network cannot drive.
    """
    check_numbers(specimens=specimens, seed=seed)
    _check_known("kind", kind, KINDS)
    _check_known("branch", branch, BRANCHES)
    choice = ColumnChoice(voltage_column, current_column, voltage_unit, current_unit, area_cm2)
    device, report, reading, name = _given(source, kind, choice, branch)
    others = [_device(each) for each in (BESIDE if beside is None else beside)]
    others = [other for other in others if other.sha256 != device.sha256]
    options = TrialOptions(technology_of(tech, set), load_technology("ideal"), specimens, seed)
    tasks, left_out = known_tasks(seed)
    with bar_of(progress)("training and solving", epochs(tasks, 1 + len(others)), "epochs") as told:
        return tried(
            device,
            others,
            tasks,
            options,
            left_out=left_out,
            source=name,
            report=report,
            reading=reading,
            progress=told,
        )


def _given(
    source: str | Path | Device, kind: FitKind, choice: ColumnChoice, branch: Branch
) -> tuple[Device, FitReport | None, tuple[str, ...], str]:
    """The device, how it was fitted and read, and what it is from."""
    if isinstance(source, Device):
        return source, None, (), ""
    device, report, reading = device_from(source, kind, choice, branch)
    return device, report, reading, str(source) if report is None else Path(source).name


def _device(given: str | Path | Device) -> Device:
    return given if isinstance(given, Device) else load_device(given)


def _check_known(what: str, given: str, known: Sequence[str]) -> None:
    if given not in known:
        problem, expected = f"no such {what}", ", ".join(known)
        raise InputError(problem, where=what, expected=expected, found=given, hint=similar(given, known))
