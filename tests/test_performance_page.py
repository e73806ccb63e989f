"""docs/performance.md is what its script makes of the figures that are kept beside it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "benchmarks"]:
        del sys.modules[name]


def results(name):
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text(encoding="utf-8"))


def test_the_page_says_what_was_measured(benchmarks):
    from benchmarks.page import PAGE, page

    every = {path.stem: results(path.stem) for path in (ROOT / "benchmarks" / "results").glob("*.json")}
    assert PAGE.read_text(encoding="utf-8") == page(every)


def test_every_ratio_is_that_of_its_times_and_every_answer_agrees():
    rows = results("targets")["rows"]
    assert rows
    for name, row in rows.items():
        assert row["ratio"] == pytest.approx(row["theirs_s"] / row["ours_s"]), name
        assert row["disagreement"] < 1e-6, name


def test_ratios_are_those_to_the_fastest_judge_and_judges_agree():
    rows = results("judges")["rows"]
    assert {judge for row in rows.values() for judge in row["judges"]} >= {"ngspice-39", "vacask"}
    for name, row in rows.items():
        fastest = min(found["further_s"] for found in row["judges"].values())
        assert row["ratio"] == pytest.approx(fastest / row["ours"]["further_s"]), name
        for judge, found in row["judges"].items():
            assert found["disagreement"] < (1e-5 if "steps" in found else 1e-8), (name, judge)


def test_engines_agree_on_all_that_both_solved():
    rows = results("agreement")["rows"]
    assert len(rows) > 30
    for name, row in rows.items():
        assert row["different"] == 0, name
        assert row["worst"] <= row["target"], name


def test_the_worst_of_all_draws_is_the_same_in_ngspice():
    found = results("draws")
    assert found["worst"]["accuracy"] == found["accuracy"]["smallest"]
    assert found["worst"]["disagreement"] < 1e-6
    assert found["worst"]["different_outcomes"] == 0


def test_a_power_law_has_its_slope(benchmarks):
    from benchmarks.scaling import slope

    assert slope((1.0, 4.0, 16.0), [2.0, 16.0, 128.0]) == pytest.approx(1.5)


def test_draws_are_counted_without_the_cross_checks_beside_them(benchmarks, tmp_path):
    from benchmarks.draws import known

    assert known(tmp_path) == 0
    lines = [{"kind": "check"}, {"kind": "check"}, {"kind": "draw"}, {"kind": "draw"}, {"kind": "draw"}]
    whole = "".join(f"{json.dumps(line)}\n" for line in lines)
    (tmp_path / "journal.jsonl").write_text(whole + '{"kind": "dr', encoding="utf-8")
    assert known(tmp_path) == 3
