"""Every experiment's page in every form: all that a short form has room for is in it, and nothing is cut."""

from __future__ import annotations

import io
from html import unescape

import pytest
from rich.console import Console
from synthetic_amplifiers import AMPLIFIERS
from synthetic_calibrations import CALIBRATIONS, IDENTIFICATIONS
from synthetic_experiments import (
    COMPARISONS,
    HISTORIES,
    LIFETIMES,
    LOOPS,
    PROJECTIONS,
    SENSITIVITIES,
    SETTLING_STUDIES,
    SETTLINGS,
    STUDIES,
    TUNINGS,
)
from synthetic_results import GAPS
from synthetic_trials import TRIALS

from kanspice.experiments.calibrate.page import calibration_page
from kanspice.experiments.characterise.page import amplifier_page
from kanspice.experiments.compare import comparison_page
from kanspice.experiments.control.page import control_page
from kanspice.experiments.history import history_page
from kanspice.experiments.identify.page import identification_page
from kanspice.experiments.lifetime.page import lifetime_page
from kanspice.experiments.project.page import projection_page
from kanspice.experiments.sensitivity.page import sensitivity_page
from kanspice.experiments.settle.page import settling_page
from kanspice.experiments.settle.study_page import settling_study_page
from kanspice.experiments.study.page import study_page
from kanspice.experiments.trial.page import trial_page
from kanspice.experiments.tune.page import tuning_page
from kanspice.experiments.verify.page import gap_page
from kanspice.report.blocks import Detail, Facts, Highlights, Literal, Notes, Pictures, Section, Table
from kanspice.report.page_html import page_html
from kanspice.report.page_markdown import page_markdown, prose
from kanspice.report.terminal import print_page

KINDS = (
    (gap_page, GAPS),
    (comparison_page, COMPARISONS),
    (history_page, HISTORIES),
    (settling_page, SETTLINGS),
    (study_page, STUDIES),
    (control_page, LOOPS),
    (projection_page, PROJECTIONS),
    (tuning_page, TUNINGS),
    (sensitivity_page, SENSITIVITIES),
    (settling_study_page, SETTLING_STUDIES),
    (lifetime_page, LIFETIMES),
    (identification_page, IDENTIFICATIONS),
    (calibration_page, CALIBRATIONS),
    (amplifier_page, AMPLIFIERS),
    (trial_page, TRIALS),
)
PAGES = [
    pytest.param(page, make, id=f"{page.__name__}-{name}") for page, results in KINDS for name, make in results.items()
]
EACH = [pytest.param(page, next(iter(results.values())), id=page.__name__) for page, results in KINDS]


def printed(page, width):
    file = io.StringIO()
    print_page(page, Console(file=file, width=width))
    return file.getvalue()


def texts(blocks, detail):
    """Everything that blocks say."""
    for block in blocks:
        match block:
            case Facts():
                yield from (text for label, said in block.known for text in (label, said.text))
            case Table():
                yield from (cell for row in block.rows for cell in row)
            case Notes():
                yield from block.lines
            case Detail():
                yield from texts(block.blocks, detail) if detail else ()


@pytest.mark.parametrize(("page", "make"), PAGES)
def test_a_terminal_says_all_that_is_not_long(page, make):
    page = page(make())
    text = printed(page, 1000)
    shown = [section for section in page.sections if not section.long]
    for said in texts([page.setup, *page.lead, *(block for section in shown for block in section.blocks)], False):
        assert said in text
    assert page.answer.text in text
    last = page.outcome or page.answer
    assert text.rstrip().endswith(last.text)
    for section in page.sections:
        assert not section.long or section.title not in text


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize(("page", "make"), PAGES)
def test_nothing_is_cut(page, make, width):
    page = page(make())
    copied = {line for section in page.sections for block in section.blocks for line in lines_of(block)}
    text = printed(page, width)
    assert max(len(line) for line in text.splitlines() if line not in copied) <= width
    for wrong in ("…", "None"):
        assert wrong not in text


def lines_of(block):
    return block.text.splitlines() if isinstance(block, Literal) else ()


@pytest.mark.parametrize(("page", "make"), PAGES)
def test_a_page_opens_with_what_it_amounts_to_and_one_picture_at_most(page, make):
    page = page(make())
    (shown,) = [block.shown for block in page.lead if isinstance(block, Highlights)]
    assert shown
    assert all(each.label and each.figure and each.said.text for each in shown)
    opened = [picture.alt for block in page.lead if isinstance(block, Pictures) for picture in block.shown]
    assert len(opened) <= 1
    below = [b for section in page.sections for b in section.blocks if isinstance(b, Pictures)]
    assert not {picture.alt for block in below for picture in block.shown}.intersection(opened)


@pytest.mark.slow
@pytest.mark.parametrize(("page", "make"), EACH)
def test_a_page_and_its_summary_say_everything(page, make):
    page = page(make())
    html, markdown = unescape(page_html(page)).replace("<wbr>", ""), page_markdown(page)
    sections = [*page.sections, Section("", [page.setup, *page.lead])]
    for section in sections:
        assert section.title in html
        for said in texts(section.blocks, True):
            assert said in html
        for said in texts(section.blocks, False):
            assert prose(said) in markdown
