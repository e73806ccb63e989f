"""`kanspice study`, in this process."""

from __future__ import annotations

import json
import shlex
import shutil
from dataclasses import replace

import numpy as np
import pytest

from kanspice.engine.batched import record
from kanspice.experiments.ensemble import workers
from kanspice.experiments.study import specimens
from kanspice.families import load
from kanspice.families.common.following import followed_stages

pytestmark = pytest.mark.slow

STUDY = ("study", "model.pt", "--inputs", "inputs.npy", "--set", "tia.gain=1000")
SIGMA = ("--set", "devices.area_sigma=0.1")


def result_in(folder):
    return json.loads((folder / "study.json").read_text())


@pytest.fixture(autouse=True)
def no_ngspice(request, monkeypatch):
    """The batched engine needs none; tests that are about the other engine say so."""
    if request.node.get_closest_marker("ngspice") is None:
        monkeypatch.setenv("KANSPICE_NGSPICE", "/nowhere")


def test_a_monte_carlo(run, good):
    done = run(*STUDY, *SIGMA, "--labels", "labels.npy", "--trials", 12, "--seed", 5, "-o", "mc")
    result = result_in(good / "mc")
    assert done.code == 0
    assert result["schema"] == "kanspice.study/1"
    (point,) = result["points"]
    assert point["random"] is True
    gaps = point["draws"]["relative_rmse"]
    assert len(set(gaps)) == 12
    assert point["metrics"]["relative_rmse"]["mean"] == pytest.approx(np.mean(gaps))
    assert point["metrics"]["relative_rmse"]["std"] == pytest.approx(np.std(gaps, ddof=1))
    assert point["metrics"]["relative_rmse"]["quantiles"]["0.05"] == pytest.approx(np.quantile(gaps, 0.05))
    assert point["draws"]["accuracy"] == pytest.approx(1 - np.array(point["draws"]["accuracy_drop"]))
    assert point["technology"]["tia"]["gain"] == 1000
    assert point["numerical_relative_rmse"] < 1e-12
    assert result["reference_accuracy"] == 1
    assert result["yield_min"] is None
    assert result["passed"] is True
    said = " ".join(done.out.split())
    assert "measured; no limit was given" in said
    assert "no draw was checked by another engine: the simulator that KANSPICE_NGSPICE names" in said
    assert result["cross_check"]["passed"] is None
    assert "<img" in (good / "mc" / "study.html").read_text()
    assert json.loads((good / "mc" / "timing.json").read_text())["draws"] == 12


def test_the_worst_draw_is_measured_again_by_its_command(run, good):
    swept = ("--sweep", "devices.area_sigma=0.01,0.02")
    run(*STUDY, *swept, "--labels", "labels.npy", "--trials", 8, "--limit", 6, "-o", "mc")
    worst = result_in(good / "mc")["worst"]
    assert worst["point"] == 1
    words = shlex.split(worst["command"])
    assert words[0] == "kanspice"
    done = run(*words[1:], "--json", "again.json")
    again = json.loads((good / "again.json").read_text())
    assert done.code == 0
    for metric in ("rmse", "max_abs", "relative_rmse", "max_relative"):
        assert again["gap"][metric] == pytest.approx(worst["metrics"][metric], rel=1e-12)
    assert again["accuracy"]["circuit"] == worst["metrics"]["accuracy"]


