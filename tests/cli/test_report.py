"""`kanspice report`, and what `verify` writes for CI: exit codes, files, and one clear message for what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from json_schemas import hold

from kanspice.base.resources import SCHEMAS
from kanspice.experiments.verify.document import to_json
from kanspice.experiments.verify.reading import read_report

pytestmark = pytest.mark.slow

VERIFY = ("verify", "model.pt", "--inputs", "inputs.npy", "--engine", "batched", "-q")


@pytest.fixture(scope="module")
def measured(run_once, made, tmp_path_factory):
    """Three reports of one question: two with amplifiers that are worse and worse, one with fewer samples."""
    folder = tmp_path_factory.mktemp("reports")
    for name, *arguments in (
        ("before.json", "--set", "tia.gain=1000"),
        ("after.json", "--set", "tia.gain=800"),
        ("fewer.json", "--limit", "4"),
    ):
        run_once(made, *VERIFY, *arguments, "--json", folder / name)
    return folder


@pytest.fixture
def reports(measured, good):
    """The working folder with copies of them."""
    for path in measured.iterdir():
        (good / path.name).write_bytes(path.read_bytes())
    return good


# --- kanspice report ---


def test_every_schema_is_printed_by_its_name(run):
    names = run("report", "--schema", "list").out.split()
    assert {"kanspice.gap/1", "kanspice.doctor/1", "kanspice.settling-study/1"} < set(names)
    for name in names:
        done = run("report", "--schema", name)
        assert done.code == 0
        assert json.loads(done.out)["$id"] == f"urn:{name.replace('/', ':')}"


def test_the_schema_is_printed(run, reports):
    done = run("report", "--schema")
    assert done.code == 0
    assert done.out == (SCHEMAS / "kanspice.gap-1.json").read_text()
    jsonschema.validate(json.loads((reports / "before.json").read_text()), json.loads(done.out))


def test_one_report_is_shown_again(run, reports):
    done = run("report", "before.json", "--html", "again.html", "--markdown", "again.md")
    assert done.code == 0
    assert "l1.crossbar" in done.out
    assert "report: again.html" in done.out
    assert "How it was measured" in (reports / "again.html").read_text()
    printed = run("report", "before.json", "--markdown", "-")
    assert printed.out == (reports / "again.md").read_text()
    assert "l1.crossbar" in printed.err


@pytest.mark.parametrize(("allowed", "code"), [(None, 0), ("30%", 0), ("0.3", 0), ("10%", 1), ("0", 1)])
def test_two_reports_are_compared(run, reports, allowed, code):
    limit = () if allowed is None else ("--max-growth", allowed)
    done = run(
        "report", "before.json", "after.json", *limit, "--json", "both.json", "--html", "both.html", "--junit", "x.xml"
    )
    assert f'failures="{int(code == 1)}"' in (reports / "x.xml").read_text()
    assert done.code == code
    assert "the gap grew by 25.4 % beyond numerical error" in " ".join(done.out.split())
    document = json.loads((reports / "both.json").read_text())
    assert document["growth"] == pytest.approx(0.25, rel=0.03)
    assert document["passed"] == (code == 0)
    assert [change["name"] for change in document["technology"]] == ["name", "tia.gain"]
    assert "+25.4 %" in (reports / "both.html").read_text()


def test_a_smaller_gap_is_no_growth(run, reports):
    done = run("report", "after.json", "before.json", "--max-growth", "0")
    assert done.code == 0
    assert "the gap shrank" in done.out


def test_reports_on_other_samples_are_not_compared(run, reports):
    done = run("report", "before.json", "fewer.json", "--max-growth", "10%", "-q", "--markdown", "-")
    assert done.code == 3
    assert done.out.startswith("### ⚠️ the gaps cannot be compared: other samples: 8 before, 4 after")
    assert run("report", "before.json", "fewer.json").code == 0


@pytest.mark.parametrize(("allowed", "code"), [(None, 0), ("30%", 0), ("10%", 1)])
def test_more_reports_are_a_history_by_their_dates(run, reports, allowed, code):
    for day, name in enumerate(("before.json", "after.json", "fewer.json")):
        document = json.loads((reports / name).read_text()) | {"date": f"2026-11-0{3 - day}T00:00:00Z"}
        (reports / name).write_text(json.dumps(document))
    limit = () if allowed is None else ("--max-growth", allowed)
    files = ("--json", "h.json", "--html", "h.html", "--markdown", "h.md", "--junit", "h.xml", "--annotations", "h.txt")
    done = run("report", "after.json", "fewer.json", "before.json", *limit, *files)
    assert done.code == 0  # the last is before.json, whose gap is the smaller one
    document = json.loads((reports / "h.json").read_text())
    hold((reports / "h.json").read_text(), "kanspice.history/1")
    assert [each["name"] for each in document["reports"]] == ["fewer", "after", "before"]
    assert [each["comparable"] for each in document["reports"]] == [None, False, True]
    assert "tia.gain" in (reports / "h.html").read_text()
    for name in ("before.json", "after.json"):
        document = json.loads((reports / name).read_text())
        (reports / name).write_text(json.dumps({key: value for key, value in document.items() if key != "date"}))
    done = run("report", "fewer.json", "before.json", "after.json", *limit, "--json", "again.json")
    assert done.code == code
    document = json.loads((reports / "again.json").read_text())
    assert (document["by_date"], document["passed"]) == (False, code == 0)
    assert [each["name"] for each in document["reports"]] == ["fewer", "before", "after"]
    assert document["reports"][2]["growth"] == pytest.approx(0.25, rel=0.03)
    assert "after, before without a date" in " ".join(done.out.split())


def test_one_or_two_reports_are_a_history_where_that_is_asked(run, reports):
    done = run("report", "before.json", "--history", "--json", "-", "--metric", "l1.crossbar.relative_rmse")
    assert done.code == 0
    (entry,) = json.loads(done.out)["reports"]
    assert entry["metrics"]["l1.crossbar.relative_rmse"] > 0
    assert (entry["changes"], entry["growth"], entry["comparable"]) == ([], None, None)
    done = run("report", "--history", "before.json", "after.json")
    assert "Every report, newest first" in done.out
    run("report", "--history", "before.json", "after.json", "--json", "history.json")
    assert "a history is made of reports" in run("report", "before.json", "after.json", "history.json").err


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        ([], ["one report, two to compare, or more for a history", "0 reports"]),
        (["a.json", "b.json", "c.json"], ["a.json", "No such file"]),
        (["before.json", "after.json", "--metric", "rmse"], ["--metric", "three reports or more, or --history"]),
        (["before.json", "after.json", "--history", "--metric", "rsme"], ["no report has a metric", "'rmse'"]),
        (["before.json", "--history", "--max-growth", "10%"], ["two reports, where --max-growth is given"]),
        (["before.json", "--schema", "--history"], ["nothing beside it"]),
        (["before.json", "--max-growth", "10%"], ["--max-growth", "two reports to compare"]),
        (["before.json", "--json", "x.json"], ["--json", "one is JSON already"]),
        (["before.json", "--schema"], ["--schema", "no such schema", "--schema list names all"]),
        (["kanspice.tuning/1", "kanspice.gap/1", "--schema"], ["--schema", "nothing beside it"]),
        (["kanspice.tunin/1", "--schema"], ["did you mean 'kanspice.tuning/1'?"]),
        (["x\x1b\n/y", "--schema"], ["no such schema", "x\\x1b\\n/y"]),
        (["before.json", "after.json", "--json", "-", "--markdown", "-"], ["only one can be printed"]),
        (["before.json", "after.json", "--json", "after.json"], ["would be overwritten"]),
        (["before.json", "none.json"], ["none.json", "No such file"]),
        (["before.json", "model.pt"], ["model.pt", "not JSON"]),
        (["before.json", "after.json", "--max-growth", "much"], ["bad growth 'much'", "10% or 0.1"]),
        (["before.json", "--html", "before.json/x.html"], ["cannot be written"]),
    ],
)
def test_what_cannot_be_done_is_said(run, reports, arguments, messages):
    done = run("report", *arguments)
    assert done.code == 2
    for message in messages:
        assert message in done.err


# --- verify for CI ---


def test_limits_come_from_a_file_and_the_command_line_overrides_it(run, good):
    (good / "limits.toml").write_text("relative_rmse = 1e-9\nl1.crossbar.relative_rmse = 1\n")
    arguments = (*VERIFY, "--set", "tia.gain=1000", "--limits", "limits.toml")
    done = run(*arguments, "--json", "-", "--junit", "gap.xml")
    assert done.code == 1
    limits = {limit["metric"]: limit["passed"] for limit in json.loads(done.out)["limits"]}
    assert limits == {"relative_rmse": False, "l1.crossbar.relative_rmse": True}
    cases = ElementTree.parse(good / "gap.xml").findall("testsuite/testcase")
    assert [len(case) for case in cases] == [0, 0, 1, 0]
    assert run(*arguments, "--max", "relative_rmse=1").code == 0


@pytest.mark.parametrize(("gain", "code"), [("1000", 0), ("990", 0), ("800", 1)])
def test_a_baseline_is_a_limit_of_the_run(run, reports, gain, code):
    growth = ("--baseline", "before.json", "--max-growth", "10%")
    outputs = ("--json", "now.json", "--junit", "now.xml", "--markdown", "now.md", "--html", "now.html")
    done = run(*VERIFY, "--set", f"tia.gain={gain}", *growth, *outputs)
    assert done.code == code, done.err
    (limit,) = json.loads((reports / "now.json").read_text())["limits"]
    assert (limit["metric"], limit["max"], limit["passed"]) == ("relative_rmse_growth", 0.1, code == 0)
    case = ElementTree.parse(reports / "now.xml").findall("testsuite/testcase")[-1]
    assert case.get("name") == "relative_rmse_growth <= 0.1"
    assert (case.find("failure") is not None) == (code == 1)
    for name in ("now.md", "now.html"):
        assert "baseline before.json" in (reports / name).read_text()


def test_the_command_line_is_in_every_report(run, good):
    done = run(*VERIFY, "--set", "tia.gain=1e4", "--json", "-")
    expected = "kanspice verify model.pt --inputs inputs.npy --engine batched -q --set tia.gain=1e4 --json -"
    assert json.loads(done.out)["command"] == expected
    page = run(*VERIFY, "--html", "a page.html")
    assert page.code == 0
    assert "--html &#39;a page.html&#39;" in (good / "a page.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        (["--baseline", "before.json"], ["need each other", "--max-growth 10%"]),
        (["--max-growth", "10%"], ["need each other", "--baseline A.json"]),
        (["--baseline", "none.json", "--max-growth", "10%"], ["none.json", "No such file"]),
        (["--baseline", "before.json", "--max-growth", "-1"], ["bad growth"]),
        (["--baseline", "fewer.json", "--max-growth", "10%"], ["measured with other samples", "4 samples"]),
        (["--baseline", "before.json", "--max-growth", "10%", "--json", "before.json"], ["would be overwritten"]),
        (["--limits", "none.toml"], ["none.toml", "No such file"]),
        (["--limits", "empty.toml"], ["there is no limit in it"]),
        (["--limits", "wrong.toml"], ["unknown metric 'relative_rsme'", "did you mean 'relative_rmse'?"]),
        (["--json", "-", "--markdown", "-"], ["only one can be printed"]),
    ],
)
def test_what_verify_cannot_be_held_to_is_said_before_anything_is_solved(run, reports, arguments, messages):
    (reports / "empty.toml").touch()
    (reports / "wrong.toml").write_text("relative_rsme = 1e-3\n")
    done = run(*VERIFY, *arguments)
    assert done.code == 2
    assert done.out == ""
    for message in messages:
        assert message in done.err


# --- the JSON of real results, of every kind ---


@pytest.mark.ngspice
@pytest.mark.parametrize(
    ("kind", "arguments", "code"),
    [
        ("crossbars", ["--labels", "labels.npy", "--reference", "outputs.npy", "--max", "rmse=1"], 0),
        ("crossbars", ["--targets", "outputs.npy", "--limit", "1"], 0),
        ("crossbars", ["--set", "tia.gain=1000", "--set", "devices.area_sigma=0.1", "--attribute"], 0),
        ("crossbars", ["--engine", "batched", "--set", "tia.gain=1000", "--cross-check", "2"], 0),
        ("crossbars", ["--timeout", "0.001"], 3),
        ("periods", [], 0),
        ("periods", ["--engine", "batched", "--waveforms", "1"], 0),
        ("periods", ["--set", "switches.mode=monolithic", "--set", "switches.on_ohm=50", "--attribute"], 0),
    ],
)
def test_what_verify_writes_is_what_the_schema_says_and_can_be_read(run, moving, kind, arguments, code):
    model, inputs = moving if kind == "periods" else ("model.pt", "inputs.npy")
    assert run("verify", model, "--inputs", inputs, *arguments, "-q", "--json", "gap.json").code == code
    text = Path("gap.json").read_text()
    hold(text, "kanspice.gap/1")
    assert to_json(read_report("gap.json")) == text
