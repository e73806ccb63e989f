"""The pages of the examples, for the documentation site: `python tools/site/gallery.py FOLDER`.

Each example's README says how its circuit is verified. That command runs here in typical parts, in the batched engine,
for a few samples and with causes, so that all pages take minutes.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOW = ["--tech", "typical", "--engine", "batched", "--limit", "20", "--attribute", "--quiet"]


def examples() -> list[Path]:
    """The folders of the examples that have a page, in order."""
    return sorted(path.parent for path in ROOT.glob("examples/[0-9]*/README.md"))


def command(example: Path) -> list[str]:
    """`kanspice verify MODEL --inputs ...` with everything that the example's README adds to it."""
    found = re.search(r"^kanspice (verify .*)$", (example / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise SystemExit(f"{example}/README.md has no line `kanspice verify ...`")
    return [*shlex.split(found[1]), *HOW]


def write(folder: Path) -> None:
    """Writes a page per example into the folder, as NAME.html."""
    folder.mkdir(parents=True, exist_ok=True)
    for example in examples():
        page = folder / f"{example.name}.html"
        print(f"{example.name} -> {page}", flush=True)
        arguments = [sys.executable, "-m", "kanspice", *command(example), "--html", str(page)]
        done = subprocess.run(arguments, cwd=ROOT, check=False, stdout=subprocess.DEVNULL)
        if done.returncode != 0:
            raise SystemExit(f"{shlex.join(arguments)} left with {done.returncode}")


if __name__ == "__main__":
    write(Path(sys.argv[1]).resolve())