def test_losses_of_draws(run, good):
    """With targets: recorded of every draw, limited, swept, and the same when the study goes on later."""
    loaded = load(good / "model.pt")
    targets = np.random.default_rng(4).normal(size=(len(np.load(good / "inputs.npy")), loaded.output_width))
    np.save(good / "targets.npy", targets)
    swept = ("--targets", "targets.npy", "--sweep", "devices.area_sigma=0.01,0.1", "--limit", 6)
    run(*STUDY, *swept, "--trials", 4, "--max", "loss=1e-6", "-o", "mc")
    found = result_in(good / "mc")
    stages, _ = followed_stages(loaded.model, np.load(good / "inputs.npy")[:6])
    network = np.mean((list(stages.values())[-1] - targets[:6]) ** 2)
    assert found["reference_loss"] == pytest.approx(network)
    assert (found["metric"], found["passed"]) == ("loss", False)
    for point in found["points"]:
        draws = point["draws"]
        assert draws["loss"] == pytest.approx(network + np.array(draws["loss_increase"]))
        assert point["metrics"]["loss"]["quantiles"]["0.5"] == pytest.approx(np.median(draws["loss"]))
    worst = found["worst"]
    run(*shlex.split(worst["command"])[1:], "--json", "again.json")
    again = json.loads((good / "again.json").read_text())
    assert again["loss"]["circuit"] == pytest.approx(worst["metrics"]["loss"], rel=1e-12)
    assert again["metrics"]["loss_increase"] == pytest.approx(worst["metrics"]["loss_increase"], rel=1e-9)
    page = (good / "mc" / "study.html").read_text()
    assert "Loss (MSE) along devices.area_sigma" in page
    np.save(good / "targets.npy", targets + 1)
    assert "its targets changed" in run("study", "--resume", "mc").err


def test_every_draw_is_what_verify_measures(run, good):
    run(*STUDY, *SIGMA, "--trials", 3, "-o", "mc")
    draws = result_in(good / "mc")["points"][0]["draws"]
    for seed, gap in zip(draws["seed"], draws["relative_rmse"], strict=True):
        run("verify", *STUDY[1:], *SIGMA, "--engine", "batched", "--seed", seed, "--json", "one.json")
        assert json.loads((good / "one.json").read_text())["gap"]["relative_rmse"] == pytest.approx(gap, rel=1e-12)


def test_points_share_their_specimens_and_fixed_ones_are_measured_once(run, good):
    done = run(*STUDY, "--sweep", "devices.area_sigma=0,1e-6,2e-6", "--trials", 4, "-o", "mc")
    fixed, one, two = result_in(good / "mc")["points"]
    assert fixed["random"] is False
    assert fixed["yield"] == {"good": 1, "draws": 1, "fraction": 1.0, "low": None, "high": None}
    assert one["draws"]["seed"] == two["draws"]["seed"]
    # Twice the mismatch of the same specimens moves each of them twice as far.
    start = fixed["draws"]["relative_rmse"][0]
    moved = [np.array(point["draws"]["relative_rmse"]) - start for point in (one, two)]
    assert moved[1] == pytest.approx(2 * moved[0], rel=1e-3)
    assert "nothing is random at 1 point" in " ".join(done.out.split())


def test_yield_and_exit_codes(run, good):
    run(*STUDY, *SIGMA, "--trials", 10, "-o", "mc")
    gaps = sorted(result_in(good / "mc")["points"][0]["draws"]["relative_rmse"])
    limit = ("--max", f"relative_rmse={(gaps[6] + gaps[7]) / 2}")
    wanted = [((), 1), (("--yield-min", "0.7"), 0), (("--yield-min", "0.71"), 1)]
    for number, (how, code) in enumerate(wanted):
        done = run(*STUDY, *SIGMA, "--trials", 10, *limit, *how, "-o", f"limited{number}")
        found = result_in(good / f"limited{number}")
        assert done.code == code
        assert found["points"][0]["yield"]["good"] == 7
        assert found["points"][0]["yield"]["low"] < 0.7 < found["points"][0]["yield"]["high"]
        assert found["passed"] is (code == 0)
    assert "more --trials would" in " ".join(done.out.split())


def test_corners_and_maps(run, good):
    corners = ("--corner", "nominal", "--corner", "weak:tia.headroom=0.4,tia.offset_sigma_v=1e-3")
    sweeps = ("--sweep", "devices.area_sigma=0.01,0.1", "--sweep", "tia.gain=100,inf")
    inputs = ("study", "model.pt", "--inputs", "inputs.npy", "--labels", "labels.npy")
    done = run(*inputs, *corners, *sweeps, "--trials", 2, "--max", "rmse=1", "--yield-min", 0, "-o", "map")
    result = result_in(good / "map")
    assert done.code == 0
    assert len(result["points"]) == 8
    assert result["points"][7]["name"] == "weak, devices.area_sigma=0.1, tia.gain=inf"
    assert result["points"][7]["technology"]["tia"]["gain"] == "inf"
    page = (good / "map" / "study.html").read_text()
    assert page.count("<img") == 6
    assert 'alt="Mean accuracy (%), weak over both swept values"' in page


