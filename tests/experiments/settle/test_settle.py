"""Crossbars over time, against closed forms, and what is said of those that do not come to rest."""

from __future__ import annotations

import io
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from circuits import LINE, crossbar_design, design_of, inputs_for, load_device, network
from rich.console import Console

from kanspice.base.errors import InputError, SimulatorError
from kanspice.engine.ngspice.sequence import Precision, follow_sequence
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve
from kanspice.engine.sequence import Pace
from kanspice.engine.solution import FailedSample, Outcome
from kanspice.experiments.settle import transients
from kanspice.experiments.settle.document import settling_json
from kanspice.experiments.settle.page import settling_page
from kanspice.experiments.settle.run import settle
from kanspice.experiments.settle.settling import settling
from kanspice.experiments.settle.transients import SettleOptions
from kanspice.families import load, save
from kanspice.gap import Variation
from kanspice.report.page_html import page_html
from kanspice.report.terminal import print_page
from kanspice.technology import load_technology

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[3] / "docs" / "transients.md"
STEP = np.array([[1.0], [0.2]])


def with_crossbar(design, **changes):
    first, crossbar = design.stages
    return replace(design, stages=(first, replace(crossbar, **changes)))


def followed(design, inputs, period_s, rise_s=0.0):
    pace = Pace(period_s, rise_s or 1e-4 * period_s)
    trace = follow_sequence(design, inputs, pace, Precision(1e-6, 200), timeout_s=60)
    assert trace.failure is None
    first = trace.time_s <= period_s
    return trace.time_s[first] - pace.rise_s / 2, trace.stage_v["l1.crossbar"][first, 0], pace.rise_s


@pytest.mark.ngspice
def test_one_pole_settles_as_its_closed_loop_does():
    """Noise gain 1 + R G = 3, gain A = 1e4: tau = 1 / (2 pi GBW (1/3 + 1/A)), end -R I / (1 + 3/A)."""
    design = with_crossbar(crossbar_design([LINE], [[[2.0]]], feedback=1e6, gain=1e4, rail=10.0), gbw_hz=1e6)
    time_s, volts, rise_s = followed(design, STEP, 10e-6)
    constant_s = 1 / (2 * np.pi * 1e6 * (1 / 3 + 1e-4))
    end_v, start_v = 2.0 / (1 + 3e-4), 0.4 / (1 + 3e-4)
    after = time_s > rise_s
    expected_v = end_v + (start_v - end_v) * np.exp(-time_s[after] / constant_s)
    np.testing.assert_allclose(volts[after], expected_v, atol=5e-4)


@pytest.mark.ngspice
def test_slewing_is_a_ramp():
    """From 0.4 V to 2 V at 0.1 V/us: nearly straight, until what is left is slower than that."""
    design = with_crossbar(
        crossbar_design([LINE], [[[2.0]]], feedback=1e6, gain=1e4, rail=10.0), gbw_hz=1e7, slew_v_per_s=1e5
    )
    time_s, volts, _ = followed(design, STEP, 40e-6)
    ramp = (time_s > 1e-6) & (time_s < 15e-6)
    slope = np.polyfit(time_s[ramp], volts[ramp], 1)[0]
    assert abs(slope) == pytest.approx(1e5, rel=1e-3)
    assert volts[-1] == pytest.approx(2.0, rel=1e-3)


@pytest.mark.ngspice
def test_a_row_behind_its_driver_is_an_rc():
    """100 kohm, two crosspoints of 1 pF, and 1 uS to a column at 0 V: tau = 2 pF (100 kohm || 1 Mohm)."""
    design = with_crossbar(crossbar_design([LINE], [[[1.0]]], feedback=1e6, rail=10.0), driver_ohm=1e5, row_f=1e-12)
    time_s, volts, rise_s = followed(design, STEP, 3e-6)
    constant_s = 2e-12 / (1e-5 + 1e-6)
    after = time_s > rise_s
    expected_v = (1.0 + (0.2 - 1.0) * np.exp(-time_s[after] / constant_s)) / 1.1
    np.testing.assert_allclose(volts[after], expected_v, atol=2e-4)


