"""JUnit XML as CI systems read it."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

from rendered import to_junit
from synthetic_results import with_failures

from kanspice.gap.resolution import Limit


def suite(result):
    root = ElementTree.fromstring(to_junit(result))
    assert root.tag == "testsuites"
    (only,) = root
    assert only.tag == "testsuite"
    return only


def cases_of(suite):
    return suite.findall("testcase")


def test_one_case_per_limit_and_one_for_the_samples(result):
    limits = (Limit("rmse", 0.01, 0.02), Limit("max_abs", 0.5, 0.1))
    found = suite(replace(result, limits=limits))
    assert [case.get("name") for case in cases_of(found)] == [
        *("all samples solved", "gap resolved", "rmse <= 0.02", "max_abs <= 0.1")
    ]
    assert (found.get("tests"), found.get("failures"), found.get("errors")) == ("4", "1", "0")
    assert "max_abs is 0.5, above the limit 0.1" in cases_of(found)[3].find("failure").get("message")


def test_a_limit_without_a_value_is_an_error(result):
    found = suite(replace(result, limits=(Limit("relative_rmse", float("nan"), 0.1), Limit("rmse", 2.0, 1.0))))
    assert (found.get("failures"), found.get("errors")) == ("1", "1")
    assert cases_of(found)[2].find("error").get("message").startswith("relative_rmse has no value")
    assert cases_of(found)[3].find("failure") is not None


# What https://github.com/jenkinsci/xunit-plugin's schema allows: attributes (a ! marks those that must be there),
# and children in order.
NUMBER, TEXT = re.compile(r"\d+"), re.compile(r".*", re.DOTALL)
SECONDS = re.compile(r"\d+(\.\d+)?")
COUNTS = {"tests": NUMBER, "failures": NUMBER, "errors": NUMBER, "time": SECONDS}
SCHEMA = {
    "testsuites": ({"name": TEXT, **COUNTS}, ["testsuite"]),
    "testsuite": ({"name!": TEXT, "skipped": NUMBER, **COUNTS, "tests!": NUMBER}, ["properties", "testcase"]),
    "properties": ({}, ["property"]),
    "property": ({"name!": TEXT, "value!": TEXT}, []),
    "testcase": ({"name!": TEXT, "classname!": TEXT, "time": SECONDS}, ["skipped", "error", "failure"]),
    "failure": ({"message": TEXT, "type": TEXT}, []),
    "error": ({"message": TEXT, "type": TEXT}, []),
}


def check_element(element):
    attributes, children = SCHEMA[element.tag]
    required = {name[:-1] for name in attributes if name.endswith("!")}
    known = {name.rstrip("!"): pattern for name, pattern in attributes.items()}
    assert required <= element.attrib.keys() <= known.keys()
    for name, value in element.attrib.items():
        assert known[name].fullmatch(value), (element.tag, name, value)
    places = [children.index(child.tag) for child in element]
    assert places == sorted(places)
    for child in element:
        check_element(child)


def test_every_kind_of_result_is_valid_junit_whose_counts_are_right(extreme):
    root = ElementTree.fromstring(to_junit(extreme))
    check_element(root)
    cases = root.findall("testsuite/testcase")
    for counted in (root, root[0]):
        assert counted.get("tests") == str(len(cases))
        assert counted.get("failures") == str(sum(case.find("failure") is not None for case in cases))
        assert counted.get("errors") == str(sum(case.find("error") is not None for case in cases))
    names = [case.get("name") for case in cases]
    assert len(set(names)) == len(names)
    bad = any(len(case) for case in cases)
    assert bad == (not extreme.passed)
    assert (extreme.exit_code == 3) == any(case.find("error") is not None for case in cases)


def test_samples_without_a_result_are_an_error(result):
    found = suite(with_failures(result, 3, 7))
    assert found.get("errors") == "1"
    assert "sample 7" in cases_of(found)[0].find("error").text


def test_what_was_measured_with_what_are_properties(result):
    found = {each.get("name"): each.get("value") for each in suite(result).iterfind("properties/property")}
    assert "ngspice" in found["engine"]
    assert found["model"].startswith(result.model.path)


def test_control_characters_in_a_path_are_legal_xml(result):
    found = suite(replace(result, model=replace(result.model, path="a\x1b\x00\ud800b<&.pt")))
    assert cases_of(found)[0].get("classname") == r"a\x1b\x00\ud800b<&.pt"
