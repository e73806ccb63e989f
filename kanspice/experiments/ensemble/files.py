"""What an ensemble leaves in its folder beside plan and journal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from kanspice.base.files import write_text
from kanspice.report.blocks import Page
from kanspice.report.junit import page_junit
from kanspice.report.page_html import page_html
from kanspice.report.page_markdown import page_markdown


def write(folder: Path, experiment: str, document: str, page: Page, timing: Mapping[str, float]) -> None:
    """The result for scripts, CI and readers, and, apart from it, how long it took: that is never the same.

    experiment: the name of the files. document: JSON.
    """
    write_text(folder / f"{experiment}.json", document)
    write_text(folder / f"{experiment}.html", page_html(page))
    write_text(folder / f"{experiment}.md", page_markdown(page))
    write_text(folder / f"{experiment}.xml", page_junit(page))
    write_text(folder / "timing.json", json.dumps(timing, indent=2) + "\n")
