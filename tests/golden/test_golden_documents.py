"""Every document, table and page of every kind of result, from synthetic ones."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from synthetic_experiments import COMPARISONS, LOOPS, SETTLINGS, STUDIES
from synthetic_results import EXTREMES, generated, regression, unresolved

from kanspice import report
from kanspice.control.document import control_json
from kanspice.control.page import control_page
from kanspice.control.table import print_control
from kanspice.report.junit import page_junit
from kanspice.report.page_html import page_html
from kanspice.report.page_markdown import page_markdown
from kanspice.report.settling import print_settling, settling_json
from kanspice.report.settling_page import settling_page
from kanspice.study import document, table
from kanspice.study.page import study_page

GAPS = {**EXTREMES, "generated": generated, "regression": regression, "unresolved": unresolved}


def printed(show, **options):
    """What a function prints on a terminal."""

    def text(result):
        file = io.StringIO()
        show(result, Console(file=file, width=80, **options))
        return file.getvalue()

    return text


def of_page(page):
    """Every writer of any page."""
    writers = {"html": page_html, "md": page_markdown, "xml": page_junit}
    return {form: lambda result, write=write: write(page(result)) for form, write in writers.items()}


KINDS = {
    "gap": (
        GAPS,
        {
            "json": report.to_json,
            "txt": printed(report.print_gap),
            "html": report.to_html,
            "md": report.to_markdown,
            "xml": report.to_junit,
        },
    ),
    "comparison": (
        COMPARISONS,
        {
            "json": report.comparison_json,
            "txt": printed(report.print_comparison),
            **of_page(report.comparison_page),
        },
    ),
    "settling": (
        SETTLINGS,
        {"json": settling_json, "txt": printed(print_settling), **of_page(settling_page)},
    ),
    "study": (
        STUDIES,
        {"json": document.to_json, "txt": printed(table.print_study), **of_page(study_page)},
    ),
    "control": (
        LOOPS,
        {"json": control_json, "txt": printed(print_control), **of_page(control_page)},
    ),
}
CASES = [
    pytest.param(make, write, form, id=f"{kind}-{name}-{form}")
    for kind, (results, writers) in KINDS.items()
    for name, make in results.items()
    for form, write in writers.items()
]
SHOWN = {
    "gap": (report.print_gap, GAPS["some failed"]),
    "comparison": (report.print_comparison, COMPARISONS["grown"]),
    "settling": (print_settling, SETTLINGS["unsettled"]),
    "study": (table.print_study, STUDIES["yields"]),
    "control": (print_control, LOOPS["fails"]),
}


@pytest.mark.parametrize(("make", "write", "form"), CASES)
def test_rendering(golden, make, write, form):
    golden(write(make()), form)


@pytest.mark.parametrize("kind", SHOWN)
def test_colours(golden, kind):
    """On a terminal that has them; ␛ stands for the escape character."""
    show, make = SHOWN[kind]
    coloured = printed(show, force_terminal=True, color_system="standard", legacy_windows=False, no_color=False)
    golden(coloured(make()).replace("\x1b", "␛"))
