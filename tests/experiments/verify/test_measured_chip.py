"""`verify` with a measured chip: what is compared, which circuit, what is said, and what is refused."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from circuits import PEAK, inputs_for, load_device, network
from json_schemas import hold
from rendered import printed, to_html, to_markdown

import kanspice
from kanspice.base.errors import InputError
from kanspice.engine.running import solve
from kanspice.engine.solution import FailedSample, Outcome
from kanspice.experiments.compare import comparison_json
from kanspice.experiments.evidence import Evidence
from kanspice.experiments.verify import run as verifying
from kanspice.experiments.verify.document import to_json
from kanspice.experiments.verify.reading import from_json
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import recipe
from kanspice.gap import Limit, NumericalGap, unresolved

MODEL = network([3, 4, 3], [load_device("z21"), PEAK])
INPUTS = inputs_for(MODEL, 12)
FAILED = {index: FailedSample(index, Outcome.SINGULAR, "for a test") for index in (3, 7)}
RANDOM = ("devices.area_sigma=0.05", "tia.offset_sigma_v=0.005")
GAIN = ("tia.gain=300",)


def verify(measured=None, *overrides, **options):
    return kanspice.verify(MODEL, INPUTS, measured=measured, set=list(overrides), engine="batched", **options)


@pytest.fixture(scope="module")
def chip():
    """Another specimen with a gain that is not ideal, and noise: what it gave."""
    result = verify(None, *RANDOM, *GAIN, seed=5)
    noise = 1e-3 * np.random.default_rng(0).standard_normal(result.outputs.shape)
    return result.outputs + noise


@pytest.fixture(scope="module")
def found(chip):
    return verify(chip, *GAIN, labels=np.zeros(12, int))


def test_three_gaps_of_one_scale(found, chip):
    assert found.exit_code == 0
    scale = found.gap.rmse / found.gap.relative_rmse
    assert found.chip.simulated.rmse == pytest.approx(found.gap.rmse)
    assert found.chip.network.rmse == pytest.approx(np.sqrt(np.mean((chip - found.reference) ** 2)))
    assert found.chip.circuit.relative_rmse == pytest.approx(np.sqrt(np.mean((chip - found.outputs) ** 2)) / scale)
    assert set(found.chip.accuracy) == {"reference", "circuit", "chip"}
    assert found.chip.nominal is None  # nothing is random
    assert not any("seed" in note for note in found.notes if "chip" in note)


def test_the_report_says_so_in_every_form(found):
    page = found.page()
    real, missed = (f"{gap.relative_rmse:.3g}" for gap in (found.chip.network, found.chip.circuit))
    assert (
        f"the measured chip's differ from the network's by {real}, from the circuit's by {missed}" in page.answer.text
    )
    assert "How far is the measured chip?" in [section.title for section in page.sections]
    assert [check.name for check in page.checks if check.problem is None].count("chip compared") == 1
    for text in (printed(found), to_markdown(found), to_html(found)):
        assert "chip - network: the real gap" in " ".join(text.split())
    text = to_json(found)
    hold(text, "kanspice.gap/1")
    again = from_json(text, "a report")
    assert again.chip == found.chip
    assert again.measured == found.measured
    assert to_json(again) == text
    assert [name for name in found.columns() if name.startswith("chip")] == ["chip0", "chip1", "chip2"]


def test_the_own_specimen_explains_the_chip_and_another_one_does_not(chip, tmp_path):
    kanspice.save_specimen(MODEL, tmp_path / "own.npz", set=[*RANDOM, *GAIN], seed=5)
    own = verify(chip, *RANDOM, *GAIN, specimen=tmp_path / "own.npz")
    other = verify(chip, *RANDOM, *GAIN, seed=6)
    nominal = verify(chip, *GAIN)
    assert own.chip.explained > 0.99
    assert own.chip.circuit.rmse == pytest.approx(1e-3, rel=0.3)
    assert other.chip.explained < own.chip.explained
    for each in (own, other):
        assert each.chip.nominal.failed == 0
        assert each.chip.nominal.gap.rmse == pytest.approx(nominal.chip.circuit.rmse)
    assert any("seed 6 draws: another chip" in note for note in other.notes)
    assert not any("fitted" in note for note in own.notes)
    changed = kanspice.compare(nominal, own)
    pairs = {pair.name: pair for pair in changed.pairs}
    assert pairs["chip from circuit, relative_rmse"].after == own.chip.circuit.relative_rmse
    hold(comparison_json(changed), "kanspice.comparison/1")
    assert {pair.name for pair in kanspice.compare(verify(None, *GAIN), own).pairs} == set(pairs)


def test_a_specimen_that_was_fitted_is_judged_by_the_other_samples(chip, tmp_path):
    own = kanspice.save_specimen(MODEL, tmp_path / "own.npz", set=[*RANDOM, *GAIN], seed=5)
    digests = Evidence(INPUTS).digests
    assert len(set(digests.tolist())) == 12
    replace(own, fitted=digests[:9]).write(tmp_path / "twin.npz")
    limits = {"chip_circuit_relative_rmse": 1.0, "chip_unexplained": 0.5}
    twin = verify(chip, *RANDOM, *GAIN, specimen=tmp_path / "twin.npz", max=limits)
    assert (twin.chip.unfitted.samples, twin.chip.unfitted.fitted) == (3, 9)
    assert twin.limits[0].value == twin.chip.unfitted.circuit.relative_rmse
    assert "over 3 samples that the specimen was not fitted to" in twin.page().answer.text
    assert any("was fitted to 9 samples of those that were measured" in note for note in twin.notes)
    text = to_json(twin)
    hold(text, "kanspice.gap/1")
    assert from_json(text, "a report").chip == twin.chip
    last = kanspice.verify(
        MODEL, INPUTS[9:], measured=chip[9:], set=[*RANDOM, *GAIN], specimen=tmp_path / "twin.npz", engine="batched"
    )
    assert last.chip.unfitted is None  # other samples, wherever they stand in their file
    assert any("fitted to 9 samples, none of which is among those that were measured" in note for note in last.notes)
    replace(own, fitted=digests).write(tmp_path / "all.npz")
    every = verify(chip, *RANDOM, *GAIN, specimen=tmp_path / "all.npz", max=limits)
    assert every.exit_code == 3
    assert "fitted to all of these samples" in " ".join(printed(every).split())


def test_what_was_not_measured_is_counted_and_changes_no_figure_of_the_circuit(found, chip):
    some = chip.copy()
    some[[2, 5]] = np.nan
    partly = verify(some, *GAIN)
    assert (partly.chip.measured, partly.chip.failed, partly.chip.compared) == (10, 0, 10)
    assert "10 of 12 samples" in printed(partly)
    assert partly.exit_code == 0
    assert partly.gap == found.gap


def test_a_measured_sample_that_the_circuit_has_no_result_for(chip):
    """It is in no gap and no agreement of the chip, and counted; the other failed sample was not measured anyway."""
    some = chip.copy()
    some[7] = np.nan
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(verifying, "solve", lambda *given, **more: solve(*given, **more).without(FAILED))
        result = verify(some, *GAIN)
    assert [each.index for each in result.failed] == [3, 7]
    assert (result.chip.measured, result.chip.failed, result.chip.compared) == (11, 1, 10)
    compared = np.setdiff1d(np.arange(12), list(FAILED))
    same = chip[compared].argmax(axis=1) == result.reference[compared].argmax(axis=1)
    assert result.chip.network.argmax_agreement == same.mean()
    assert result.exit_code == 3
    assert "1 of 11 measured samples without a result of the circuit" in " ".join(printed(result).split())


def test_limits_on_the_chip(chip):
    limits = {"chip_circuit_relative_rmse": 10, "chip_unexplained": 1e-9, "chip_network_relative_rmse": 10}
    result = verify(chip, *GAIN, max=limits)
    assert [limit.passed for limit in result.limits] == [True, False, True]
    assert result.exit_code == 1
    labelled = verify(chip, *GAIN, labels=np.zeros(12, int), max={"chip_accuracy_drop": 1})
    assert labelled.passed
    for named, said in (("chip_unexplained", "--measured"), ("chip_accuracy_drop", "--labels")):
        with pytest.raises(InputError, match=said):
            verify(None if named == "chip_unexplained" else chip, *GAIN, max={named: 1})


def test_a_limit_below_the_numerical_error_is_not_resolved(found):
    doubt = replace(found.doubt, numerical=NumericalGap(8, 0.1, 0.2, 0.1))
    limits = [Limit("chip_circuit_relative_rmse", 0.01, 0.05), Limit("chip_network_relative_rmse", 0.01, 0.05)]
    reasons = unresolved(doubt, limits, solved=True)
    assert any("chip_circuit_relative_rmse" in reason for reason in reasons)
    assert not any("chip_network_relative_rmse" in reason for reason in reasons)  # the circuit's error is not in it


def test_the_first_samples_alone(chip):
    result = verify(chip, *GAIN, limit=4)
    assert (result.samples, result.chip.measured) == (4, 4)
    assert result.chip_outputs.shape == (4, 3)
    unmeasured = chip.copy()
    unmeasured[:4] = np.nan
    with pytest.raises(InputError, match="nothing was measured"):
        verify(unmeasured, *GAIN, limit=4)


@pytest.mark.parametrize("width", [1, 12])
def test_one_sample_was_measured(chip, width):
    alone = np.full_like(chip, np.nan)
    alone[3] = chip[3]
    result = kanspice.verify(
        MODEL, INPUTS[3:4] if width == 1 else INPUTS, measured=alone[3:4] if width == 1 else alone, engine="batched"
    )
    assert result.chip.compared == 1
    assert (result.chip.network.relative_rmse is None) == (width == 1)
    assert "model units" in result.page().answer.text or width == 12
    hold(to_json(result), "kanspice.gap/1")


def test_outputs_that_no_chip_gives_get_a_note(found):
    for outputs, said in (
        (found.reference, "the network's own"),
        (found.reference.astype(np.float32), "the network's own"),
        (found.outputs, "this very circuit's"),
        (found.reference[::-1], "in the order of --inputs"),
        (0.3 * found.reference, "vary 0.3 times as the network's"),
    ):
        result = verify(outputs, *GAIN)
        assert any(said in note for note in result.notes), said
        assert said in " ".join(printed(result).split())
    assert not any("the chip" in note for note in found.notes)


def test_an_output_that_was_never_measured(chip):
    some = chip.copy()
    some[:, 2] = np.nan
    result = verify(some, *GAIN, labels=np.zeros(12, int))
    assert any("output 2 of the chip was never measured" in note for note in result.notes)
    assert result.chip.accuracy is None
    assert "12 of them in part" in printed(result)
    limited = verify(some, *GAIN, max={"chip_argmax_disagreement": 0.5})
    assert limited.exit_code == 3
    assert math.isnan(limited.limits[0].value)


def test_bad_outputs_are_refused_before_anything_is_solved(chip, monkeypatch):
    monkeypatch.setattr("kanspice.experiments.verify.run._solved", lambda *_: pytest.fail("it was solved"))
    wild = chip.copy()
    wild[2, 1] = 1e9
    for outputs, said in ((chip[:5], "shape"), (wild, "absurd"), (np.full_like(chip, np.nan), "nothing was measured")):
        with pytest.raises(InputError, match=said):
            verify(outputs, *GAIN)


def test_a_circuit_of_subcircuits_says_what_it_is_not_held_against(chip, tmp_path):
    (tmp_path / "a.cir").write_text(".subckt a plus minus out vdd vss\nE1 out 0 plus minus 300\n.ends\n")
    own = (f"tia.subcircuit={tmp_path / 'a.cir'}", "tia.pins=in+,in-,out,vdd,vss", "tia.used_for=all")
    result = verify(chip, *own, *RANDOM, *GAIN, "clippers.circuit=limiters")
    assert result.chip.nominal is None
    said = "not held against the circuit without random parts"
    assert said in " ".join(printed(result).split())
    assert said not in " ".join(printed(verify(chip, *RANDOM, *GAIN)).split())


def test_a_circuit_that_answers_after_a_time():
    topology = recipe("_fully_connect", {"num_node": 3}, "x").build()
    model = KirchhoffNet([topology], [0.5], branch_function("ShiftTanh2", {}, "x"))
    starts = np.random.default_rng(0).normal(size=(6, model.input_width))
    sigma = ["branches.gain_sigma=0.05"]
    real = kanspice.verify(model, starts, engine="batched", set=sigma, seed=3)
    result = kanspice.verify(model, starts, engine="batched", set=sigma, measured=real.outputs, waveforms=2)
    assert result.chip.network.rmse == pytest.approx(real.gap.rmse)
    assert result.chip.nominal.gap.rmse == pytest.approx(real.gap.rmse, rel=0.05)
    assert len(result.waveforms) == 2
    assert json.loads(to_json(result))["chip"]["nominal"]["failed"] == 0
