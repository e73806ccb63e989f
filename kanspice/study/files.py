"""What a study leaves in its folder beside plan and journal."""

from __future__ import annotations

import json
from pathlib import Path

from kanspice.files import write_text
from kanspice.study.document import to_json
from kanspice.study.page import to_html
from kanspice.study.result import StudyResult

RESULT, PAGE, TIMING = "study.json", "study.html", "timing.json"


def write(result: StudyResult, folder: Path) -> None:
    """The result for scripts, the page for readers, and, apart from both, how long it took: that is never the same."""
    write_text(folder / RESULT, to_json(result))
    write_text(folder / PAGE, to_html(result))
    seconds = [draw.seconds for point in result.points for draw in point.draws]
    timing = {
        "draws": len(seconds),
        "sum_s": sum(seconds),
        "mean_s": sum(seconds) / len(seconds),
        "max_s": max(seconds),
        "cross_checks": len(result.checks),
        "cross_checks_s": sum(check.seconds for check in result.checks),
    }
    write_text(folder / TIMING, json.dumps(timing, indent=2) + "\n")