@pytest.mark.ngspice
def test_it_comes_to_rest_at_the_operating_point():
    """With everything that takes time, of several stages, an amplifier with resistance and swing among it."""
    model = network([3, 4, 2], [LINE], input_stage="sigmoid")
    inputs = inputs_for(model, 3)
    slow = (
        "tia.gbw_hz=1e7",
        "tia.slew_v_per_s=1e8",
        "devices.junction_f=1e-16",
        "wires.row_f=1e-16",
        "wires.column_f=1e-16",
    )
    design = design_of(
        model, inputs, "tia.gain=1e4", "tia.output_ohm=1e3", "tia.swing_v=6.0", "wires.row_ohm=100.0", *slow
    )
    solution = solve("batched", design, inputs, "device", RunOptions(check_samples=0))
    pace = Pace(2e-5, 2e-8)
    trace = follow_sequence(design, design.inputs_v(inputs), pace, Precision(), timeout_s=60)
    rest_v = dict(solution.stage_v)
    shown = trace.courses(design, pace, len(inputs))
    found = settling(
        design,
        shown,
        pace,
        rest_v,
        rest_v["l2.crossbar"],
        grows=np.zeros(3, dtype=bool),
        tolerances=(1e-2, 1e-5),
        quiescent_a=1e-6,
    )
    assert found.failed == ()
    assert found.read_outs[-1].from_rest < 1e-5
    assert found.read_outs[0].from_rest > 0.1
    first, last = (stage for stage in found.stages if stage.tolerance == 1e-2)
    assert 0 < first.mean_s <= first.largest_s < last.largest_s < found.latency_s < 2e-5
    assert found.energy_j == pytest.approx(found.power_w * found.latency_s, rel=0.3)


@pytest.mark.ngspice
def test_an_oscillation_and_too_little_time_are_outcomes(tmp_path):
    model = network([3, 4, 2], [load_device("z21")], input_stage="sigmoid")
    inputs = inputs_for(model, 3)
    save(model, tmp_path / "model.pt")
    loaded = load(tmp_path / "model.pt")
    slow = load_technology(None, ["tia.gain=1e5", "tia.gbw_hz=1e7", "wires.column_f=1e-14", "tia.feedback_f=0"])
    result = settle(loaded, slow, inputs, SettleOptions(period_s=1.9e-6, timeout_s=60, engine="ngspice"))
    assert {failure.outcome for failure in result.failed} == {Outcome.OSCILLATES}
    assert result.exit_code == 3
    assert result.latency_s is None
    assert json.loads(settling_json(result))["failed"][0]["outcome"] == "oscillates"
    hurried = settle(loaded, slow, inputs, SettleOptions(period_s=2e-9, timeout_s=60, engine="ngspice"))
    assert Outcome.UNSETTLED in {failure.outcome for failure in hurried.failed}


@pytest.fixture
def slow_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = network([3, 4, 2], [LINE], input_stage="sigmoid")
    save(model, tmp_path / "model.pt")
    np.save(tmp_path / "inputs.npy", inputs_for(model, 5))
    return load(tmp_path / "model.pt")


@pytest.mark.ngspice
def test_the_documented_command(slow_model, monkeypatch, capsys):
    from kanspice.cli import main

    command = next(line for line in DOCS.read_text().splitlines() if line.startswith("kanspice settle"))
    monkeypatch.setattr("sys.argv", [*command.split(), "--markdown", "settling.md", "--junit", "settling.xml"])
    with pytest.raises(SystemExit) as left:
        main()
    assert not left.value.code
    assert "latency" in capsys.readouterr().out
    found = json.loads(Path("settling.json").read_text())
    assert found["schema"] == "kanspice.settling/1"
    assert found["settled"]
    assert found["samples"] == 3
    assert found["numerical"] < 1e-3
    assert len(found["read_outs"]) == 25
    assert [stage["name"] for stage in found["noise"]] == ["l1.crossbar", "l2.crossbar"]
    assert all(5 < stage["bits"] < 20 for stage in found["noise"])
    assert Path("settling.md").read_text().startswith("### ✅ All 3 samples settle")
    assert 'failures="0" errors="0"' in Path("settling.xml").read_text()
    assert Path("settling.png").read_bytes().startswith(b"\x89PNG")


def test_what_cannot_settle_is_refused(slow_model):
    inputs = np.zeros((2, 3))
    with pytest.raises(InputError, match="nothing in this circuit takes time"):
        settle(slow_model, load_technology(), inputs)
    slow = load_technology(None, ["tia.gbw_hz=1e6"])
    with pytest.raises(InputError, match="one sample is no step"):
        settle(slow_model, slow, inputs[:1])
    with pytest.raises(InputError, match="an amplifier that slews has a bandwidth"):
        settle(slow_model, load_technology(None, ["tia.slew_v_per_s=1e6"]), inputs)


