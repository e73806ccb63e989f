"""What does not hold, as workflow commands that GitHub shows beside a change."""

from __future__ import annotations

from kanspice.report.blocks import Page


def page_annotations(page: Page) -> str:
    """A line `::error title=...::...` for every check that does not hold; else one `::notice` with the answer."""
    title = _property(f"{page.command} {page.subject}")
    problems = [f"{check.name}: {check.problem.message}" for check in page.checks if check.problem is not None]
    if page.exit_code and not problems:
        problems = [(page.outcome or page.answer).text]
    lines = [f"::error title={title}::{_message(problem)}" for problem in problems]
    return "\n".join(lines or [f"::notice title={title}::{_message(page.answer.text)}"]) + "\n"


def _message(text: str) -> str:
    """As GitHub's runner wants what follows the colons: in one line."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
