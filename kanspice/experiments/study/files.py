"""What a study leaves in its folder beside plan and journal."""

from __future__ import annotations

from pathlib import Path

from kanspice.experiments.ensemble import files
from kanspice.experiments.study.document import to_json
from kanspice.experiments.study.page import study_page
from kanspice.experiments.study.result import StudyResult


def write(result: StudyResult, folder: Path) -> None:
    """The result for scripts, CI and readers, and, apart from it, how long it took."""
    files.write(folder, "study", to_json(result), study_page(result), result.timing)
