"""What an ensemble leaves in its folder beside plan and journal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from kanspice.base.files import write_text
from kanspice.report.blocks import Page
from kanspice.report.formats import FORMATS


def write(folder: Path, experiment: str, document: str, page: Page, timing: Mapping[str, float]) -> None:
    """The result for scripts, CI and readers, and, apart from it, how long it took: that is never the same.

    experiment: the name of the files. document: JSON.
    """
    write_text(folder / f"{experiment}.json", document)
    for each in FORMATS:
        write_text(folder / f"{experiment}.{each.suffix}", each.write(page))
    write_text(folder / "timing.json", json.dumps(timing, indent=2) + "\n")
