"""What a study leaves in its folder beside plan and journal."""

from __future__ import annotations

import json
from pathlib import Path

from kanspice.base.files import write_text
from kanspice.experiments.study.document import to_json
from kanspice.experiments.study.page import study_page
from kanspice.experiments.study.result import StudyResult
from kanspice.report.junit import page_junit
from kanspice.report.page_html import page_html
from kanspice.report.page_markdown import page_markdown

RESULT, PAGE, SUMMARY, JUNIT, TIMING = "study.json", "study.html", "study.md", "study.xml", "timing.json"


def write(result: StudyResult, folder: Path) -> None:
    """The result for scripts, CI and readers, and, apart from it, how long it took: that is never the same."""
    page = study_page(result)
    write_text(folder / RESULT, to_json(result))
    write_text(folder / PAGE, page_html(page))
    write_text(folder / SUMMARY, page_markdown(page))
    write_text(folder / JUNIT, page_junit(page))
    write_text(folder / TIMING, json.dumps(result.timing, indent=2) + "\n")
