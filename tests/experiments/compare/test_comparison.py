"""Two results compared: growth beyond numerical error, and what makes them impossible to compare."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[2] / "report"))
from synthetic_results import causes, cross_checked, gap_of, synthetic, technology, with_failures

from kanspice.base.errors import InputError
from kanspice.experiments.compare import (
    Comparison,
    check_baseline,
    comparison_json,
    comparison_page,
    held_against,
)
from kanspice.experiments.compare.wording import headline, highlights, percent, remarks
from kanspice.experiments.facts import InputsFacts
from kanspice.gap.resolution import NumericalGap
from kanspice.report.page_html import page_html
from kanspice.report.terminal import print_page

OTHER = InputsFacts("other.npy", "00")


def run(relative: float | None, error: float | None = 0.0, **changes):
    """A result with that relative RMSE and numerical error."""
    numerical = None if error is None else NumericalGap(8, error, error, error)
    return replace(synthetic(), gap=gap_of(relative), numerical=numerical, limits=(), **changes)


@pytest.mark.parametrize(
    ("before", "after", "growth"),
    [
        ((0.01, 0.0), (0.012, 0.0), 0.2),
        ((0.01, 0.0), (0.01, 0.0), 0.0),
        ((0.01, 0.0), (0.008, 0.0), 0.0),
        ((0.01, 1e-3), (0.012, 1e-3), 0.0),
        ((0.01, 5e-4), (0.012, 5e-4), 0.1),
        ((0.01, None), (0.012, None), 0.2),
        ((1e-15, 0.0), (5e-7, 0.0), 0.0),
        ((1e-15, 0.0), (3e-6, 0.0), 2.0),
        ((0.0, 0.0), (0.0, 0.0), 0.0),
    ],
)
def test_growth_is_what_numerical_error_does_not_explain(before, after, growth):
    assert Comparison(run(*before), run(*after)).growth == pytest.approx(growth)


@pytest.mark.parametrize(
    ("before", "after", "allowed", "code"),
    [
        (run(0.01), run(0.012), 0.1, 1),
        (run(0.01), run(0.012), 0.2001, 0),
        (run(0.01), run(0.012), None, 0),
        (run(0.01), run(0.009), 0.0, 0),
        (run(None), run(0.01), 0.1, 3),
        (run(None), run(0.01), None, 0),
        (with_failures(run(0.01), 3), run(0.01), 0.1, 3),
        (run(0.01), with_failures(run(0.01), 3), None, 3),
        (run(0.01), cross_checked(run(0.01), 0.1), 0.1, 3),
        (run(0.01), run(0.01, inputs=OTHER), 0.1, 3),
        (run(0.01), run(0.01, inputs=OTHER), None, 0),
    ],
)
def test_exit_codes(before, after, allowed, code):
    assert Comparison(before, after, allowed).exit_code == code


@pytest.mark.parametrize(
    ("before", "after", "allowed", "said"),
    [
        (run(0.01), run(0.012), 0.1, "FAILED: the gap grew by 20 % beyond numerical error"),
        (run(0.01), run(0.012), 0.3, "passed: the gap grew by 20 %"),
        (run(0.01), run(0.012), None, "the gap grew by 20 %"),
        (run(0.01), run(0.008), 0.1, "passed: the gap shrank"),
        (run(0.01, 1e-3), run(0.0105, 1e-3), 0.1, "the gap is the same within numerical error"),
        (run(1e-15), run(2e-15), 0.1, "there is no gap to speak of"),
        (run(1e-15), run(0.1), 0.1, "a factor of 100000"),
        (run(0.01), run(0.01, inputs=OTHER), 0.1, "cannot be compared: other samples: 50 before, 50 after"),
        (
            run(0.01),
            run(0.01, model=replace(synthetic().model, family="kirchhoffnet")),
            0.1,
            "another family of networks: kanalogue before",
        ),
        (run(None), run(0.01), None, "one has no relative figure"),
        (with_failures(run(0.01), 3), run(0.01), None, "FAILED: 1 of 50 samples have no result before"),
        (run(0.01), cross_checked(run(0.01), 0.1), None, "FAILED: the engines disagree after"),
    ],
)
def test_the_headline_says_what_happened(before, after, allowed, said):
    comparison = Comparison(before, after, allowed)
    assert said in headline(comparison).text
    assert headline(comparison).warning or comparison.exit_code == 0


def test_everything_that_is_not_the_same_is_named():
    before, after = run(0.01, causes=causes()), run(0.012, None, causes=causes()[1:])
    after = replace(
        after,
        design=replace(after.design, technology=technology(1000.0), fidelity="shared"),
        engine=replace(after.engine, name="batched", options={"seed": 3}),
        model=replace(after.model, sha256="ef" * 32),
        versions={**after.versions, "numpy": "2.5.0"},
        stages=after.stages[:-1],
        accuracy={"reference": 1.0, "circuit": 0.9},
    )
    found = Comparison(before, after)
    assert [(change.name, change.before, change.after) for change in found.technology] == [
        ("tia.gain", math.inf, 1000.0)
    ]
    named = {change.name for change in found.facts}
    assert {"model.sha256", "circuit.fidelity", "engine.name", "options.seed", "versions.numpy"} <= named
    assert not any(name.endswith("path") for name in named)
    assert [pair.name for pair in found.stages][-1] == before.stages[-1].name
    assert found.stages[-1].gap.after is None
    assert next((pair.name, pair.after) for pair in found.causes) == ("tia.gain", None)
    assert {"accuracy, circuit", "failed samples"} <= {pair.name for pair in found.pairs}
    said = " ".join(remarks(found))
    for words in (
        "another model",
        "another engine: ngspice before, batched after",
        "another technology",
        "not measured after",
    ):
        assert words in said


def test_what_is_seen_first_is_the_gap_the_answers_and_what_was_lost():
    before = run(1e-15, accuracy={"reference": 0.98, "circuit": 0.98})
    after = with_failures(run(0.01, accuracy={"reference": 0.98, "circuit": 0.96}), 3)
    after = replace(after, gap=gap_of(0.01), design=replace(after.design, technology=technology(1000.0)))
    shown = {each.label: (each.figure, each.said.warning) for each in highlights(Comparison(before, after)).shown}
    assert shown == {
        "gap": ("0 → 0.01", False),
        "accuracy": ("98.0 % → 96.0 %", False),
        "without a result": ("0 → 1", True),
        "technology": ("1 value", False),
    }


def test_what_a_run_took_is_no_figure_of_its_circuit():
    slow = run(0.01, timing={"per_sample_s": 3.0})
    tables = {section.title: section.blocks[0] for section in comparison_page(Comparison(run(0.01), slow)).sections}
    assert "seconds per sample" not in {row[0] for row in tables["The whole circuit"].rows}
    assert ("seconds per sample", "0.0642", "3") in tables["What else differs"].rows


def test_two_runs_that_are_the_same_have_nothing_to_name():
    found = Comparison(run(0.01), run(0.01))
    assert (found.technology, found.facts, found.obstacles, remarks(found)) == ((), (), (), ())


def test_json_is_strict_and_says_what_the_exit_code_does():
    document = json.loads(comparison_json(Comparison(run(0.01), run(0.012), 0.1)))
    assert document["schema"] == "kanspice.comparison/1"
    assert document["growth"] == pytest.approx(0.2)
    assert document["limit"] == {"metric": "relative_rmse_growth", "value": pytest.approx(0.2), "max": 0.1}
    assert (document["measured"], document["passed"], document["comparable"]) == (True, False, True)
    first = document["figures"][0]
    assert first == {"name": "relative_rmse", "before": 0.01, "after": 0.012, "growth": pytest.approx(0.2)}
    unknown = json.loads(comparison_json(Comparison(run(None), run(0.01), 0.1)))
    assert (unknown["growth"], unknown["limit"]["value"], unknown["measured"]) == (None, None, False)


@pytest.mark.slow
def test_a_page_and_a_table_show_both_runs_and_escape_names():
    hostile = "<script>alert(1)</script>"
    found = Comparison(run(0.01), run(0.012, model=replace(synthetic().model, path=hostile)), 0.1)
    page = page_html(comparison_page(found))
    assert hostile not in page
    assert "&lt;script&gt;" in page
    assert "+20 %" in page
    assert "://" not in page
    console = Console(width=120, record=True, quiet=False, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    with console.file:
        print_page(comparison_page(found), console)
    text = console.export_text()
    assert "l2.crossbar" in text
    assert text.strip().splitlines()[-1].startswith("result  FAILED: the gap grew by 20 %")


@pytest.mark.parametrize(
    ("fraction", "text"), [(0.2, "20 %"), (-0.031, "-3.1 %"), (39.0, "a factor of 40"), (None, "-"), (math.nan, "-")]
)
def test_changes_read_as_engineers_write_them(fraction, text):
    assert percent(fraction) == text


def test_a_baseline_is_one_more_limit():
    result = held_against(run(0.012), run(0.01), 0.1, "main.json")
    (limit,) = result.limits
    assert (limit.metric, limit.max, limit.passed) == ("relative_rmse_growth", 0.1, False)
    assert limit.value == pytest.approx(0.2)
    assert result.exit_code == 1
    assert "baseline main.json: relative RMSE 0.01" in result.notes[-1]
    assert held_against(run(0.0101), run(0.01), 0.1, "main.json").exit_code == 0


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        (run(0.01, inputs=OTHER), "measured with other samples"),
        (with_failures(run(0.01), 3), "1 of 50 without a result"),
        (run(None), "has no gap to compare with"),
        (cross_checked(run(0.01), 0.1), "has no gap to compare with"),
    ],
)
def test_a_baseline_that_proves_nothing_is_refused(baseline, message):
    with pytest.raises(InputError, match=message):
        check_baseline(baseline, "cd" * 32, "main.json")
    check_baseline(run(0.01), "cd" * 32, "main.json")
