"""The notebooks of docs/tutorials run in a fresh folder, as they stand there, and print what is kept in them.

Numbers are not compared: other processors and versions of torch train slightly different networks.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.ipynb"))
NEEDS = {"device": ("sklearn",)}
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")
VARIES = re.compile(
    r"^(?:\W*(?:time|memory|took|engine|seconds per sample)\b.*| {17}.*\bs\b.*)$|\d+ passed in .*", re.MULTILINE
)
CELL = "\x1e"
SHELL = """
def shell(script):
    import subprocess
    print(end=subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True).stdout)
"""


def cells(path: Path) -> list[dict]:
    document = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in document["cells"] if cell["cell_type"] == "code"]


def program(path: Path) -> str:
    """The code of all cells, commands of the shell included; what each prints ends with CELL."""
    parts = [SHELL]
    for cell in cells(path):
        source = "".join(cell["source"])
        magic, _, script = source.partition("\n")
        code = f"shell({script!r})" if magic == "%%sh" else re.sub(r"^%.*$", "", source, flags=re.MULTILINE)
        parts.append(f"{code}\nprint(end={CELL!r})")
    return "\n".join(parts)


def kept(cell: dict) -> str:
    return "".join("".join(output["text"]) for output in cell["outputs"] if output["output_type"] == "stream")


def words(text: str) -> list[str]:
    """What does not vary from run to run or from machine to machine, without numbers and layout."""
    return re.sub(r"[─━\W]+", " ", NUMBER.sub("", VARIES.sub("", text))).split()


def test_there_is_one_for_each_of_the_four_users():
    assert [path.stem for path in TUTORIALS] == ["checkpoint", "ci", "circuit", "device"]


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_it_prints_what_is_kept_in_it(path, tmp_path):
    for package in NEEDS.get(path.stem, ()):
        pytest.importorskip(package)
    (tmp_path / "cells.py").write_text(program(path), encoding="utf-8")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, module in (("kanspice", "-m kanspice"), ("python", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {module} "$@"\n')
        (programs / name).chmod(0o755)
    (tmp_path / "fresh").mkdir()
    alone = os.environ | {
        "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT),
        "MPLBACKEND": "agg",
        "COLUMNS": "80",
    }
    command = [sys.executable, str(tmp_path / "cells.py")]
    done = subprocess.run(
        command, cwd=tmp_path / "fresh", env=alone, check=False, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    printed = done.stdout.split(CELL)[:-1]
    assert [words(text) for text in printed] == [words(kept(cell)) for cell in cells(path)]


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_it_is_small_and_has_run(path):
    assert path.stat().st_size < 150_000
    for cell in cells(path):
        assert cell["execution_count"] is not None
        assert all(output["output_type"] != "error" for output in cell["outputs"])
    links = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []
