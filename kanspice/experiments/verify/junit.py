"""One `verify` as JUnit XML."""

from __future__ import annotations

from collections.abc import Mapping

from kanspice.experiments.verify import wording
from kanspice.experiments.verify.result import GapResult
from kanspice.report.checks import Check, Problem, engines_problem, limit_check, unresolved_problem
from kanspice.report.junit import suite_xml

SUITE = "kanspice verify"


_PARTS = ("load_s", "compile_s", "simulate_s")


def to_junit(result: GapResult) -> str:
    """XML text: `testsuites` with one `testsuite`; a `testcase` per limit, one for the samples, one for whether the gap
    is resolved, one for a cross-check.

    A limit that is exceeded is a failure. What was not measured is an error: samples without a result, a gap that
    cannot be told from numerical error, engines that disagree, a limit on a figure that does not exist.
    """
    total_s = _seconds(result.timing)
    return suite_xml(SUITE, result.model.path, _checks(result, total_s), total_s)


def _checks(result: GapResult, total_s: float) -> list[Check]:
    checks = [
        Check("all samples solved", _failed(result), total_s),
        Check("gap resolved", unresolved_problem(result.unresolved)),
    ]
    if result.cross_check is not None:
        found = result.cross_check
        said = wording.cross_check(found).text
        checks.append(Check("engines agree", engines_problem(found.disagrees, not found.passed, said)))
    return [*checks, *map(limit_check, result.limits)]


def _failed(result: GapResult) -> Problem | None:
    if not result.failed:
        return None
    listing = [f"sample {each.index}: {each.outcome.value}: {each.advice}" for each in result.failed]
    return Problem("FailedSamples", wording.failures(result).text, detail="\n".join(listing))


def _seconds(timing: Mapping[str, float]) -> float:
    """Of all that was done; of the parts that are known in a report of an earlier kanspice."""
    return timing.get("total_s", sum(timing.get(part, 0.0) for part in _PARTS))
