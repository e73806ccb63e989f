"""What pages open with: figures in words, and what to do about them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from synthetic_calibrations import CALIBRATIONS, IDENTIFICATIONS
from synthetic_experiments import LOOPS, SENSITIVITIES, SETTLINGS, STUDIES, TUNINGS

from kanspice.experiments.calibrate.page import calibration_page
from kanspice.experiments.control.page import control_page
from kanspice.experiments.identify.page import identification_page
from kanspice.experiments.sensitivity.page import sensitivity_page
from kanspice.experiments.sensitivity.result import KeyEffect
from kanspice.experiments.settle.document import SettlingDocument
from kanspice.experiments.settle.page import settling_page
from kanspice.experiments.study.page import study_page
from kanspice.experiments.tune.page import tuning_page
from kanspice.experiments.verify.advice import is_imperfection
from kanspice.report.blocks import Highlights
from kanspice.report.page_html import page_html
from kanspice.report.page_markdown import page_markdown, prose
from kanspice.report.templates import template


def opened(page):
    """Label -> (figure, sentence)."""
    (block,) = [block for block in page.lead if isinstance(block, Highlights)]
    return {each.label: (each.figure, each.said.text) for each in block.shown}


def test_settling_says_how_long_it_takes_what_is_slowest_and_what_would_be_faster():
    found = opened(settling_page(SETTLINGS["settled"]()))
    assert found["latency"][0] == "5 µs"
    name, said = found["slowest stage"]
    assert name in {"l1.crossbar", "l2.crossbar"}
    assert said.startswith("adds 2.5 µs of 5 µs; ")
    assert "`tia.gbw_hz`" in said
    assert found["comes to rest"][0] == "yes"


def test_settling_may_be_read_when_it_is_near_for_good():
    result = SETTLINGS["settled"]()
    loosest = max(stage.tolerance for stage in result.stages)
    near = [read.time_s for read in result.read_outs if read.from_rest is not None and read.from_rest <= loosest]
    reads = [replace(read, from_rest=1.0) for read in result.read_outs]
    assert near
    assert "not known" not in opened(settling_page(result))["read after"]
    assert opened(settling_page(replace(result, read_outs=tuple(reads))))["read after"][0] == "not known"


def test_what_does_not_settle_says_the_worst_that_it_does():
    found = opened(settling_page(SETTLINGS["unsettled"]()))
    assert found["latency"][0] == "not known"
    assert found["comes to rest"][0] == "no"
    assert found["comes to rest"][1].startswith("in 1 of 9 samples outputs swing on")


def test_settling_says_with_what_it_was_measured():
    result = SETTLINGS["settled"]()
    document, html = SettlingDocument.written(result), page_html(settling_page(result))
    assert document["inputs"] == {"path": "inputs.npy", "sha256": "cd" * 32}
    assert document["technology_values"]["tia"]["gain"] == "inf"
    for said in (result.model_sha256, result.inputs.sha256, result.command, "&#34;gbw_hz&#34;: 100000000.0"):
        assert said in html
    plain = replace(result, model_sha256="", inputs=None, technology_values={}, versions={}, command=None)
    assert not {"model_sha256", "inputs", "versions", "command"} & SettlingDocument.written(plain).keys()
    assert "SHA-256" not in page_html(settling_page(plain))


def test_sensitivity_advises_on_what_is_ideal_at_nothing_or_without_bound():
    result = next(iter(SENSITIVITIES.values()))()
    keys = (KeyEffect("units.v_unit_v", 1.0, -2.0, 0.0), KeyEffect("tia.gain", 1e3, -0.5, 0.0))
    name, said = opened(sensitivity_page(replace(result, keys=keys)))["what helps most"]
    assert name == "tia.gain"
    assert said == "now 1000; 1 % more changes the gap by -0.500 %; take amplifiers with a higher open-loop gain"
    assert "what helps most" not in opened(sensitivity_page(replace(result, keys=keys[:1])))


@pytest.mark.parametrize(
    ("key", "is_one"),
    [
        ("tia.gain", True),
        ("devices.area_sigma", True),
        ("units.v_unit_v", False),
        ("devices.temperature_c", False),
        ("nothing.such", False),
    ],
)
def test_imperfections_are_better_the_smaller_or_the_larger(key, is_one):
    assert is_imperfection(key) is is_one


def test_a_loop_whose_observations_do_not_depend_on_actions_shows_what_it_earns():
    for make in LOOPS.values():
        result = make()
        still = result.trajectory_max_abs == 0
        assert (result.plant.reward_name if still else "trajectories part by") in opened(control_page(result))


@pytest.mark.parametrize("make", CALIBRATIONS.values(), ids=CALIBRATIONS)
def test_a_calibration_says_what_to_set(make):
    result = make()
    found = opened(calibration_page(result))
    if result.chosen is None:
        assert found["what to set"][0] == "nothing"
        assert "→" not in found["gap"][0]
    else:
        assert found["what to set"][0] == result.chosen.trims.replace("+", " and ")
        assert "→" in found["gap"][0]


@pytest.mark.parametrize("make", IDENTIFICATIONS.values(), ids=IDENTIFICATIONS)
def test_an_identification_says_whether_it_is_explained(make):
    result = make()
    expected = "yes" if result.is_explained else "no" if result.came_near else "not known"
    assert opened(identification_page(result))["explained"][0] == expected


@pytest.mark.parametrize("make", TUNINGS.values(), ids=TUNINGS)
def test_a_tuning_says_which_network_to_go_on_with(make):
    result = make()
    better = result.is_measured and result.is_better and not result.loses_samples
    assert opened(tuning_page(result))["go on with"][0] == f"the {'tuned' if better else 'given'} network"


def test_a_study_speaks_of_one_point_where_several_have_the_least_yield():
    compared = 0
    for make in STUDIES.values():
        result = make()
        pairs = [(point, found.median) for point in result.points if (found := point.summary(result.metric))]
        if result.request.wanted_yield is None or len(pairs) < 2 or len(pairs) < len(result.points):
            continue
        worst, _ = min(pairs, key=lambda pair: (pair[0].yield_.fraction, -pair[1]))
        assert result.name_of(worst) in study_page(result).answer.text
        compared += 1
    assert compared


@pytest.mark.parametrize(
    ("text", "shown"),
    [("the gap grew by 3 %", "The gap grew by 3 %"), ("z21_nodes: digits 94 %", "z21_nodes: digits 94 %")],
)
def test_a_page_begins_with_a_capital_but_for_names(text, shown):
    assert template("page.html.j2").environment.filters["capital"](text) == shown


def test_code_in_sentences_is_code_in_html_and_markdown():
    assert prose("set `tia.gain` to <5>") == "set <code>tia.gain</code> to &#60;5&#62;"
    assert prose("one ` alone") == "one &#96; alone"
    ticked = template("blocks.html.j2").environment.filters["ticked"]
    assert ticked("`--tech a.toml`") == '<code class="whole">--tech a.toml</code>'
    long = "`kanspice verify model.pt --tech tia.toml`"
    assert ticked(long) == '<code>kanspice verify model.pt <span class="whole">--tech</span> tia.toml</code>'
    page = study_page(next(iter(STUDIES.values()))())
    assert "`" not in page_markdown(page)
    assert "&#96;kanspice" not in page_markdown(page)
