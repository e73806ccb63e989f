"""Trying a device: what networks have of it, that its units do not matter, and what a trial says."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from json_schemas import hold
from typer.testing import CliRunner

import kanspice
from kanspice.base.errors import InputError
from kanspice.cli.devices import app
from kanspice.devices import Device, is_resistance, load_device
from kanspice.devices.fit import CardIdentity, fit_card
from kanspice.devices.instruments.spread import DeviceSpread
from kanspice.experiments.api import trial as trials
from kanspice.experiments.trial import run, tasks
from kanspice.experiments.trial.normalised import normalised
from kanspice.experiments.trial.result import DeviceTrial
from kanspice.experiments.trial.run import TrialOptions, try_device
from kanspice.report.page_html import page_html
from kanspice.technology.loading import load_technology

V = np.linspace(0.0, 0.5, 41)
AMPS = 2e-3 * (V / 0.1) * np.exp(1 - V / 0.1) + 1e-10 * np.expm1(V / 0.03)
IDEAL, TYPICAL = load_technology("ideal"), load_technology("typical")
OPTIONS = TrialOptions(TYPICAL, IDEAL, specimens=1)


def diode(unit: str = "A", unit_a: float = 1.0, spread: DeviceSpread | None = None) -> Device:
    who = CardIdentity("mine", "made up", current_unit=unit, current_unit_a=unit_a, spread=spread)
    return fit_card(V, AMPS / unit_a, who)[0]


def short(task: tasks.TrialTask, epochs: int = 16) -> tasks.TrialTask:
    return replace(task, epochs=epochs)


@pytest.fixture(scope="module")
def trial() -> DeviceTrial:
    return try_device(diode(), [load_device("ohmic")], [short(tasks.moons(), 100)], OPTIONS, source="iv.csv")


def test_a_device_has_the_networks_units_whatever_its_own_are() -> None:
    found = [normalised(diode(*unit), 5.0) for unit in (("A", 1.0), ("uA", 1e-6))]
    v = np.linspace(0, 1.4, 101)
    curves = [each.device.curve.numpy(v)[0] for each in found]
    np.testing.assert_allclose(curves[0], curves[1], atol=1e-12)
    assert np.abs(curves[0]).max() == pytest.approx(1.0, abs=1e-3)
    assert found[0].volts_per_unit == pytest.approx(0.5 / 1.4)
    assert [each.unit * a for each, a in zip(found, (1.0, 1e-6), strict=True)] == pytest.approx(
        [AMPS.max()] * 2, rel=0.01
    )
    assert found[0].device.card.units.current_unit_a is None


def test_a_part_of_the_range_and_what_rails_leave_of_it() -> None:
    half = normalised(diode(), 5.0, 0.5)
    assert half.range_v == 0.25
    assert half.device.curve.numpy(1.4)[0] * half.unit == pytest.approx(diode().curve.numpy(0.25)[0])
    assert normalised(load_device("rtd"), 5.0).range_v == pytest.approx(4.0)
    assert normalised(load_device("rtd"), 15.0).range_v == pytest.approx(5.0)


def test_a_resistor_stays_one() -> None:
    assert is_resistance(normalised(load_device("ohmic"), 5.0).device.curve)


def test_a_device_without_positive_voltages_is_refused() -> None:
    device, _ = fit_card(V - 0.5, -AMPS[::-1], CardIdentity("mine", "made up"))
    with pytest.raises(InputError, match=r"(?s)voltages from 0 V up.*-0\.5 V to 0 V"):
        try_device(device, [], [tasks.moons()], OPTIONS)


@pytest.mark.slow
def test_amperes_and_microamperes_train_alike() -> None:
    """A physicist's amps."""
    task = [short(tasks.moons())]
    found = [try_device(diode(*unit), [], task, OPTIONS).own.trials[0] for unit in (("A", 1.0), ("uA", 1e-6))]
    assert found[0].network == pytest.approx(found[1].network, abs=0.02)
    assert found[0].typical == pytest.approx(found[1].typical, abs=0.03)


@pytest.mark.slow
def test_moons_are_learnt_and_their_circuits_hold_them(trial: DeviceTrial) -> None:
    mine, ohmic = (each.trials[0] for each in trial.devices)
    assert mine.network > 0.9
    assert ohmic.network > 0.85
    assert mine.ideal == mine.network
    assert mine.typical[0] > 0.85
    assert mine.range_v in {0.5, 0.25, 0.125}
    assert mine.input_v in {mine.range_v / 4, mine.range_v / 2}
    assert not mine.failed
    assert [each.own for each in trial.devices] == [True, False]
    assert trial.columns()["device"] == ["mine", "ohmic"]


@pytest.mark.slow
def test_decisions_are_those_of_network_and_circuit(trial: DeviceTrial) -> None:
    found = trial.own.map
    assert found is not None
    assert found.network.shape == found.circuit.shape == (41, 41)
    near = np.rint(found.inputs / found.axis[-1] * 40).astype(int)
    decided = found.network[near[:, 1], near[:, 0]]
    assert (decided == found.labels).mean() == pytest.approx(trial.own.trials[0].network, abs=0.06)
    assert (found.network == found.circuit).mean() > 0.85


