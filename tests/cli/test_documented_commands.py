"""Commands as the pages write them, run as they stand there."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from kanspice.devices import load_device

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def commands(page):
    """Every `kanspice ...` in the page's sh blocks, as arguments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.M | re.S)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("kanspice ")]


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A working folder with the examples, and points of the digits example's devices."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "iv").mkdir()
    for name in ("z21", "z15"):
        curve = load_device(name).curve
        v = np.linspace(curve.lo_v, curve.hi_v, 28)
        np.savetxt(tmp_path / "iv" / f"{name}_nodes.csv", np.stack([v, curve.numpy(v)[0] + 0.03 * np.cos(40 * v)], 1))
        text = (tmp_path / "iv" / f"{name}_nodes.csv").read_text().replace(" ", ",")
        (tmp_path / "iv" / f"{name}_nodes.csv").write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", commands("attribution.md"), ids=lambda command: command[-1])
def test_attribution(command, run, checkout):
    done = run(*command, "--limit", "40", "--json", "gap.json")
    assert done.code == 0
    document = json.loads((checkout / "gap.json").read_text())
    causes = {cause["name"]: cause for cause in document["causes"]}
    assert causes.pop("numerical error")["rmse"] < 1e-12
    shares = [cause["share"] for cause in causes.values() if cause["share"] is not None]
    assert sum(shares) == pytest.approx(1.0)
    assert document["attribution"]["samples"] == 40
    assert document["attribution"]["trials"] == 2 ** (len(shares) - 1) + 2 * (len(causes) - len(shares))
    for option in (command[place + 1] for place, part in enumerate(command) if part == "--set"):
        assert causes[option.partition("=")[0]]["relative_rmse"] > 1e-3


@pytest.mark.parametrize(
    ("command", "doubted", "code"),
    [
        (*found, *known)
        for *found, known in zip(commands("stability.md"), ((False, 0), (True, 0), (False, 3)), strict=True)
    ],
    ids=("gain", "wires", "no capacitors"),
)
def test_stability(command, doubted, code, run, checkout):
    done = run(*command)
    assert done.code == code, done.err
    said = " ".join(done.out.split())
    assert ("in 25 of 50 samples the circuit does not stand still" in said) == bool(code)
    assert ("could give 2 samples several states" in said) == doubted
    assert ("swept up to the sample and down to it" in said) == doubted


@pytest.mark.parametrize("command", commands("technology.md"), ids=lambda command: command[-1])
def test_technology(command, run, checkout):
    done = run(*command, "--limit", "10", "--json", "gap.json")
    assert done.code == 0
    document = json.loads((checkout / "gap.json").read_text())
    sections = {cause["name"].partition(".")[0] for cause in document["causes"][:-2]}
    assert sections == {"tia", "devices", "wires", "clippers", "references", "converters"}
    assert sum(cause["share"] or 0.0 for cause in document["causes"]) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("command", "code"),
    list(zip(commands("lifetime.md"), (0, 1, 0), strict=True)),
    ids=("followed", "lasting", "restored"),
)
def test_lifetimes(command, code, run, checkout):
    done = run(*command, "--trials", "3", "--limit", "40", "--cross-check", "0")
    assert done.code == code, done.err
    found = json.loads((checkout / command[-1] / "lifetime.json").read_text())
    assert bool(found["recalibration"]) == ("--recalibrate" in command)
    assert bool(found["as_used"]["lifetimes"]) == ("--max" in command)


@pytest.mark.ngspice
@pytest.mark.parametrize("command", commands("crossbars.md"), ids=lambda command: command[-1])
def test_crossbars(command, run, checkout):
    done = run(*command, "--limit", "10", "--json", "gap.json")
    assert done.code == 0
    document = json.loads((checkout / "gap.json").read_text())
    assert document["cross_check"]["worst_relative"] < 1e-6
    assert document["gap"]["relative_rmse"] > 1e-3
