"""A gap as JUnit XML, which CI systems show as tests: one per limit, and for samples, numerical error and engines."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from kanspice.gap.cross_check import CrossCheck
from kanspice.gap.resolution import Limit
from kanspice.gap.result import GapResult
from kanspice.report import verdict
from kanspice.report.words import escaped, pair

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
    unknown = sum(math.isnan(limit.value) for limit in result.limits)
    failures = sum(not limit.passed for limit in result.limits) - unknown
    counts = {
        "tests": str(len(result.limits) + 2 + (result.cross_check is not None)),
        "failures": str(failures),
        "errors": str(_errors(result, unknown)),
        "time": f"{_seconds(result.timing):.3f}",
    }
    root = Element("testsuites", {"name": SUITE, **counts})
    suite = SubElement(root, "testsuite", {"name": SUITE, **counts, "skipped": "0"})
    _add_samples(suite, result, counts["time"])
    _add_resolution(suite, result)
    if result.cross_check is not None:
        _add_cross_check(suite, result, result.cross_check)
    for limit in result.limits:
        _add_limit(suite, result, limit)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _seconds(timing: Mapping[str, float]) -> float:
    """Of all that was done; of the parts that are known in a report of an earlier kanspice."""
    return timing.get("total_s", sum(timing.get(part, 0.0) for part in _PARTS))


def _errors(result: GapResult, unknown: int) -> int:
    unchecked = result.engines_disagree or result.is_unchecked
    return unknown + sum(map(bool, (result.failed, unchecked, result.unresolved)))


def _add_samples(suite: Element, result: GapResult, time: str) -> None:
    case = _case(suite, result, "all samples solved", time)
    if not result.failed:
        return
    listing = [f"sample {each.index}: {each.outcome.value}: {each.advice}" for each in result.failed]
    error = SubElement(case, "error", {"message": verdict.failures(result).text, "type": "FailedSamples"})
    error.text = _legal("\n".join(listing))


def _add_resolution(suite: Element, result: GapResult) -> None:
    case = _case(suite, result, "gap resolved", "0")
    if result.unresolved:
        SubElement(case, "error", {"message": _legal("; ".join(result.unresolved)), "type": "NotResolved"})


def _add_cross_check(suite: Element, result: GapResult, found: CrossCheck) -> None:
    case = _case(suite, result, "engines agree", "0")
    if not found.passed:
        kind = "EnginesDisagree" if found.disagrees else "NotChecked"
        SubElement(case, "error", {"message": _legal(verdict.cross_check(found).text), "type": kind})


def _add_limit(suite: Element, result: GapResult, limit: Limit) -> None:
    value, most = pair(limit.value, limit.max)
    case = _case(suite, result, f"{limit.metric} <= {most}", "0")
    if limit.passed:
        return
    if math.isnan(limit.value):
        said = _legal(f"{limit.metric} has no value; relative figures need two samples")
        found = SubElement(case, "error", {"message": said, "type": "NotMeasured"})
    else:
        said = _legal(f"{limit.metric} is {value}, above the limit {most}")
        found = SubElement(case, "failure", {"message": said, "type": "LimitExceeded"})
    found.text = _legal(f"metric {limit.metric}\nvalue  {limit.value!r}\nmax    {limit.max!r}")


def _case(suite: Element, result: GapResult, name: str, time: str) -> Element:
    place = _legal(str(result.model.get("path", "model")))
    return SubElement(suite, "testcase", {"classname": place, "name": _legal(name), "time": time})


def _legal(text: str) -> str:
    return _NOT_XML.sub(lambda found: escaped(found.group()), text)
