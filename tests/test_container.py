"""The container: built where Docker is; elsewhere its steps are run in a fresh folder, with what it copies."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
STEPS = re.findall(r"^([A-Z]+) (.+)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
PIP = """#!/bin/sh
# What needs an index is here already; what is built is built, and installed into a folder of its own.
case "$*" in
    *" torch") exec {python} -c "import torch" ;;
    *) shift; exec {python} -m pip --disable-pip-version-check install --quiet \
        --no-index --no-deps --no-build-isolation --target {target} "$@" ;;
esac
"""


def runs_docker() -> bool:
    """Whether there is Docker, and its daemon answers."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], check=False, capture_output=True, timeout=60).returncode == 0


def lines(name: str) -> list[str]:
    return [line for line in (ROOT / name).read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


def is_copied(path: str) -> bool:
    """As .dockerignore says: the last pattern that a path, or a folder above it, fits."""
    above = [*map(str, reversed(Path(path).parents[:-1])), path]
    copied = True
    for pattern in lines(".dockerignore"):
        plain = pattern.removeprefix("!").removeprefix("**/")
        if any(fnmatch(each, plain) or ("**" in pattern and fnmatch(Path(each).name, plain)) for each in above):
            copied = pattern.startswith("!")
    return copied


def test_it_is_built_and_starts():
    if not runs_docker():
        pytest.skip("Docker does not run here")
    subprocess.run(["docker", "build", "-q", "-t", "kanspice-test", str(ROOT)], check=True, timeout=1500)
    done = subprocess.run(
        ["docker", "run", "--rm", "kanspice-test", "--version"], check=True, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.startswith("kanspice ")


def test_its_steps_in_a_fresh_folder(tmp_path):
    source, target, programs = tmp_path / "src", tmp_path / "installed", tmp_path / "programs"
    programs.mkdir()
    for name in ("apt-get", "rm", "chmod"):
        (programs / name).write_text("#!/bin/sh\nexit 0\n")
    (programs / "pip").write_text(PIP.format(python=sys.executable, target=target))
    for program in programs.iterdir():
        program.chmod(0o755)
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    ).stdout.splitlines()
    copied = [name for name in tracked if is_copied(name) and (ROOT / name).is_file()]
    assert "pyproject.toml" in copied
    assert not any(name.startswith(("tests/", "benchmarks/", "docs/")) for name in copied)
    for kind, words in STEPS:
        if kind == "COPY":
            assert words in ("constraints.txt /src/", ". /src/")
            for name in copied:
                (source / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, source / name)
        elif kind == "RUN":
            environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"}
            script = words.replace("/src", str(source))
            subprocess.run(["sh", "-ec", script], check=True, timeout=300, env=environment, cwd=tmp_path)
    assert ("ENTRYPOINT", '["kanspice"]') in STEPS
    environment = os.environ | {"PYTHONPATH": str(target), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "kanspice", "devices", "list"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert "z21_passive" in done.stdout
    assert (target / "kanspice" / "_shipped" / "examples" / "01_kanalogue_digits" / "model.pt").is_file()
