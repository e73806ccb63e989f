"""The wheel carries its device cards and subcircuits, and an installed kanspice uses its own, not a checkout's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = {"device_models": "*.toml", "netlists": "*.cir", "schemas": "*.json", "technologies": "*.toml"}

LOOK_INSIDE = """
import json
import kanspice
from kanspice.base import resources
from kanspice.devices import list_devices

paths = [kanspice.__file__, resources.DEVICE_MODELS, resources.NETLISTS, resources.SCHEMAS, resources.EXAMPLES]
cells = sorted(path.name for path in resources.NETLISTS.glob("*.cir"))
print(json.dumps({"paths": [str(path) for path in paths], "devices": len(list_devices()), "cells": cells}))
"""


def run_python(*arguments: str, cwd: Path, **environment: str) -> str:
    """The standard output of a Python process; fails the test with everything it printed when it fails."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | environment
    options = {"cwd": cwd, "env": clean, "timeout": 300}
    done = subprocess.run([sys.executable, *arguments], check=False, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run_python("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT), cwd=folder)
    (built,) = folder.glob("kanspice-*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel) -> list[str]:
    with ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_carries_what_pages_run(names):
    in_checkout = {path.relative_to(ROOT).as_posix() for path in (ROOT / "kanspice/report/third_party").iterdir()}
    assert len(in_checkout) == 4
    assert in_checkout | {"kanspice/report/page.js"} <= set(names)


@pytest.mark.parametrize("folder", SHIPPED)
def test_the_wheel_carries_what_the_checkout_has(names, folder):
    in_checkout = {path.relative_to(ROOT / folder).as_posix() for path in (ROOT / folder).rglob(SHIPPED[folder])}
    prefix = f"kanspice/_shipped/{folder}/"
    in_wheel = {name.removeprefix(prefix) for name in names if name.startswith(prefix)}
    assert in_checkout
    assert in_checkout <= in_wheel


def test_the_wheel_carries_what_the_demo_needs_and_no_other_example(names):
    prefix = "kanspice/_shipped/examples/"
    carried = {name.removeprefix(prefix) for name in names if name.startswith(prefix)}
    assert carried == {f"01_kanalogue_digits/{name}" for name in ("model.pt", "inputs.npy", "labels.npy")}


def test_the_wheel_carries_the_type_marker_the_licence_and_no_tests(names):
    assert "kanspice/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("licenses/kanspice/report/third_party/LICENSES.txt") for name in names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"kanspice"}
    assert not any("__pycache__" in name for name in names)


PLUGGED = """
import sys

def test_the_plugin_of_the_installed_kanspice_is_loaded(request):
    assert request.config.pluginmanager.get_plugin("kanspice").__file__.startswith({target!r})
    assert request.config.getoption("kanspice_limit") is None
    assert "torch" not in sys.modules
"""


def test_an_installed_kanspice_uses_the_files_inside_it(wheel, tmp_path):
    target, elsewhere = tmp_path / "target", tmp_path / "elsewhere"
    elsewhere.mkdir()
    pip = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index", "--no-deps")
    run_python(*pip, "--target", str(target), str(wheel), cwd=elsewhere)
    seen = json.loads(run_python("-c", LOOK_INSIDE, cwd=elsewhere, PYTHONPATH=str(target)))
    assert all(Path(path).resolve().is_relative_to(target.resolve()) for path in seen["paths"])
    assert seen["devices"] == len(list((ROOT / "device_models").glob("*.toml")))
    assert seen["cells"] == sorted(path.name for path in (ROOT / "netlists").glob("*.cir"))
    (elsewhere / "test_plugged.py").write_text(PLUGGED.format(target=str(target)))
    run_python("-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", cwd=elsewhere, PYTHONPATH=str(target))
