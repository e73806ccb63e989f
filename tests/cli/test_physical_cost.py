"""The commands of docs/physical-cost.md, and what they write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kanspice.experiments.verify.reading import read_report

DOCS = Path(__file__).parents[2] / "docs" / "physical-cost.md"


def documented() -> list[list[str]]:
    return [line.split() for line in DOCS.read_text().splitlines() if line.startswith("kanspice verify")]


@pytest.mark.slow
@pytest.mark.ngspice
def test_the_documented_commands(run, good, moving):
    model, starts = moving
    crossbars, kirchhoffnet = documented()
    assert run(*crossbars[1:]).code == 0
    cost = json.loads(Path("cost.json").read_text())["physical"]
    assert cost["power_w"] == pytest.approx(sum(stage["power_w"] for stage in cost["stages"]))
    assert cost["power_w"] > 0
    assert (cost["latency_s"], cost["energy_j"], cost["samples"]) == (None, None, 8)
    assert {"rows", "drivers", "references", "amplifiers", "quiescent"} == cost["stages"][0]["parts_w"].keys()
    assert cost["power_w"] == pytest.approx(sum(cost["parts_w"].values()))
    digital = read_report("cost.json").physical.digital
    assert [each.energy_j for each in digital.energies] == [each["energy_j"] for each in cost["digital"]["energies"]]
    assert digital.operations.reads == cost["digital"]["operations"]["reads"] > 0

    (good / model).rename("net.pt")
    (good / starts).rename("inputs.npy")
    done = run(*kirchhoffnet[1:], "--html", "page.html")
    assert done.code == 0
    assert "energy" in done.out
    cost = json.loads(Path("cost.json").read_text())["physical"]
    assert read_report("cost.json").physical.energy_j == cost["energy_j"]
    assert cost["samples"] == 2
    assert cost["energy_j"] == pytest.approx(cost["power_w"] * cost["latency_s"])
    assert cost["parts_j"] == pytest.approx({"branches": cost["energy_j"]})
    assert cost["digital"]["evaluations"].keys() == {"l1.period", "l2.period"}
    page = Path("page.html").read_text()
    assert "What does it cost?" in page
    assert "Nature 620 (2023) 768-775" in page
    assert "l2.period" in page


def test_waveforms_of_operating_points_are_refused(run, good):
    done = run("verify", "model.pt", "--inputs", "inputs.npy", "--waveforms", "1")
    assert done.code == 2
    assert "operating points have no waveforms" in done.err


def test_the_batched_engine_measures_too(run, good):
    done = run("verify", "model.pt", "--inputs", "inputs.npy", "--engine", "batched", "--json", "-")
    assert json.loads(done.out)["physical"]["power_w"] > 0