@pytest.mark.slow
@pytest.mark.usefixtures("rough_pictures")
def test_the_page_says_what_was_found(trial: DeviceTrial) -> None:
    page = page_html(trial.page())
    for said in (
        "mine (yours)",
        "two moons",
        "Does the curve follow the points?",
        "What holds it?",
        "as measured",
    ):
        assert said in page
    assert "<script src" not in page
    assert "mine: two moons" in repr(trial)


@pytest.mark.slow
def test_the_steepest_fall_is_the_curves(trial: DeviceTrial) -> None:
    """As it was measured, and as circuits have it."""
    v = np.linspace(0, 0.5, 20001)
    slope = diode().curve.numpy(v)[1]
    assert trial.own.largest_a == pytest.approx(np.abs(diode().curve.numpy(v)[0]).max(), rel=1e-6)
    fall = trial.own.fall(trial.own.largest_a or 0.0)
    assert fall is not None
    assert fall.siemens == pytest.approx(slope.min(), rel=1e-4)
    assert fall.at_v == pytest.approx(v[slope.argmin()], abs=2e-3)
    assert fall.largest_ohm == pytest.approx(-1 / slope.min(), rel=1e-4)
    assert fall.feedback_f(1e8) == pytest.approx(-slope.min() / (2 * np.pi * 1e8), rel=1e-4)
    assert trial.devices[1].fall(1.0) is None


def test_the_spread_of_a_card_is_drawn() -> None:
    spread = DeviceSpread(5, 0.07, 0.004, 0.01)
    own = OPTIONS.of(diode(spread=spread)).technology.devices
    assert (own.area_sigma, own.shift_sigma_v) == (0.07, 0.004)
    assert OPTIONS.of(diode()) is OPTIONS


@pytest.mark.slow
def test_a_circuit_that_cannot_be_is_said() -> None:
    technology = load_technology("typical", ["devices.series_ohm=1e6"])
    found = try_device(diode(), [], [short(tasks.moons(), 4)], replace(OPTIONS, technology=technology))
    trial = found.own.trials[0]
    assert trial.typical == ()
    assert "several currents at one voltage" in trial.why_none
    assert "It has no typical circuit" in (found.page().outcome or found.page().answer).text


def test_tasks_are_the_same_every_time_and_balanced() -> None:
    first, second = tasks.moons(), tasks.moons()
    np.testing.assert_array_equal(first.tested.inputs, second.tested.inputs)
    assert 0.4 < first.labels.mean() < 0.6
    assert (first.training.inputs.min(), first.training.inputs.max()) == (
        pytest.approx(0, abs=0.1),
        pytest.approx(1, abs=0.1),
    )


def test_without_scikit_learn_the_digits_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    found, left_out = run.known_tasks(0)
    assert [task.name for task in found] == [tasks.MOONS]
    assert left_out == ("the digits are scikit-learn's, which is not installed: pip install 'kanspice[examples]'",)


@pytest.mark.slow
@pytest.mark.usefixtures("rough_pictures")
def test_the_command_writes_a_page_and_a_summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "known_tasks", lambda seed: ([short(tasks.moons(seed), 4)], ("no digits",)))
    points, page = tmp_path / "My diode 3.csv", tmp_path / "page.html"
    points.write_text("V (V),I (mA)\n" + "".join(f"{v},{1e3 * i}\n" for v, i in zip(V, AMPS, strict=True)))
    command = ["try", str(points), "-o", str(page), "--beside", "none", "--specimens", "1"]
    result = CliRunner().invoke(app, command, env={"COLUMNS": "160"})
    assert result.exit_code == 0, result.exception
    told = " ".join(result.stdout.split())
    assert "my_diode_3: two moons" in told
    assert "41 rows from line 2, separated by commas" in told
    assert "no digits" in told
    assert "(yours)" in page.read_text()
    assert isinstance(CliRunner().invoke(app, command).exception, InputError)


@pytest.mark.slow
@pytest.mark.usefixtures("rough_pictures")
def test_a_trial_is_json_in_a_file_printed_and_from_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "known_tasks", lambda seed: ([short(tasks.moons(seed), 4)], ()))
    place = tmp_path / "trial.json"
    command = ["try", "z21", "-o", str(place), "--json", "-", "--beside", "ohmic", "--specimens", "1"]
    result = CliRunner().invoke(app, command, env={"COLUMNS": "160"})
    assert result.exit_code == 0, result.exception
    printed, written = json.loads(result.stdout), json.loads(place.read_text())
    assert printed == written
    hold(place.read_text(), "kanspice.trial/1")
    assert [(each["name"], each["own"]) for each in written["devices"]] == [("z21", True), ("ohmic", False)]
    assert written["devices"][0]["peak"]["peak_v"] == pytest.approx(load_device("z21").curve.extrema().peak_v)
    assert written["devices"][1]["peak"] is None
    assert written["technology"]["devices"]["area_sigma"] == 0.03

    found = kanspice.try_device("z21", beside=[load_device("ohmic")], specimens=1)
    assert found.columns()["device"] == ["z21", "ohmic"]
    assert found.own.trials[0].typical == tuple(written["devices"][0]["trials"][0]["typical"])
    assert kanspice.try_device(load_device("z21"), beside=(), specimens=1).own.trials == found.own.trials
    for wrong in ({"kind": "cubic"}, {"branch": "sideways"}, {"specimens": 0}):
        with pytest.raises(InputError):
            kanspice.try_device("z21", **wrong)
