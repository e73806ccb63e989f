"""Calibrations: trims that help a chip, and are left alone where they do not."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from circuits import LINE, inputs_for, network, technology
from json_schemas import hold, shipped
from jsonschema import Draft202012Validator
from synthetic_calibrations import CALIBRATIONS

import kanspice
from kanspice.base.draws import Draw
from kanspice.base.errors import InputError
from kanspice.circuit import Crossbar
from kanspice.circuit.specimens import draw_specimen
from kanspice.experiments.api.calibrate import _simulated
from kanspice.experiments.calibrate.document import calibration_json
from kanspice.experiments.calibrate.fit import FoundTwin, Practice
from kanspice.experiments.calibrate.run import Asked, _Candidate, _helps
from kanspice.experiments.calibrate.trims import Space, parse_trims
from kanspice.experiments.identify.twin import Twin
from kanspice.families import compile_nominal, sizing_for
from kanspice.families.loading import loaded_from
from kanspice.report.blocks import Table

MODEL = network([6, 5, 3], [LINE], norm="none")
INPUTS = inputs_for(MODEL, 90)
TECH = technology("devices.area_sigma=0.2", "tia.offset_sigma_v=0.005")


def calibrate(**options):
    return kanspice.calibrate(MODEL, INPUTS, tech=TECH, **{"engine": "batched", **options})


def test_where_rails_leave_no_answer_there_is_no_gap():
    nothing = {"judged_gap": float("nan"), "expected_gap": float("nan"), "is_used": False}
    result = CALIBRATIONS["measured"]()
    document = json.loads(
        calibration_json(replace(result, candidates=[replace(each, **nothing) for each in result.candidates]))
    )
    assert {each["judged_gap"] for each in document["candidates"]} == {None}
    Draft202012Validator(shipped("kanspice.calibration/1")).validate(document)


def test_columns_bring_a_chip_back():
    result = calibrate(chip=3, measurements=[20, 40], trims=["outputs", "columns"])
    best = result.chosen
    assert best is not None
    assert best.measurements == 40
    assert best.chip.gap < 0.6 * result.untouched.gap
    assert best.chip.samples == result.untouched.samples == 25
    assert [each.trims for each in result.candidates] == ["outputs", "columns"] * 2
    assert result.twins[-1].error < 0.5 * result.twins[-1].untouched_error


def test_the_same_from_a_file_with_what_is_missing(tmp_path):
    loaded = loaded_from(MODEL)
    nominal = compile_nominal(loaded, TECH, sizing_for(loaded, TECH, INPUTS))
    chip = draw_specimen(nominal, TECH, Draw(3))
    outputs = kanspice.experiments.api.calibrate._simulated("batched", INPUTS, chip)
    outputs[40:] = np.nan
    outputs[3, 1] = np.nan
    np.savetxt(tmp_path / "chip.csv", outputs, delimiter=",")
    result = calibrate(measured=tmp_path / "chip.csv", trims=["columns"], output=tmp_path / "trims.npz")
    assert result.measured == 40
    assert result.untouched is None
    assert result.chosen is not None
    with np.load(tmp_path / "trims.npz") as written:
        assert set(written) == {f"l{layer}.crossbar.{what}" for layer in (1, 2) for what in ("gain", "offset_v")}
        assert written["l1.crossbar.gain"].shape == (5,)


def test_a_chip_that_needs_nothing_is_left_alone():
    loaded = loaded_from(MODEL)
    ideal = compile_nominal(loaded, technology(), sizing_for(loaded, technology(), INPUTS))
    outputs = kanspice.experiments.api.calibrate._simulated("batched", INPUTS, ideal)
    outputs += 1e-3 * outputs.std() * np.random.default_rng(0).standard_normal(outputs.shape)
    result = calibrate(measured=outputs, trims=["outputs", "columns"])
    assert all(each.judged_gap < 0.01 for each in result.candidates)


def test_too_few_measurements_and_trims():
    with pytest.raises(InputError, match="not so many measured samples"):
        calibrate(chip=0, measurements=[5])
    with pytest.raises(InputError, match="more trims than measured numbers"):
        calibrate(chip=0, measurements=[10], trims=["columns+areas"], area_fraction=1.0)
    with pytest.raises(InputError, match="too few measured samples"):
        calibrate(measured=np.where(np.arange(90)[:, None] < 4, 0.0, np.full((90, 3), np.nan)))
    with pytest.raises(InputError, match="another shape"):
        calibrate(measured=np.zeros((80, 3)))
    with pytest.raises(InputError, match="of one chip"):
        calibrate()
    with pytest.raises(InputError, match="of one chip"):
        calibrate(measured=np.zeros((90, 3)), chip=1)
    with pytest.raises(InputError, match="no fraction"):
        calibrate(chip=0, area_fraction=0.0)
    with pytest.raises(InputError, match="nothing of this circuit is unknown"):
        kanspice.calibrate(MODEL, INPUTS, chip=0, engine="batched")


@pytest.mark.parametrize("text", ["", "colums", "columns+", "columns+areas+x"])
def test_trims_that_there_are_not(text):
    with pytest.raises(InputError, match="no trims"):
        parse_trims([text])


def test_trims_are_set_as_they_can_be():
    loaded = loaded_from(MODEL)
    nominal = compile_nominal(loaded, TECH, sizing_for(loaded, TECH, INPUTS))
    chip = draw_specimen(nominal, TECH, Draw(1))
    space = Space(nominal, ("columns", "clips", "references", "areas"), 3, area_step=0.25)
    values = space.settable(np.random.default_rng(0).standard_normal(space.size) * 3)
    assert space.settable(values) == pytest.approx(values, abs=1e-9)
    gains = space.columns(values)["l1.crossbar"].gain
    assert len(np.unique(gains)) <= 2**3 + 1
    assert 0.5 <= gains.min() <= gains.max() <= 2.0
    trimmed = space.applied(chip, values)
    for before, after, meant in zip(chip.crossbars, trimmed.crossbars, nominal.crossbars, strict=True):
        there = before.area != 0
        programmed = np.abs(after.area / np.where(there, before.area, 1.0) * meant.area)[there]
        moved = ~np.isclose(programmed, np.abs(meant.area)[there])
        assert programmed[moved] / 0.25 == pytest.approx(np.round(programmed[moved] / 0.25), abs=1e-9)
    untouched = space.applied(chip, np.zeros(space.size))
    for before, after in zip(chip.crossbars, untouched.crossbars, strict=True):
        assert (before.area == after.area).all()
        assert before.bias_a == pytest.approx(after.bias_a)
        assert before.feedback_ohm == pytest.approx(after.feedback_ohm)


def test_a_chip_that_no_twin_explains_is_doubted():
    loaded = loaded_from(MODEL)
    chip = draw_specimen(compile_nominal(loaded, TECH, sizing_for(loaded, TECH, INPUTS)), TECH, Draw(3))
    outputs = kanspice.experiments.api.calibrate._simulated("batched", INPUTS, chip)
    result = calibrate(measured=outputs, measurements=[40], trims=["columns"])
    assert result.twins[0].chi_squared < 2
    assert result.page().answer.text.startswith("Set columns: ")
    odd = replace(result, twins=[replace(result.twins[0], chi_squared=60.0)])
    assert odd.page().answer.text.startswith("Doubtful: no specimen of the technology explains the chip")
    assert odd.page().answer.warning
    assert (result.exit_code, odd.exit_code) == (0, 1)


def test_a_chips_sample_without_a_result_is_counted_and_wrong():
    expected = np.array([[1.0, 0.0], [2.0, 0.5], [0.0, 1.0], [3.0, 1.0]])
    asked = Asked(None, INPUTS[:4], expected, expected, 1.0, (), (), 8, 0.05, np.zeros(4, dtype=np.int64))
    outputs = asked.expected[:4].copy()
    outputs[1] = np.nan  # whose largest output NumPy calls the first
    found = asked.chip_of(outputs, np.arange(4))
    expected = np.delete(asked.expected[:4], 1, axis=0)
    assert (found.samples, found.failed, found.gap) == (4, 1, 0.0)
    assert found.accuracy == np.sum(expected.argmax(axis=1) == 0) / 4
    nothing = asked.chip_of(np.full_like(outputs, np.nan), np.arange(4))
    assert np.isnan(nothing.gap)
    assert nothing.accuracy == 0


def test_trims_with_which_a_chip_loses_samples_are_doubted():
    result = CALIBRATIONS["simulated"]()
    best = result.best
    assert best is not None
    chosen = result.candidates[best]
    losing = replace(chosen, chip=replace(chosen.chip, failed=3))
    lost = replace(result, candidates=[losing if each is chosen else each for each in result.candidates])
    assert lost.exit_code == 3
    assert lost.page().answer.text.startswith("Doubtful: 3 samples more of the chip have no result then. Set ")


def test_trims_that_lose_a_sample_do_not_help():
    expected, before, after = np.zeros((9, 2)), np.ones((9, 2)), np.full((9, 2), 0.1)
    assert _helps(before, after, expected, 0.05)
    after[4, 1] = np.nan
    assert not _helps(before, after, expected, 0.05)
    before[4, 1] = np.nan
    assert _helps(before, after, expected, 0.05)


def test_few_samples_have_to_agree_more():
    """What is 1.5 standard errors better on 4 samples is so by chance with one of seven chips."""
    expected, before = np.zeros((4, 1)), np.full((4, 1), 1.0)
    after = np.sqrt(1.0 - np.array([[0.9], [0.5], [0.1], [-0.3]]))
    gained = 1.0 - after[:, 0] ** 2
    assert gained.mean() > gained.std(ddof=1) / 2
    assert not _helps(before, after, expected, 0.05)
    assert _helps(before, after, expected, 0.2)
    assert not _helps(before[:1], after[:1], expected[:1], 0.2)


def test_trims_stay_away_from_rails():
    """The wall where amplifiers would be beyond their rails stops no fit, and trims do not pass it."""
    tech = technology("devices.area_sigma=0.3", "tia.rail_v=5", "tia.headroom=0.99")
    loaded = loaded_from(MODEL)
    nominal = compile_nominal(loaded, tech, sizing_for(loaded, tech, INPUTS))
    twin = Twin(loaded, tech, sizing_for(loaded, tech, INPUTS))
    weak = replace(nominal, stages=tuple(_with_areas(stage, 0.4) for stage in nominal.stages))
    wanted = twin.answer_of(nominal, INPUTS).outputs
    space = Space(nominal, ("columns",), 12)
    values = Practice(twin, space, [weak], INPUTS, 1.2 * wanted, float(wanted.std()), 0.05).trims()
    assert np.abs(values).max() > 0.5
    outputs = _simulated("batched", INPUTS, space.applied(weak, values))
    assert np.isfinite(outputs).all()


def test_a_twin_is_judged_with_its_rails():
    """Samples that trims take beyond a rail have no answer, so that these do not help; fits see none of the rails."""
    tech = technology("devices.area_sigma=0.2", "tia.rail_v=5", "tia.headroom=0.9")
    loaded = loaded_from(MODEL)
    twin = Twin(loaded, tech, sizing_for(loaded, tech, INPUTS))
    space = Space(twin.nominal, ("columns",), 8)
    values = np.zeros(space.size)
    for place in space.groups["gain"].values():
        values[place] = 0.8  # gains of 1.22
    trimmed = space.applied(twin.nominal, values)
    assert np.isfinite(twin.answer_of(trimmed, INPUTS).outputs).all()
    judged = twin.answer_of(trimmed, INPUTS, has_rails=True).outputs
    assert np.array_equal(np.isfinite(judged), np.isfinite(_simulated("batched", INPUTS, trimmed)))
    assert 0 < np.isfinite(judged).all(axis=1).sum() < len(INPUTS)


def _with_areas(stage, factor):
    return replace(stage, area=stage.area * factor) if isinstance(stage, Crossbar) else stage


def test_samples_that_trims_are_judged_by_are_counted_and_those_beyond_a_rail_are_in_no_gap(monkeypatch):
    tech = technology("devices.area_sigma=0.2", "tia.rail_v=5", "tia.headroom=0.9")
    loaded = loaded_from(MODEL)
    twin = Twin(loaded, tech, sizing_for(loaded, tech, INPUTS))
    space = Space(twin.nominal, ("columns",), 8)
    values = np.zeros(space.size)
    for place in space.groups["gain"].values():
        values[place] = 0.8
    monkeypatch.setattr(Practice, "trims", lambda _: values)
    outputs = twin.answer_of(twin.nominal, INPUTS).outputs
    asked = Asked(twin, INPUTS, 1.1 * outputs, outputs, 1.0, [("columns",)], [len(INPUTS)], 8, 0.05)
    judged = np.arange(0, len(INPUTS), 5)
    fit = np.setdiff1d(np.arange(len(INPUTS)), judged)
    found = FoundTwin(twin.nominal, (twin.nominal,), 0.0, 0.0, None, 0.03, 0.0)
    made = _Candidate(asked, ("columns",), len(INPUTS), fit, judged, found).made()
    trimmed = twin.answer_of(space.applied(twin.nominal, values), INPUTS[judged], has_rails=True).outputs
    whole = np.isfinite(trimmed).all(axis=1)
    assert made.judged == len(judged)
    assert 0 < made.judged_failed == np.sum(~whole) < len(judged)
    left = (trimmed - 1.1 * outputs[judged])[np.isfinite(trimmed)]
    assert made.judged_gap == pytest.approx(np.sqrt(np.mean(left**2)))
    result = replace(CALIBRATIONS["measured"](), candidates=[made])
    document = json.loads(calibration_json(result))
    hold(calibration_json(result), "kanspice.calibration/1")
    (written,) = document["candidates"]
    assert (written["judged"], written["judged_failed"]) == (len(judged), made.judged_failed)
    (table,) = (block for block in result.page().sections[1].blocks if isinstance(block, Table))
    cells = dict(zip(table.header, table.rows[0], strict=True))
    assert cells["judged\nby"] == str(len(judged))
    assert cells["gap judged\nafter"].endswith(f"({made.judged_failed} failed)")