def test_circuits_that_fail_count_against_the_yield(run, good):
    weak = ("study", "model.pt", "--inputs", "inputs.npy", "--sweep", "tia.rail_v=5.0,1e-3", "--corner", "hot")
    sized = ("--set", "tia.headroom=1.0", "--set", "devices.area_sigma=0.3")
    done = run(*weak, *sized, "--trials", 3, "--yield-min", 0.9, "-o", "failing")
    points = result_in(good / "failing")["points"]
    assert done.code == 1
    failing = points[1]
    assert failing["failed_draws"] > 0
    assert failing["yield"]["good"] == 3 - failing["failed_draws"]
    assert set().union(*failing["draws"]["failed_samples"]) == {"beyond the rail"}
    assert "have samples without a result" in " ".join(done.out.split())
    without = run(*weak, *sized, "--trials", 3, "-o", "unasked")
    assert without.code == 3


def test_a_simulation_that_fails_is_no_measurement(run, good, monkeypatch):
    solve = specimens.solve

    def late(*arguments, **options):
        changed = arguments[-1].__class__(**{**vars(arguments[-1]), "timeout_s": 0.0})
        return solve(*arguments[:-1], changed, **options)

    monkeypatch.setattr(specimens, "solve", late)
    done = run(*STUDY, *SIGMA, "--trials", 2, "--max", "rmse=1", "--yield-min", 0, "-o", "late")
    assert done.code == 3
    (point,) = result_in(good / "late")["points"]
    assert point["draws"]["failed_samples"] == [{"timed out": 8}] * 2
    assert point["metrics"]["rmse"] is None


@pytest.mark.ngspice
def test_engines_that_agree_and_engines_that_do_not(run, good, monkeypatch):
    done = run(*STUDY, *SIGMA, "--trials", 5, "-o", "mc")
    found = result_in(good / "mc")["cross_check"]
    assert done.code == 0
    assert [len(each["samples"]) for each in found["draws"]] == [4, 4, 4]
    assert found["passed"] is True
    assert max(each["worst_relative"] for each in found["draws"]) < 1e-6
    assert "ngspice" in found["draws"][0]["engine"]["name"]
    solve = record.ENGINE.solve

    def slightly_wrong(*arguments, **options):
        solution = solve(*arguments, **options)
        solution.stage_v["l2.crossbar"][:] *= 1 + 1e-4
        return solution

    monkeypatch.setattr(record, "ENGINE", replace(record.ENGINE, solve=slightly_wrong))
    done = run(*STUDY, *SIGMA, "--trials", 5, "-o", "wrong")
    assert done.code == 3
    assert result_in(good / "wrong")["cross_check"]["passed"] is False
    assert "the engines disagree" in done.out


@pytest.mark.ngspice
def test_ngspice_measures_too(run, good):
    run(*STUDY, *SIGMA, "--trials", 2, "--limit", 3, "--engine", "ngspice", "-o", "judge")
    run(*STUDY, *SIGMA, "--trials", 2, "--limit", 3, "-o", "fast")
    judge, fast = (result_in(good / name)["points"][0]["draws"]["relative_rmse"] for name in ("judge", "fast"))
    assert judge == pytest.approx(fast, rel=1e-6)


def test_a_circuit_that_answers_after_a_time(run, moving, good):
    model, inputs = moving
    done = run("study", model, "--inputs", inputs, "--trials", 3, "--cross-check", 0, "-o", "moving")
    (point,) = result_in(good / "moving")["points"]
    assert done.code == 0
    assert point["random"] is False
    assert "it was not wanted" in " ".join(done.out.split())


def test_resume_changes_nothing_and_takes_no_other_study(run, good):
    run(*STUDY, *SIGMA, "--trials", 3, "-o", "mc")
    before = [(good / "mc" / name).read_bytes() for name in ("study.json", "study.html", "journal.jsonl")]
    assert run("study", "--resume", "mc").code == 0
    assert [(good / "mc" / name).read_bytes() for name in ("study.json", "study.html", "journal.jsonl")] == before
    again = run(*STUDY, *SIGMA, "--trials", 3, "-o", "mc")
    assert again.code == 2
    assert "kanspice study --resume mc continues it" in again.err
    np.save("inputs.npy", np.load("inputs.npy")[::-1])
    other = run("study", "--resume", "mc")
    assert other.code == 2
    assert "this was another study: its inputs changed" in other.err