@pytest.mark.ngspice
def test_operating_points_do_not_feel_what_takes_time(slow_model):
    model, inputs = slow_model.model, inputs_for(slow_model.model, 3)
    slow = ("tia.gbw_hz=1e6", "devices.junction_f=1e-12", "wires.column_f=1e-12")
    found = [
        solve(
            "ngspice",
            design_of(model, inputs, "tia.gain=1e3", *extra),
            inputs,
            "device",
            RunOptions(check_samples=0),
        )
        for extra in ((), slow)
    ]
    np.testing.assert_array_equal(found[0].stage_v["l2.crossbar"], found[1].stage_v["l2.crossbar"])


def test_progress_counts_every_sample_once_and_takes_back_what_had_too_little_time(slow_model, monkeypatch):
    """The first period is a fortieth of what is guessed, which is too little."""
    inputs, told = inputs_for(slow_model.model, 5), []
    slow = load_technology(None, ["tia.gbw_hz=1e6", "tia.gain=1e4"])
    guessed_s = transients.guessed_period_s
    monkeypatch.setattr(transients, "guessed_period_s", lambda design: guessed_s(design) / 40)
    settle(slow_model, slow, inputs, progress=told.append)
    results = [advance.samples for advance in told if advance.side_run is None]
    assert sum(results) == 5
    assert -5 in results
    beside = [(each.side_run.name, each.side_run.samples, each.samples) for each in told if each.side_run]
    assert beside == [("operating points", 5, 5), ("numerical error", 4, 4)]


def test_settle_says_how_long_it_will_take(slow_model, monkeypatch, capsys):
    from kanspice.cli import main
    from kanspice.report import estimate

    monkeypatch.setattr(estimate, "LONG_S", 0.0)
    arguments = ["kanspice", "settle", "model.pt", "--inputs", "inputs.npy", "--set", "tia.gbw_hz=1e6"]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code in (None, 0)
    faster = r"fewer samples \(--limit\), or a shorter --period"
    said = rf"estimate: about .+ for 5 samples and their numerical error, \S+ s each; faster: {faster}\n"
    assert re.fullmatch(said, capsys.readouterr().err)


DIGITS = Path(__file__).parents[3] / "examples" / "01_kanalogue_digits"


def test_the_shipped_example_comes_to_rest_with_what_the_help_sets():
    """Its columns have no capacitance then but that of the feedback: without, they jump, and that has no end."""
    inputs, loaded, options = np.load(DIGITS / "inputs.npy"), load(DIGITS / "model.pt"), SettleOptions(1.2e-4)
    slow = "tia.gbw_hz=1e6"
    held = settle(loaded, load_technology(None, [slow]), inputs[:2], options, population=inputs)
    assert (held.failed, held.unstable, held.exit_code) == ((), (), 0)
    assert 0 < held.latency_s < 1.2e-4
    assert [each.stage for each in held.capacitors] == ["l1.crossbar", "l2.crossbar"]
    assert held.capacitors[1].feedback_f > 0
    bare = load_technology(None, [slow, "tia.feedback_f=0"])
    with pytest.raises(SimulatorError, match="no transient came to its end"):
        settle(loaded, bare, inputs[:2], options, population=inputs)
    assert "capacitor of l2.crossbar: " in render(held)
    for changed, why in (
        ({"numerical": 0.01}, "more than the 0.001 within which outputs count as settled"),
        ({"variation": Variation(1e-13, 1.0)}, "hardly vary"),
    ):
        open_ = replace(held, **changed)
        assert open_.exit_code == 3
        assert why in json.loads(settling_json(open_))["unresolved"][0]
        assert f"Not resolved: {open_.unresolved[0]}" in render(open_)
        assert "Not resolved: " in page_html(settling_page(open_))
    lost = (FailedSample(1, Outcome.DIVERGED), FailedSample(0, Outcome.UNSETTLED))
    text = render(replace(held, failed=lost, latency_s=None, energy_j=None, numerical=None, unstable=(1,)))
    assert "no latency and no energy: not every sample settles" in text
    assert "without 1 sample whose transients did not come to their end" in text
    assert "at 1 of 2 operating points a pole grows" in text
    assert "numerical error" not in text


def render(result):
    console = Console(file=io.StringIO(), width=200)
    print_page(settling_page(result), console)
    return console.file.getvalue()
