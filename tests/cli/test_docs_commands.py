"""What docs/reports.md and docs/ci.md tell a user to run is run as written: the workflow on a shipped example."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from circuits import PEAK, inputs_for, load_device, network

from kanspice.families import load, save
from kanspice.families.common.following import reference_stages

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LEAVES = re.compile(r"# leaves with (\d)")


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return [body for kind, body in BLOCK.findall(text) if kind == language]


def said(script: str, folder: Path, **environment: str) -> list[str]:
    """Runs a script as GitHub does, but for a command `kanspice` in it: gives that one's arguments, as it gets them."""
    programs, called = folder / ".bin", folder / ".called"
    programs.mkdir(exist_ok=True)
    (programs / "kanspice").write_text(f"#!/bin/sh\nprintf '%s\\0' \"$@\" > '{called}'\n")
    (programs / "kanspice").chmod(0o755)
    called.unlink(missing_ok=True)
    options = {"cwd": folder, "env": {"PATH": f"{programs}:/usr/bin:/bin", **environment}, "timeout": 60}
    subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script], check=True, **options)
    return called.read_text().split("\0")[:-1] if called.exists() else []


@pytest.mark.ngspice
def test_the_commands_of_the_reports_page(run, good):
    (good / "limits.toml").write_text(blocks("reports.md", "toml")[0])
    commands = [line for block in blocks("reports.md", "sh") for line in block.splitlines()]
    assert len(commands) == 12
    for command in commands:
        expected = LEAVES.search(command)
        name, *arguments = shlex.split(command, comments=True)
        done = run(*arguments)
        assert (name, done.code) == ("kanspice", int(expected[1]) if expected else 0), command + done.out + done.err
    written = {"gap.html", "gap.json", "gap.md", "gap.xml", "again.html", "again.md", "after.json", "change.html"}
    assert written <= {path.name for path in good.iterdir()}


def workflow() -> dict:
    return yaml.safe_load(blocks("ci.md", "yaml")[0])


def run_steps(run, folder: Path) -> dict[str, int]:
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
        assert script.count("kanspice ") <= 1
        arguments = said(script, folder, GITHUB_STEP_SUMMARY=str(folder / "summary.md"))
        codes[step["name"]] = run(*arguments).code if arguments else 0
    return codes


@pytest.fixture(scope="module")
def committed(run_once, tmp_path_factory):
    """What the page says the repository holds, of a network that keeps the page's limits."""
    folder = tmp_path_factory.mktemp("repository")
    there = folder / "network"
    there.mkdir()
    model = network([3, 4, 2], [load_device("z21"), PEAK], input_stage="sigmoid", seed=1)
    inputs = inputs_for(model, 8)
    save(model, there / "model.pt")
    np.save(there / "inputs.npy", inputs)
    np.save(there / "labels.npy", list(reference_stages(model, inputs).values())[-1].argmax(axis=1))
    board, limits, _ = blocks("ci.md", "toml")
    (there / "board.toml").write_text(board)
    (there / "limits.toml").write_text(limits)
    (baseline,) = blocks("ci.md", "sh")
    run_once(folder, *said(baseline, folder))
    return folder


@pytest.fixture
def repository(committed, tmp_path, monkeypatch):
    """A copy of it as the working folder."""
    folder = tmp_path / "repository"
    shutil.copytree(committed, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.ngspice
def test_the_workflow_passes_then_fails_when_the_gap_grows_and_reports_both(run, repository):
    steps = ["Check the installation", "Verify", "Compare with the baseline", "Summary"]
    assert run_steps(run, repository) == dict.fromkeys(steps, 0)
    summary = (repository / "summary.md").read_text()
    assert summary.startswith("### ✅ passed: 6 limits kept")
    assert "the gap is the same within numerical error" in summary
    cases = ElementTree.parse(repository / "gap.xml").findall("testsuite/testcase")
    assert len(cases) == 8

    board = repository / "network" / "board.toml"
    board.write_text(board.read_text().replace("10_000.0", "8_000.0"))
    (repository / "summary.md").unlink()
    assert run_steps(run, repository) == dict.fromkeys(steps, 0) | {"Verify": 1}
    summary = (repository / "summary.md").read_text()
    assert summary.startswith("### ❌ FAILED: of 6 limits, 1 exceeded")
    assert "another technology" in summary
    uploaded = workflow()["jobs"]["gap"]["steps"][-1]["with"]["path"].split()
    assert all((repository / name).stat().st_size > 0 for name in uploaded)


def test_the_history_is_kept_in_a_branch_of_its_own(run, repository, tmp_path, monkeypatch):
    """Two commits, each in a clone that is made for it, as a runner's is."""
    (step,) = yaml.safe_load(blocks("ci.md", "yaml")[1])
    assert step.keys() == {"name", "if", "run"}
    origin = tmp_path / "origin.git"
    git = partial(subprocess.run, check=True, capture_output=True, timeout=60)
    git(["git", "init", "-q", "--bare", "-b", "main", origin])
    who = ("-c", "user.name=a", "-c", "user.email=a@localhost")
    for command in (["init", "-q", "-b", "main"], ["add", "network"], [*who, "commit", "-qm", "One"]):
        git(["git", *command], cwd=repository)
    git(["git", "push", "-q", origin, "main"], cwd=repository)
    for place, gain in enumerate((10_000, 8_000)):
        clone = tmp_path / f"clone{place}"
        git(["git", "clone", "-q", origin, clone])
        monkeypatch.chdir(clone)
        run("verify", "network/model.pt", "--inputs", "network/inputs.npy", "--engine", "batched", "-q",
            "--set", f"tia.gain={gain}", "--json", "gap.json")  # fmt: skip
        variables = {"GITHUB_SHA": f"{place}" * 40, "GITHUB_STEP_SUMMARY": str(clone / "summary.md")}
        (clone / "history.md").write_text("")
        arguments = said(step["run"], clone, HOME=str(clone), **variables)
        assert run(*arguments).code == 0
        assert "tia.gain" in (clone / "kept" / "index.html").read_text() or place == 0
    kept = git(["git", "ls-tree", "-r", "--name-only", "gap-history"], cwd=origin).stdout.decode().split()
    assert [Path(name).name[11:] for name in kept] == ["0000000.json", "1111111.json"]


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
    arguments = ("-p", "kanspice.cli.pytest_plugin", "-p", "no:cacheprovider", "-q", "test_gap.py")
    alone = {"cwd": repository, "env": os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}}
    command = [sys.executable, "-m", "pytest", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300, **alone)
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