def test_journals_of_other_studies(run, good):
    for name, seed in (("one", 1), ("two", 2)):
        run(*STUDY, *SIGMA, "--trials", 3, "--seed", seed, "-o", name)
    shutil.copy("one/journal.jsonl", "two/journal.jsonl")
    done = run("study", "--resume", "two")
    assert done.code == 2
    assert "line 1 is no record of this study" in done.err
    lines = (good / "one" / "journal.jsonl").read_text().splitlines(keepends=True)
    (good / "one" / "journal.jsonl").write_text("".join([*lines, lines[0]]))
    assert "line 4 is no result of this study" in run("study", "--resume", "one").err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("study",), "a study needs more"),
        (("study", "model.pt", "-o", "x"), "no --inputs"),
        ((*STUDY, "-o", "x", "--sweep", "tia.gain"), "bad sweep 'tia.gain'"),
        ((*STUDY, "-o", "x", "--sweep", "tia.gain=1,,2"), "bad sweep"),
        ((*STUDY, "-o", "x", "--corner", "tia.gain=5"), "bad corner 'tia.gain=5'"),
        ((*STUDY, "-o", "x", "--sweep", "tia.gian=5,6"), "did you mean"),
        ((*STUDY, "-o", "x", "--sweep", "tia.rail_v=5,six"), "tia.rail_v"),
        ((*STUDY, "-o", "x", "--max", "rsme=1"), "did you mean 'rmse'?"),
        ((*STUDY, "-o", "x", "--max", "accuracy_drop=0"), "an accuracy needs labels"),
        ((*STUDY, "-o", "x", "--max", "loss=0"), "a loss needs true answers"),
        ((*STUDY, "-o", "x", "--targets", "nowhere.npy"), "nowhere.npy"),
        ((*STUDY, "-o", "x", "--targets", "inputs.npy"), "the targets cannot be used"),
        ((*STUDY, "-o", "."), "is not an empty folder"),
        (("study", "--resume", "nowhere"), "there is no study in this folder"),
        (("study", "model.pt", "--resume", "x", "--trials", "5"), "found:    --trials, MODEL"),
    ],
)
def test_bad_requests(run, good, arguments, message):
    done = run(*arguments)
    assert done.code == 2
    assert message in done.err
    assert not (good / "x").exists()


def test_clusters_that_cannot_be(run, good, monkeypatch):
    done = run(*STUDY, "-o", "x", "--scheduler", "tcp://nowhere:1", "--jobs", 2)
    assert done.code == 2
    assert "leave out --jobs" in done.err
    monkeypatch.setattr(workers, "find_spec", lambda _: None)
    done = run(*STUDY, "-o", "x", "--scheduler", "tcp://nowhere:1")
    assert done.code == 2
    assert "pip install 'kanspice[dask]'" in done.err
    assert not (good / "x").exists()


def test_a_cross_check_that_was_asked_for_needs_ngspice(run, good):
    done = run(*STUDY, *SIGMA, "--cross-check", 1, "-o", "x")
    assert done.code == 3
    assert not (good / "x").exists()


@pytest.mark.ngspice
def test_a_cross_check_that_cannot_be_made_fails_only_a_study_that_asked_for_it(run, good, monkeypatch):
    monkeypatch.setattr("kanspice.engine.simulators.memory.available_bytes", lambda: 1000)
    done = run(*STUDY, *SIGMA, "--trials", 2, "-o", "default")
    found = result_in(good / "default")["cross_check"]
    assert done.code == 0
    assert found["passed"] is None
    assert [len(each["not_checked"]) for each in found["draws"]] == [4, 4]
    assert "4 of 4 samples not checked" in " ".join(done.out.split())
    done = run(*STUDY, *SIGMA, "--trials", 2, "--cross-check", 1, "-o", "asked")
    assert done.code == 3
    assert "could not check every sample" in " ".join(done.out.split())
    assert "disagree" not in done.out
