"""Annotations of a GitHub workflow: one line for what does not hold, from which nothing else can be made."""

from __future__ import annotations

from kanspice.report.annotations import page_annotations
from kanspice.report.blocks import Page, Verdict
from kanspice.report.checks import Check, Problem

HELD = Check("all samples solved", None)
BROKEN = Check("rmse <= 1", Problem("LimitExceeded", "rmse is 2,\n::set-output name=x::y 100%", is_measured=True))


def page(*checks, exit_code=0, subject="model.pt"):
    return Page("gap", subject, "kanspice verify", Verdict("They differ."), None, exit_code, (), (), checks)


def test_what_holds_is_one_notice():
    assert page_annotations(page(HELD)) == "::notice title=kanspice verify model.pt::They differ.\n"


def test_what_does_not_hold_is_an_error_in_one_line():
    found = page_annotations(page(HELD, BROKEN, exit_code=1, subject="a:b,c\n::error::x"))
    title = "kanspice verify a%3Ab%2Cc%0A%3A%3Aerror%3A%3Ax"
    message = "rmse <= 1: rmse is 2,%0A::set-output name=x::y 100%25"
    assert found == f"::error title={title}::{message}\n"


def test_an_exit_code_is_never_without_an_error():
    assert page_annotations(page(HELD, exit_code=3)).startswith("::error ")
