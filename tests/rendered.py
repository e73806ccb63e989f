"""A gap in every form that is written of its page."""

from __future__ import annotations

import io

from rich.console import Console

from kanspice.experiments.verify.page import gap_page
from kanspice.experiments.verify.result import GapResult
from kanspice.report.junit import page_junit
from kanspice.report.page_html import page_html
from kanspice.report.page_markdown import page_markdown
from kanspice.report.terminal import print_page


def to_html(result: GapResult) -> str:
    return page_html(gap_page(result))


def to_markdown(result: GapResult) -> str:
    return page_markdown(gap_page(result))


def to_junit(result: GapResult) -> str:
    return page_junit(gap_page(result))


def printed(result: GapResult, width: int = 80, **options: object) -> str:
    """What is printed on a terminal so wide."""
    file = io.StringIO()
    print_page(gap_page(result), Console(file=file, width=width, **options))
    return file.getvalue()
