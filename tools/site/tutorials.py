"""Runs the tutorials, each in a fresh folder, and keeps what they show: `python tools/site/tutorials.py [NAME ...]`.

Progress bars are left out.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
TUTORIALS = ROOT / "docs" / "tutorials"
TIMEOUT_S = 300
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def run(path: Path) -> None:
    """Replaces the outputs of a notebook by those of its cells, run in order."""
    notebook = nbformat.read(path, as_version=4)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(
            notebook,
            timeout=TIMEOUT_S,
            kernel_name="python3",
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": folder}},
        ).execute()
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs = [_plain(output) for output in cell.outputs if output.get("name") != "stderr"]
    nbformat.write(notebook, path)
    print(f"{path.name}: {time.monotonic() - began:.0f} s")


def _plain(output: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """What a cell printed, without a terminal's colours."""
    if output.output_type == "stream":
        output.text = _COLOURS.sub("", output.text)
    return output


if __name__ == "__main__":
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    os.environ.setdefault("PYTHONPATH", str(ROOT))
    for path in [TUTORIALS / f"{name}.ipynb" for name in sys.argv[1:]] or sorted(TUTORIALS.glob("*.ipynb")):
        run(path)
