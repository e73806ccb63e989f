"""`kanspice lifetime`, in this process: what it writes, what it refuses, and the same bytes whoever measures."""

from __future__ import annotations

import json
import shlex

import numpy as np
import pytest
from json_schemas import hold

import kanspice

pytestmark = pytest.mark.slow

LIFE = ("lifetime", "model.pt", "--inputs", "inputs.npy", "--trials", 3, "--points", 4)
DRIFT = ("--set", "ageing.drift_nu=0.05", "--set", "ageing.drift_nu_sigma=0.02")
FILES = ("lifetime.json", "lifetime.html", "lifetime.md", "lifetime.xml")


@pytest.fixture(autouse=True)
def no_ngspice(request, monkeypatch):
    """The batched engine needs none; tests that are about the other engine say so."""
    if request.node.get_closest_marker("ngspice") is None:
        monkeypatch.setenv("KANSPICE_NGSPICE", "/nowhere")


def result_in(folder):
    text = (folder / "lifetime.json").read_text()
    hold(text, "kanspice.lifetime/1")
    return json.loads(text)


def test_chips_are_followed_from_second_to_year(run, good):
    done = run(*LIFE, *DRIFT, "--labels", "labels.npy", "-o", "life")
    assert done.code == 0, done.err
    found = result_in(good / "life")
    assert found["ages_s"] == [1.0, 680.8, 463500.0, 315576000.0]
    assert [point["technology"]["ageing"]["time_s"] for point in found["points"]] == found["ages_s"]
    gaps = [point["metrics"]["relative_rmse"]["mean"] for point in found["points"]]
    assert gaps == sorted(gaps)
    assert found["recalibration"] is None
    assert (
        found["as_used"]
        == found["untouched"]
        == {
            "lifetimes": [],
            "survival": [{"good": 3, "draws": 3, "fraction": 1.0, "low": pytest.approx(0.4385, abs=1e-4), "high": 1.0}]
            * 4,
        }
    )
    assert "Mean accuracy 100 % at 1 s" in " ".join(done.out.split())
    assert "Accuracy against the age" in (good / "life" / "lifetime.html").read_text()


def test_the_worst_chip_is_measured_again_by_its_command(run, good):
    run(*LIFE, *DRIFT, "--recalibrate", "1d", "--calibration", 3, "-o", "life")
    worst = result_in(good / "life")["worst"]
    assert "--limit 5" in worst["command"]
    assert run(*shlex.split(worst["command"])[1:], "--json", "again.json").code == 0
    again = json.loads((good / "again.json").read_text())
    assert again["gap"]["relative_rmse"] == worst["metrics"]["relative_rmse"]


def test_lifetimes_are_the_same_however_many_measure_them_and_how_often(run, good):
    limits = ("--max", "relative_rmse=0.2", "--yield-min", 0.5)
    asked = (*LIFE, *DRIFT, "--recalibrate", "1d", "--calibration", 4, "--trims", "columns", *limits)
    code = run(*asked, "-o", "one").code
    before = [(good / "one" / name).read_bytes() for name in FILES]
    assert run(*asked, "-o", "two", "--jobs", 2).code == code
    assert [(good / "two" / name).read_bytes() for name in FILES] == before
    journal = good / "one" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    assert len(lines) == 3
    journal.write_bytes(b"".join([*lines[:1], b'{"kind": "dra']))
    assert run("lifetime", "--resume", "one").code == code
    assert [(good / "one" / name).read_bytes() for name in FILES] == before
    np.save(good / "inputs.npy", np.load(good / "inputs.npy")[::-1])
    assert "this was another study: its" in run("lifetime", "--resume", "one").err


def test_chips_that_do_not_last_are_exit_code_1(run, good):
    assert run(*LIFE, *DRIFT, "--max", "relative_rmse=1e-9", "-o", "short").code == 1
    found = result_in(good / "short")
    half, every = found["as_used"]["lifetimes"]
    assert (half["at_least_s"], half["below_s"], every["fraction"]) == (1.0, 680.8, 1.0)
    assert [part["good"] for part in found["as_used"]["survival"]] == [3, 0, 0, 0]
    assert "every chip lasts 1 s, and less than 11.3 min" in (good / "short" / "lifetime.md").read_text().lower()
    assert run(*LIFE, *DRIFT, "--max", "relative_rmse=100", "-o", "long").code == 0
    assert result_in(good / "long")["as_used"]["lifetimes"][0]["below_s"] is None


