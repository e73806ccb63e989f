"""JUnit XML as CI systems read it."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

from synthetic_results import with_failures

from kanspice.gap.result import Limit
from kanspice.report import to_junit


def suite(result):
    root = ElementTree.fromstring(to_junit(result))
    assert root.tag == "testsuites"
    (only,) = root
    assert only.tag == "testsuite"
    return only


def test_one_case_per_limit_and_one_for_the_samples(result):
    limits = (Limit("rmse", 0.01, 0.02), Limit("max_abs", 0.5, 0.1))
    found = suite(replace(result, limits=limits))
    assert [case.get("name") for case in found] == ["all samples solved", "rmse <= 0.02", "max_abs <= 0.1"]
    assert (found.get("tests"), found.get("failures"), found.get("errors")) == ("3", "1", "0")
    assert "max_abs is 0.5, above the limit 0.1" in found[2].find("failure").get("message")


def test_a_limit_without_a_value_fails(result):
    found = suite(replace(result, limits=(Limit("relative_rmse", float("nan"), 0.1),)))
    assert found.get("failures") == "1"


def test_samples_without_a_result_are_an_error(result):
    found = suite(with_failures(result, 3, 7))
    assert found.get("errors") == "1"
    assert "sample 7" in found[0].find("error").text


def test_control_characters_in_a_path_are_legal_xml(result):
    found = suite(replace(result, model={**result.model, "path": "a\x1b\x00\ud800b<&.pt"}))
    assert found[0].get("classname") == r"a\x1b\x00\ud800b<&.pt"
