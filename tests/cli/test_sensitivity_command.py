"""`kanspice sensitivity`: what it writes, and what it refuses before anything is written."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.slow

DRAWN = ("--set", "devices.area_sigma=0.05", "--set", "tia.gain=1000")
COMMAND = ("sensitivity", "model.pt", "--inputs", "inputs.npy", "--draws", "3")


def test_it_writes_a_page_a_document_and_a_specimen(run, good):
    wanted = ("--html", "s.html", "--json", "s.json", "--worst", "worst.npz", "--labels", "labels.npy")
    done = run(*COMMAND, *DRAWN, *wanted)
    assert done.code == 0
    assert "Which parts matter?" in done.out
    assert "l1.crossbar.area" in done.out
    found = json.loads((good / "s.json").read_text())
    assert found["schema"] == "kanspice.sensitivity/1"
    assert found["drawn"]["draws"] == 3
    assert found["command"].startswith("kanspice sensitivity model.pt")
    assert "what each crosspoint makes alone" not in done.out
    assert (good / "s.html").read_text().count("What the devices of every crosspoint make alone") == 2
    verify = run(
        "verify",
        "model.pt",
        "--inputs",
        "inputs.npy",
        *DRAWN,
        "--engine",
        "batched",
        "--specimen",
        "worst.npz",
        "--json",
        "-",
    )
    assert json.loads(verify.out)["gap"]["relative_rmse"] == pytest.approx(found["worst"]["relative_rmse"], rel=1e-12)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ((), "nothing that a gradient reaches is random"),
        ((*DRAWN, "--worst", "inputs.npy"), "it is an input of this command"),
        ((*DRAWN, "--max", "nonsense=1"), "nonsense"),
        ((*DRAWN, "--limit", "1"), "outputs that do not vary"),
    ],
)
def test_bad_input_leaves_nothing_behind(run, good, options, problem):
    before = {path.name: path.read_bytes() for path in good.iterdir()}
    done = run(*COMMAND, *options, "--json", "s.json")
    assert done.code == 2
    assert problem in done.err
    assert {path.name: path.read_bytes() for path in good.iterdir()} == before
