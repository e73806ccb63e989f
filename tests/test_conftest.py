"""Tests with a missing need are skipped and counted, and fail where the need is required."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

MARKED = """
import pytest

@pytest.mark.ngspice
def test_runs_the_simulator():
    pass

@pytest.mark.browser
def test_opens_a_page():
    pass

@pytest.mark.reference_data
def test_marked():
    pass

def test_by_fixture(reference_data):
    assert (reference_data / "README").is_file()

def test_needs_nothing():
    pass
"""
INI = "[pytest]\naddopts = --strict-markers\nmarkers =\n    ngspice: x\n    browser: x\n    reference_data: x\n"


@pytest.fixture
def run(tmp_path):
    """Runs MARKED under the real conftest with the given environment; returns exit code and output."""
    for name in ("conftest.py", "browser.py"):
        shutil.copy(Path(__file__).with_name(name), tmp_path)
    (tmp_path / "test_marked.py").write_text(MARKED, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(INI, encoding="utf-8")

    def run_with(*arguments: str, **environment: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("KANSPICE_", "PYTEST_"))}
        clean["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        options = {"cwd": tmp_path, "env": clean | environment, "timeout": 120}
        done = subprocess.run(command, check=False, capture_output=True, text=True, **options)
        return done.returncode, done.stdout + done.stderr

    return run_with


@pytest.mark.parametrize("arguments", [(), ("-p", "xdist", "-n", "2")], ids=["one process", "xdist"])
def test_missing_needs_are_skipped_and_counted(run, arguments):
    code, output = run(*arguments, KANSPICE_NGSPICE="/nowhere/ngspice", KANSPICE_BROWSER="/nowhere/chromium")
    assert code == 0
    assert "1 passed, 4 skipped" in output
    assert "not run for want of ngspice: 1 (/nowhere/ngspice the simulator" in output
    assert "not run for want of browser: 1 (KANSPICE_BROWSER names /nowhere/chromium" in output
    assert "not run for want of reference_data: 2 (KANSPICE_REFERENCE_DATA is not set)" in output


def test_a_required_need_that_is_missing_is_a_failure(run, tmp_path):
    needs = {"KANSPICE_NGSPICE": "/nowhere/ngspice", "KANSPICE_REFERENCE_DATA": str(tmp_path / "gone")}
    needs["KANSPICE_BROWSER"] = "/nowhere/chromium"
    code, output = run(KANSPICE_REQUIRE="ngspice, reference_data", **needs)
    assert code == 1
    assert "KANSPICE_REQUIRE demands ngspice, but" in output
    assert "KANSPICE_REQUIRE demands reference_data, but" in output
    assert "which is no folder" in output
    assert "1 passed, 1 skipped, 3 errors" in output  # no browser is demanded


def test_reference_data_that_is_there_is_used(run, tmp_path):
    (tmp_path / "README").touch()
    fake = tmp_path / "ngspice"
    fake.write_text("#!/bin/sh\necho ngspice-44\n", encoding="utf-8")
    fake.chmod(0o755)
    needs = {"KANSPICE_NGSPICE": str(fake), "KANSPICE_REFERENCE_DATA": str(tmp_path), "KANSPICE_BROWSER": str(fake)}
    code, output = run(KANSPICE_REQUIRE="ngspice,reference_data", **needs)
    assert code == 0, output
    assert "5 passed" in output
    assert "not run for want" not in output


def test_a_need_that_nobody_knows_is_a_usage_error(run):
    code, output = run(KANSPICE_REQUIRE="ngspcie")
    assert code == 4
    assert "KANSPICE_REQUIRE names ngspcie; known: ngspice, browser, reference_data" in output