@pytest.mark.ngspice
def test_chips_at_their_oldest_are_checked_by_another_engine(run, good):
    assert run(*LIFE, *DRIFT, "--cross-check", 2, "-o", "life").code == 0
    checks = result_in(good / "life")["cross_check"]
    assert checks["passed"] is True
    assert [draw["point"] for draw in checks["draws"]] == [3, 3]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "no --out"),
        (("-o", "x"), "nothing ages"),
        (("-o", "x", "--tech", "typical"), "nothing ages"),
        (("-o", "x", *DRIFT, "--from", "1y", "--to", "1d"), "a life ends before it begins"),
        (("-o", "x", *DRIFT, "--from", "-1s"), "this is no age"),
        (("-o", "x", *DRIFT, "--to", "1 century"), "this is no age"),
        (("-o", "x", *DRIFT, "--recalibrate", "0"), "this is no age"),
        (("-o", "x", *DRIFT, "--recalibrate", "20y"), "nobody looks at chips of that age"),
        (("-o", "x", *DRIFT, "--recalibrate", "1y"), "there are too few samples"),
        (("-o", "x", *DRIFT, "--set", "ageing.time_s=1"), "ageing.time_s is what a lifetime goes through"),
        (("-o", "x", *DRIFT, "--max", "accuracy_drop=0.1"), "an accuracy needs labels"),
        (("-o", "x", *DRIFT, "--max", "accuracy_drop=1%"), "1%"),
        (("-o", "x", *DRIFT, "--cross-check", "1:batched"), "an engine cannot check itself"),
        (("-o", "model.pt", *DRIFT), "is not an empty folder"),
        (("--resume", "x"), "the folder says what the study is"),
    ],
)
def test_what_cannot_be_followed_is_one_message(run, good, options, said):
    before = {path.name: path.read_bytes() for path in good.iterdir()}
    done = run(*LIFE, *options)
    assert done.code == 2
    assert said in " ".join(done.err.split())
    assert {path.name: path.read_bytes() for path in good.iterdir()} == before


def test_networks_without_crossbars_do_not_age(run, moving):
    model, inputs = moving
    done = run("lifetime", model, "--inputs", inputs, *DRIFT, "-o", "x")
    assert done.code == 2
    assert "would have no effect" in done.err


def test_a_general_technology_for_what_does_not_age_is_refused(run, good, moving):
    model, inputs = moving
    (good / "any.toml").write_text("general = true\n[ageing]\ndrift_nu = 0.05\n")
    done = run("lifetime", model, "--inputs", inputs, "--tech", "any.toml", "-o", "x")
    assert done.code == 2
    assert "ageing.time_s would have no effect" in done.err


def test_the_function_takes_numbers_and_texts(good):
    drift = {"ageing.drift_nu": 0.05, "ageing.drift_nu_sigma": 0.02}
    asked = {"set": drift, "trials": np.int64(2), "points": 3, "cross_check": 0}
    found = kanspice.lifetime("model.pt", "inputs.npy", "life", from_=1, to=np.float64(86_400), **asked)
    assert found.request.ages_s == (1.0, 293.9, 86_400.0)
    assert [len(point.draws) for point in found.points] == [2, 2, 2]
    again = kanspice.lifetime("model.pt", "inputs.npy", "again", from_="1s", to="1d", **asked)
    assert again.points == found.points
    for wrong in ({"points": 1}, {"calibration": 1}, {"trims": "all"}, {"to": "x"}, {"trials": 0}):
        with pytest.raises(kanspice.InputError):
            kanspice.lifetime("model.pt", "inputs.npy", "new", **{**asked, **wrong})
    assert not (good / "new").exists()
