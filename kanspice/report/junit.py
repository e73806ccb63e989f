"""Results as JUnit XML, which CI systems show as tests: one for everything that has to hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from kanspice.gap.result import GapResult
from kanspice.report import verdict
from kanspice.report.blocks import Page
from kanspice.report.checks import Check, Problem, engines_problem, limit_check, unresolved_problem
from kanspice.report.formatting import escaped

SUITE = "kanspice verify"
_PARTS = ("load_s", "compile_s", "simulate_s")
# What XML 1.0 allows; everything else is written as Python would write it in a string.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(result: GapResult) -> str:
    """XML text: `testsuites` with one `testsuite`; a `testcase` per limit, one for the samples, one for whether the gap
    is resolved, one for a cross-check.

    A limit that is exceeded is a failure. What was not measured is an error: samples without a result, a gap that
    cannot be told from numerical error, engines that disagree, a limit on a figure that does not exist.
    """
    total_s = _seconds(result.timing)
    return _suite(SUITE, str(result.model.get("path", "model")), _checks(result, total_s), total_s)


def page_junit(page: Page) -> str:
    """The same of any page: what is not allowed is a failure, what was not measured an error."""
    checks = list(page.checks)
    if page.exit_code and not any(check.problem for check in checks):
        said = (page.outcome or page.answer).text
        checks.append(Check("measured and allowed", Problem("NotMeasured", said, is_measured=page.exit_code == 1)))
    return _suite(page.command, page.subject, checks, 0.0)


def _checks(result: GapResult, total_s: float) -> list[Check]:
    checks = [
        Check("all samples solved", _failed(result), total_s),
        Check("gap resolved", unresolved_problem(result.unresolved)),
    ]
    if result.cross_check is not None:
        found = result.cross_check
        said = verdict.cross_check(found).text
        checks.append(Check("engines agree", engines_problem(found.disagrees, not found.passed, said)))
    return [*checks, *map(limit_check, result.limits)]


def _failed(result: GapResult) -> Problem | None:
    if not result.failed:
        return None
    listing = [f"sample {each.index}: {each.outcome.value}: {each.advice}" for each in result.failed]
    return Problem("FailedSamples", verdict.failures(result).text, detail="\n".join(listing))


def _seconds(timing: Mapping[str, float]) -> float:
    """Of all that was done; of the parts that are known in a report of an earlier kanspice."""
    return timing.get("total_s", sum(timing.get(part, 0.0) for part in _PARTS))


def _suite(name: str, place: str, checks: Sequence[Check], seconds: float) -> str:
    """XML text. place: what the checks are about, shown as their class."""
    problems = [check.problem for check in checks if check.problem is not None]
    failures = sum(problem.is_measured for problem in problems)
    counts = {
        "tests": str(len(checks)),
        "failures": str(failures),
        "errors": str(len(problems) - failures),
        "time": f"{seconds:.3f}",
    }
    root = Element("testsuites", {"name": name, **counts})
    suite = SubElement(root, "testsuite", {"name": name, **counts, "skipped": "0"})
    for check in checks:
        _add(suite, place, check)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _add(suite: Element, place: str, check: Check) -> None:
    time = "0" if check.seconds is None else f"{check.seconds:.3f}"
    case = SubElement(suite, "testcase", {"classname": _legal(place), "name": _legal(check.name), "time": time})
    if check.problem is not None:
        kind = "failure" if check.problem.is_measured else "error"
        found = SubElement(case, kind, {"message": _legal(check.problem.message), "type": check.problem.kind})
        found.text = _legal(check.problem.detail) or None


def _legal(text: str) -> str:
    return _NOT_XML.sub(lambda found: escaped(found.group()), text)
