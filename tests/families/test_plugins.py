"""Families and device laws of other packages: the example installed and measured, and what is broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kanspice.devices.laws import plugged_laws
from kanspice.families.table import families, plugged_families

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "plugin_family"

MEASURED = """
import json, sys
import numpy as np, torch
import kanspice
from kanspice.cli import main
from kanspice_varistor.network import VaristorNet

torch.manual_seed(1)
model, inputs = VaristorNet([3, 4, 2]).eval(), np.random.default_rng(1).uniform(-1.5, 1.5, (6, 3))
kanspice.save(model, "model.pt")
torch.save(model.state_dict(), "state.pt")
found = {}
for name, given in {"own": "model.pt", "state": "state.pt", "memory": model}.items():
    result = kanspice.verify(given, inputs, engine=sys.argv[1])
    found[name] = [result.model.family, result.gap.relative_rmse, result.exit_code]
finite = kanspice.verify("model.pt", inputs, engine=sys.argv[1], set={"tia.gain": 1000}, cross_check=2)
found["finite"] = [finite.gap.relative_rmse, finite.cross_check.passed]
print(json.dumps(found))

sys.argv = ["kanspice", "doctor", "--json", "-"]
main()
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> tuple[dict, dict]:
    """Where the example is installed, as in an environment of its own: what is measured, and what doctor says."""
    site, here = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("here")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, "--target", site, EXAMPLE], check=True)
    alone = {"cwd": here, "env": os.environ | {"PYTHONPATH": str(site)}, "timeout": 300}
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, "ngspice"], capture_output=True, text=True, check=False, **alone
    )
    assert done.returncode == 0, done.stdout + done.stderr
    measured, _, checked = done.stdout.partition("\n")
    return json.loads(measured), json.loads(checked)


@pytest.mark.slow
@pytest.mark.ngspice
def test_the_example_is_a_family_like_any_other(told):
    found, _ = told
    for name in ("own", "state", "memory"):
        family, gap, code = found[name]
        assert (family, code) == ("varistor", 0)
        assert gap < 1e-9
    assert 1e-4 < found["finite"][0] < 1
    assert found["finite"][1]


@pytest.mark.slow
@pytest.mark.ngspice
def test_doctor_lists_what_other_packages_bring(told):
    _, doctor = told
    names = {check["name"]: check["found"] for check in doctor["checks"]}
    assert names["families of other packages"] == "varistor"
    assert names["device laws of other packages"] == "hyperbolic_sine"


BRINGS = {
    "that is not there": ("kanspice.families", "absent.module:FAMILY", "No module named 'absent'"),
    "that raises": ("kanspice.families", "strange:MISSING", "strange"),
    "of another kind": ("kanspice.families", "strange:NUMBER", "is a int, not a Family"),
    "with a name that is taken": ("kanspice.families", "strange:TAKEN", "called 'kanalogue' already"),
    "law with a foreign function": ("kanspice.device_laws", "strange:GAMMA", "gamma"),
    "law with a foreign symbol": ("kanspice.device_laws", "strange:SYMBOL", "x"),
    "law with a root": ("kanspice.device_laws", "strange:ROOT", "sqrt"),
}
STRANGE = """
import sympy
from kanspice.devices.laws import Law, V
from kanspice.families.kanalogue.family import KANALOGUE as TAKEN

NUMBER = 3
GAMMA = Law("strange", "none", (), sympy.gamma(V))
SYMBOL = Law("strange", "none", (), V * sympy.Symbol("x", real=True))
ROOT = Law("strange", "none", (), sympy.sqrt(V))
"""


@pytest.mark.parametrize("what", BRINGS)
def test_what_is_broken_is_left_out_and_named(what, tmp_path, monkeypatch):
    group, value, why = BRINGS[what]
    about = tmp_path / "strange-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: strange\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{group}]\nodd = {value}\n")
    (tmp_path / "strange.py").write_text(STRANGE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "strange", raising=False)
    look = plugged_families if group.endswith("families") else plugged_laws
    look.cache_clear()
    try:
        (broken,) = look().broken
        assert broken.plugin == "odd of strange 1.0"
        assert why in broken.why
        assert len(families()) >= 5
    finally:
        look.cache_clear()
        sys.modules.pop("strange", None)


def test_a_package_that_ends_python_or_prints_does_neither(tmp_path, monkeypatch, capsys):
    about = tmp_path / "leaving-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: leaving\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[kanspice.families]\nodd = leaving:FAMILY\n")
    (tmp_path / "leaving.py").write_text("import sys\nprint('hello')\nsys.exit(3)\n")
    monkeypatch.syspath_prepend(tmp_path)
    plugged_families.cache_clear()
    try:
        (broken,) = plugged_families().broken
        assert broken.plugin == "odd of leaving 1.0"
    finally:
        plugged_families.cache_clear()
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "hello\n")
