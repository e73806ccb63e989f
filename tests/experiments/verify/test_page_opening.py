"""What a gap's page opens with: right or wrong, why, and whether the circuit is stable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic_results import attributed, moving, regression, synthetic, with_everything, with_failures

from kanspice.engine.solution import FailedSample, Outcome
from kanspice.experiments.verify import cause_wording, opening
from kanspice.experiments.verify.advice import advice
from kanspice.gap.causes import Share
from kanspice.technology import Technology, entries


def shown(result):
    return {each.label: (each.figure, each.said.text, each.said.warning) for each in opening.highlights(result).shown}


def with_technology(result, section, **keys):
    technology = {**result.design.technology, section: {**result.design.technology.get(section, {}), **keys}}
    return replace(result, design=replace(result.design, technology=technology))


def test_accuracies_come_first_then_losses_then_decisions():
    assert next(iter(shown(with_everything(synthetic())).items())) == (
        "accuracy",
        ("98.0 % → 96.0 %", "network → circuit, of 50 samples", False),
    )
    assert shown(regression())["mean squared error"][0] == "0.0125 → 0.013"
    assert "decisions" in shown(synthetic())
    assert "largest error" in shown(synthetic(outputs=1))
    assert "decisions" not in shown(moving())


def test_the_main_cause_has_its_part_and_what_to_do():
    figure, text, _ = shown(attributed())["main cause"]
    assert figure == "tia.gain"
    assert text.startswith("now 1000, 83.5 ± 1.2 % of the squared gap; without it the gap is 0.004; take amplifiers")


def test_without_an_attribution_it_is_said_how_to_ask():
    assert shown(synthetic())["causes"][0] == "none"
    asked = shown(with_technology(synthetic(), "tia", gain=1000.0))["arises at"]
    assert asked[0] == "l2.crossbar"
    assert "--attribute" in asked[1]
    assert "batched" in asked[1]


def test_a_cause_of_more_than_all_is_explained():
    more = tuple(replace(cause, share=Share(1.064, 0.0), own=None) for cause in attributed().causes)
    _, text, _ = shown(replace(attributed(), causes=more))["main cause"]
    assert "106.4 % of the squared gap; other causes work against it;" in text


def test_where_no_stage_can_be_told_none_is_named():
    result = with_technology(synthetic(), "tia", gain=1000.0)
    stages = tuple(replace(stage, added=replace(stage.added, relative_rmse=None)) for stage in result.stages)
    figure, text, _ = shown(replace(result, stages=stages))["arises at"]
    assert figure == "not known"
    assert "--attribute" in text


def test_causes_that_make_the_gap_smaller_are_none():
    less = tuple(replace(cause, share=Share(-0.1, 0.0)) for cause in attributed().causes)
    assert shown(replace(attributed(), causes=less))["main cause"][0] == "none"


def test_single_causes_are_sorted_by_what_they_do_and_rounding_is_0():
    first, second, *rest = attributed().causes
    tiny = replace(second.alone, gap=replace(second.alone.gap, relative_rmse=1.3e-15))
    causes = (replace(first, share=None, own=0.1), replace(second, share=None, own=0.9, alone=tiny), *rest)
    rows = cause_wording.table(causes).rows
    assert [row[0] for row in rows[:2]] == ["devices.curve", "tia.gain"]
    assert [row[2] for row in rows[:2]] == ["90.0", "10.0"]
    assert rows[0][3] == "0"


def test_values_of_causes_have_units():
    first = attributed().causes[0]
    assert cause_wording.value(replace(first, name="tia.offset_sigma_v", value=5e-4)) == "500 µV"
    assert cause_wording.value(replace(first, name="devices.temperature_c", value=85.0)) == "85 °C"
    assert cause_wording.value(replace(first, name="projection", value=None)) == "-"


def test_a_circuit_is_stable_where_that_was_tested():
    assert shown(synthetic())["stable"][0] == "not asked"
    assert shown(with_technology(synthetic(), "tia", gbw_hz=1e8))["stable"][0] == "yes"
    failed = (FailedSample(3, Outcome.UNSTABLE),)
    assert shown(replace(synthetic(), failed=failed))["stable"][::2] == ("no", True)
    failed = (FailedSample(3, Outcome.MULTISTABLE),)
    assert shown(replace(synthetic(), failed=failed))["stable"][::2] == ("no", True)
    assert list(shown(with_failures(synthetic(4), 0, 1, 2, 3))) == ["stable"]


def test_of_circuits_over_time_the_largest_voltage_is_shown():
    result = moving()
    result = replace(result, design=replace(result.design, inference_s=1e-6))
    figure, text, _ = shown(result)["largest voltage"]
    assert figure == "1.4 V"
    assert "kirchhoffnet.supply_v" in text


def test_the_picture_is_of_outputs_or_of_stages():
    assert opening.picture(synthetic()).alt == "Circuit's outputs against the network's"
    assert opening.picture(moving()).alt == "The network's samples beside the circuit's"
    read = replace(synthetic(), outputs=np.empty((0, 0)))
    assert opening.picture(read).alt == opening.STAGES
    assert opening.picture(replace(read, stages=())) is None


@pytest.mark.parametrize("cause", [e.name for _, _, keys in entries(Technology()) for e in keys if e.is_cause])
def test_every_imperfection_has_advice(cause):
    assert advice(cause)
    assert not advice(cause).endswith(".")


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        ("kirchhoffnet.leak_ohm", "raise it"),
        ("kirchhoffnet.jitter_sigma_s", "lower it"),
        ("branches.references", "its ideal is proportional"),
    ],
)
def test_advice_leads_towards_the_ideal(cause, said):
    assert advice(cause).startswith(f"{said};")
