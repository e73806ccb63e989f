"""What docs/reports.md and docs/ci.md tell a user to run is run as written: the workflow on a shipped example."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from circuits import PEAK, inputs_for, load_device, network

from kanspice.families import load, save
from kanspice.families.common.following import reference_stages

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
DIGITS = ROOT / "examples" / "01_kanalogue_digits"
SAMPLES = 3
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LEAVES = re.compile(r"# leaves with (\d)")


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return [body for kind, body in BLOCK.findall(text) if kind == language]


def shell(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a script as GitHub does, with this kanspice as the command `kanspice`."""
    programs = folder / ".bin"
    programs.mkdir(exist_ok=True)
    command = programs / "kanspice"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from kanspice.cli import main; main()" "$@"\n')
    command.chmod(0o755)
    search = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    options = {"cwd": folder, "env": {**os.environ, **search, **environment}, "timeout": 300}
    bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(bash, check=False, capture_output=True, text=True, **options)


def put_small_network(folder: Path) -> None:
    """A network of two layers that a simulator solves at once."""
    network_made = network([3, 4, 2], [load_device("z21"), PEAK], input_stage="sigmoid")
    inputs = inputs_for(network_made, 8)
    save(network_made, folder / "model.pt")
    np.save(folder / "inputs.npy", inputs)
    np.save(folder / "labels.npy", list(reference_stages(network_made, inputs).values())[-1].argmax(axis=1))


def put_network(folder: Path) -> None:
    """The digits example with few samples."""
    folder.mkdir(exist_ok=True)
    shutil.copy(DIGITS / "model.pt", folder)
    for name in ("inputs.npy", "labels.npy"):
        np.save(folder / name, np.load(DIGITS / name)[:SAMPLES])


@pytest.mark.ngspice
def test_the_commands_of_the_reports_page(tmp_path):
    put_small_network(tmp_path)
    (tmp_path / "limits.toml").write_text(blocks("reports.md", "toml")[0])
    commands = [line for block in blocks("reports.md", "sh") for line in block.splitlines()]
    assert len(commands) == 9
    for command in commands:
        expected = LEAVES.search(command)
        done = shell(command, tmp_path)
        assert done.returncode == (int(expected[1]) if expected else 0), command + done.stdout + done.stderr
    written = {"gap.html", "gap.json", "gap.md", "gap.xml", "again.html", "again.md", "after.json", "change.html"}
    assert written <= {path.name for path in tmp_path.iterdir()}


def workflow() -> dict:
    (text,) = blocks("ci.md", "yaml")
    return yaml.safe_load(text)


def run_steps(folder: Path) -> dict[str, int]:
    """Runs the workflow's steps that call kanspice or read what it wrote; gives their exit codes."""
    codes = {}
    for step in workflow()["jobs"]["gap"]["steps"]:
        script = step.get("run", "")
        if not re.search(r"^(kanspice|cat) ", script, re.MULTILINE):
            continue
        needed = re.search(r"hashFiles\('(.+?)'\)", step.get("if", ""))
        failed = any(codes.values())
        if (failed and "if" not in step) or (needed and not (folder / needed[1]).exists()):
            continue
        done = shell(script, folder, GITHUB_STEP_SUMMARY=str(folder / "summary.md"))
        codes[step["name"]] = done.returncode
        print(done.stdout, done.stderr)
    return codes


@pytest.fixture
def repository(tmp_path):
    """What the page says the repository holds."""
    put_network(tmp_path / "network")
    board, limits = blocks("ci.md", "toml")
    (tmp_path / "network" / "board.toml").write_text(board)
    (tmp_path / "network" / "limits.toml").write_text(limits)
    (baseline,) = blocks("ci.md", "sh")
    done = shell(baseline, tmp_path)
    assert done.returncode == 0, done.stderr
    return tmp_path


@pytest.mark.ngspice
def test_the_workflow_passes_then_fails_when_the_gap_grows_and_reports_both(repository):
    steps = ["Check the installation", "Verify", "Compare with the baseline", "Summary"]
    assert run_steps(repository) == dict.fromkeys(steps, 0)
    summary = (repository / "summary.md").read_text()
    assert summary.startswith("### ✅ passed: 5 limits kept")
    assert "the gap is the same within numerical error" in summary
    cases = ElementTree.parse(repository / "gap.xml").findall("testsuite/testcase")
    assert len(cases) == 7

    board = repository / "network" / "board.toml"
    board.write_text(board.read_text().replace("10_000.0", "5_000.0"))
    (repository / "summary.md").unlink()
    assert run_steps(repository) == dict.fromkeys(steps, 0) | {"Verify": 1}
    summary = (repository / "summary.md").read_text()
    assert summary.startswith("### ❌ FAILED: of 5 limits, 1 exceeded")
    assert "another technology" in summary
    uploaded = workflow()["jobs"]["gap"]["steps"][-1]["with"]["path"].split()
    assert all((repository / name).stat().st_size > 0 for name in uploaded)


def test_the_workflow_is_what_github_understands():
    found = workflow()
    triggers = found[True]  # YAML 1.1 reads the key `on` so
    assert triggers == {"push": {"branches": ["main"]}, "pull_request": None}
    assert found["permissions"] == {"contents": "read"}
    for step in found["jobs"]["gap"]["steps"]:
        assert step.keys() <= {"name", "uses", "with", "run", "if"}
        assert ("uses" in step) != ("run" in step)
    scripts = " ".join(step.get("run", "") for step in found["jobs"]["gap"]["steps"])
    assert "apt-get install -qy --no-install-recommends ngspice" in scripts
    assert '"$KANSPICE"' in scripts
    assert found["env"] == {"KANSPICE": "kanspice"}


@pytest.mark.ngspice
def test_the_pytest_example_runs(repository):
    (example,) = blocks("ci.md", "python")
    (repository / "test_gap.py").write_text(example)
    arguments = "-p kanspice.cli.pytest_plugin -p no:cacheprovider -q test_gap.py"
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = shell(f'"{sys.executable}" -m pytest {arguments}', repository, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_the_page_names_every_option_and_argument_of_the_plugin():
    text = (DOCS / "ci.md").read_text(encoding="utf-8")
    plugin = (ROOT / "kanspice" / "cli" / "pytest_plugin.py").read_text(encoding="utf-8")
    for option in re.findall(r'"(--kanspice-[a-z]+)"', plugin):
        assert f"`{option}" in text
    call = plugin[plugin.index("def __call__") : plugin.index(") -> GapResult")]
    for argument in re.findall(r"^        (\w+):", call, re.MULTILINE):
        assert f"`{argument}`" in text or f"`{argument}=" in text, argument


def test_limits_in_the_pages_name_metrics_of_the_example():
    for page in ("reports.md", "ci.md"):
        for block in blocks(page, "toml"):
            assert tomllib.loads(block)


def test_the_networks_of_the_page_on_connections_train(tmp_path, monkeypatch):
    """The page's programs, with fewer steps."""
    programs = blocks("connection-networks.md", "python")
    assert len(programs) == 2
    monkeypatch.chdir(tmp_path)
    for program in programs:
        (tmp_path / "program.py").write_text(program.replace("steps=200", "steps=3"))
        runpy.run_path("program.py")
        assert load(tmp_path / "model.pt").output_width == 1
