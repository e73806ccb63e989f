"""Results as JUnit XML, which CI systems show as tests: one for everything that has to hold."""

from __future__ import annotations

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from kanspice.report.blocks import Page
from kanspice.report.checks import Check, Problem
from kanspice.report.formatting import escaped

# What XML 1.0 allows; everything else is written as Python would write it in a string.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def page_junit(page: Page) -> str:
    """XML text: `testsuites` with one `testsuite`, named after the command; a `testcase` for every check.

    What is not allowed is a failure, what was not measured an error. Properties of the suite say what was measured.
    """
    checks = list(page.checks)
    if page.exit_code and not any(check.problem for check in checks):
        said = (page.outcome or page.answer).text
        checks.append(Check("measured and allowed", Problem("NotMeasured", said, is_measured=page.exit_code == 1)))
    problems = [check.problem for check in checks if check.problem is not None]
    failures = sum(problem.is_measured for problem in problems)
    counts = {
        "tests": str(len(checks)),
        "failures": str(failures),
        "errors": str(len(problems) - failures),
        "time": f"{sum(check.seconds or 0.0 for check in checks):.3f}",
    }
    root = Element("testsuites", {"name": page.command, **counts})
    suite = SubElement(root, "testsuite", {"name": page.command, **counts, "skipped": "0"})
    if page.setup.known:
        properties = SubElement(suite, "properties")
        for name, fact in page.setup.known:
            SubElement(properties, "property", {"name": _legal(name), "value": _legal(fact.text)})
    for check in checks:
        _add(suite, page.subject, check)
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
