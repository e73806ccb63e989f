"""`kanspice settle --trials`: settling times of many draws."""

from __future__ import annotations

import json
import shlex

import numpy as np
import pytest
from circuits import LINE, inputs_for, network
from json_schemas import hold

from kanspice.families import save

pytestmark = pytest.mark.slow

SLOW = ("--set", "tia.gain=1e4", "--set", "tia.gbw_hz=1e6")
FILES = ("settle.json", "settle.html", "settle.md", "settle.xml")


def settling(folder, *widths):
    """The command on a small network of such layers whose devices are straight lines."""
    model = network(widths, [LINE], input_stage="sigmoid")
    save(model, folder / "line.pt")
    np.save(folder / "line.npy", inputs_for(model, 5))
    return ("settle", "line.pt", "--inputs", "line.npy", *SLOW, "--limit", "3")


@pytest.fixture
def command(good):
    """The command on one crossbar."""
    return settling(good, 3, 2)


def result_in(folder):
    text = (folder / "settle.json").read_text()
    hold(text, "kanspice.settling-study/1")
    return json.loads(text)


def test_every_draw_is_what_settle_measures_by_itself(run, good):
    done = run(*settling(good, 3, 4, 2), "--sweep", "devices.area_sigma=0,0.1", "--trials", 2, "-o", "study")
    assert done.code == 0
    found = result_in(good / "study")
    assert found["schema"] == "kanspice.settling-study/1"
    fixed, drawn = found["points"]
    assert (fixed["random"], drawn["random"]) == (False, True)
    assert len(set(drawn["draws"]["latency_s"])) == 2
    assert drawn["metrics"]["latency_s"]["quantiles"]["0.5"] == pytest.approx(np.median(drawn["draws"]["latency_s"]))
    assert found["worst"]["point"] == 1
    alone = run(*shlex.split(found["worst"]["command"])[1:], "--json", "alone.json")
    assert alone.code == 0
    one, worst = json.loads((good / "alone.json").read_text()), found["worst"]["metrics"]
    assert one["latency_s"] == pytest.approx(worst["latency_s"], rel=1e-12)
    last = {stage["tolerance"]: stage for stage in one["stages"] if stage["name"] == "l2.crossbar"}
    assert last[0.01]["largest_s"] == pytest.approx(worst["settled_0.01_s"], rel=1e-12)
    assert last[0.001]["mean_s"] == pytest.approx(worst["settled_0.001_mean_s"], rel=1e-12)
    assert one["energy_j"] == pytest.approx(worst["energy_j"], rel=1e-12)


def test_a_study_is_the_same_however_many_measure_it_and_how_often(run, command, good):
    drawn = (
        *command,
        "--set",
        "devices.area_sigma=0.1",
        "--trials",
        3,
        "--max",
        "latency_s=1",
        "--max",
        "energy_j=1e-12",
    )
    assert run(*drawn, "-o", "one").code == 1
    before = [(good / "one" / name).read_bytes() for name in FILES]
    assert run(*drawn, "-o", "two", "--jobs", 2).code == 1
    assert [(good / "two" / name).read_bytes() for name in FILES] == before
    journal = good / "one" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:1], b'{"kind": "dra']))
    assert run("settle", "--resume", "one").code == 1
    assert [(good / "one" / name).read_bytes() for name in FILES] == before
    assert result_in(good / "one")["points"][0]["yield"]["good"] == 0
    np.save(good / "line.npy", np.load(good / "line.npy")[::-1])
    assert "this was another study: its" in run("settle", "--resume", "one").err


def test_draws_that_do_not_settle_are_counted(run, command, good):
    drawn = (*command, "--set", "devices.area_sigma=0.1", "--trials", 2, "--period", "1e-8")
    assert run(*drawn, "-o", "unasked").code == 3
    assert run(*drawn, "--yield-min", 0.5, "-o", "wanted").code == 1
    (point,) = result_in(good / "wanted")["points"]
    assert point["draws"]["failed_samples"] == [{"not settled": 3}] * 2
    assert point["draws"]["latency_s"] == [None, None]
    assert point["metrics"]["unsettled_fraction"]["mean"] == 1
    assert "have samples without a result (6 not settled)" in " ".join(
        (good / "wanted" / "settle.md").read_text().split()
    )


@pytest.mark.ngspice
def test_draws_are_followed_by_an_engine_that_is_named(run, command, good):
    drawn = (*command, "--set", "devices.area_sigma=0.1", "--trials", 1)
    assert run(*drawn, "--cross-check", "1:ngspice", "-o", "checked").code == 0
    (check,) = result_in(good / "checked")["cross_check"]
    assert (check["engine"], check["samples"]) == ("ngspice", 3)
    assert check["max_relative"] < 1e-2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--sweep", "tia.gain=1,2"), "say how many with --trials"),
        (("-o", "x"), "say how many with --trials"),
        (("--trials", 2), "no --out"),
        (("--trials", 2, "-o", "x", "--html", "x.html"), "many draws are written to a folder"),
        (("--trials", 2, "-o", "x", "--max", "latency=1"), "did you mean 'latency_s'?"),
        (("--trials", 2, "-o", "x", "--cross-check", "1:batched"), "an engine cannot check itself"),
        (("--trials", 2, "-o", "x", "--sweep", "tia.gbw_hz=inf"), "'tia.gbw_hz' is swept and set"),
        (("--resume", "x"), "the folder says what the study is"),
    ],
)
def test_bad_requests(run, command, good, options, said):
    done = run(*command, *options)
    assert (done.code, said in done.err) == (2, True), done.err
    assert not (good / "x").exists()
