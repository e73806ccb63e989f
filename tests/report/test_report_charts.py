"""Charts of a page: what is in them, that only their own scripts may run, and that a reader can point into them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html import unescape
from importlib.resources import files

import numpy as np
import pytest
from rendered import to_html
from synthetic_experiments import COMPARISONS
from synthetic_results import answered, hostile, moving, synthetic, with_failures

from kanspice.experiments.compare import comparison_page
from kanspice.experiments.verify import charts
from kanspice.experiments.verify.document import to_json
from kanspice.experiments.verify.reading import from_json
from kanspice.gap.operating import DevicePoint
from kanspice.report.charts import Axis, Chart, Marks, View
from kanspice.report.page_html import page_html
from kanspice.report.page_scripts import policy, scripts

pytestmark = pytest.mark.usefixtures("rough_pictures")

POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')


def data(page):
    """What the charts of a page are drawn from."""
    return [json.loads(text) for text in re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)]


@pytest.mark.parametrize("name", ["chart.umd.min.js", "chartjs-chart-matrix.min.js", "chartjs-plugin-zoom.min.js"])
def test_scripts_of_others_are_as_published(name):
    folder = files("kanspice.report") / "third_party"
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    assert f"SHA-256 {digest}" in (folder / "LICENSES.txt").read_text(encoding="utf-8")


def test_scripts_make_neither_markup_nor_code_of_text():
    for text in scripts():
        assert not re.search(
            r"</script|<!--|innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|new Function", text
        )
        assert "sourceMappingURL" not in text


def test_only_the_scripts_of_charts_may_run():
    page = to_html(answered())
    running = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert tuple(running) == scripts()
    rules = dict(rule.split(" ", 1) for rule in unescape(POLICY.search(page)[1]).split("; "))
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in running]
    assert rules["script-src"].split() == [f"'sha256-{digest}'" for digest in digests]
    assert (rules["default-src"], rules["img-src"]) == ("'none'", "data:")


def test_pages_without_charts_may_run_nothing():
    page = page_html(comparison_page(next(iter(COMPARISONS.values()))()))
    assert "<script" not in page
    assert unescape(POLICY.search(page)[1]) == policy(()) == policy([])
    assert "script-src 'none'" in policy(())


def test_a_chart_has_its_picture():
    page = to_html(answered())
    pictures = re.findall(r'<figure class="live"><img src="data:image/png;base64,[^"]+" alt="([^"]+)">', page)
    assert len(pictures) == len(data(page)) == 4


def test_names_in_charts_are_no_markup():
    page = to_html(hostile())
    assert "<script>document" not in page
    assert "<img src=x" not in page
    assert len(data(page)) == 4


def test_every_output_is_a_mark():
    result = replace(answered(), labels=np.arange(50) % 2)
    (view,) = charts.parity(result).views
    marks = [layer for layer in view.layers if isinstance(layer, Marks)]
    said = {what: [own for layer in marks for own in layer.said[what]] for what in marks[0].said}
    assert len(said["sample"]) == 2 * 49
    assert 7 not in said["sample"]
    for sample, output, network, circuit, label, *decided in zip(*said.values(), strict=True):
        assert (network, circuit) == (result.reference[sample, output], result.outputs[sample, output])
        assert label == sample % 2
        assert decided == [result.reference[sample].argmax(), result.outputs[sample].argmax()]
    decided = result.outputs.argmax(axis=1) == result.reference.argmax(axis=1)
    assert all(decided[sample] for sample in marks[0].said["sample"])
    assert not any(decided[sample] for layer in marks[1:] for sample in layer.said["sample"])


def test_of_many_outputs_the_worst_and_some_of_all():
    result = synthetic(1000, 10)
    chart = charts.parity(result)
    (marks,) = [layer for layer in chart.views[0].layers if isinstance(layer, Marks)]
    assert 2500 <= len(marks.x) <= charts.MOST_OUTPUTS
    assert chart.said.startswith(f"{len(marks.x):,} of 10,000 outputs")
    errors = np.abs(result.outputs - result.reference)
    sample, output = np.unravel_index(errors.argmax(), errors.shape)
    assert (sample, output) in zip(marks.said["sample"], marks.said["output"], strict=True)
    assert min(marks.said["sample"]) == 0
    assert max(marks.said["sample"]) == 999


def test_a_map_says_which_rows_a_cell_is_of():
    found = replace(answered().crossbar_maps[0], wanted=answered().crossbar_maps[0].area)
    chart = charts.maps(found)
    assert [view.title for view in chart.views] == ["error, model units", "area", "area wanted"]
    assert list(chart.grid.rows[:2]) == ["0 to 2", "3 to 5"]
    assert list(chart.grid.columns) == [0, 1, 2, 3]
    assert chart.grid.values == {"error, model units": found.error, "area": found.area, "area wanted": found.area}
    assert [view.title for view in charts.maps(replace(found, error=None, wanted=None)).views] == ["area"]


def test_what_is_not_finite_is_null():
    marks = Marks("a", [1.0, float("nan")], [2e-7 / 3, float("inf")], {"b": ("x\ny", float("nan"))})
    document = Chart([View("t", Axis("x", 0, 1), Axis("y", 0, 1), [marks])]).document()
    (layer,) = document["views"][0]["layers"]
    assert (layer["x"], layer["y"], layer["said"]) == ([1, None], [6.6667e-08, None], [["b", ["x y", None]]])
    json.dumps(document, allow_nan=False)


def test_named_devices_and_areas_as_compiled_are_in_the_report():
    result = answered()
    use = replace(result.device_uses[0], examples=(DevicePoint("l1.crossbar", 1, 2, True, 3, 0.5),))
    found = replace(result.crossbar_maps[0], wanted=result.crossbar_maps[0].area)
    read = from_json(to_json(replace(result, device_uses=(use,), crossbar_maps=(found,))), "here")
    assert (read.device_uses, read.crossbar_maps) == ((use,), (found,))


def test_laws_and_what_works_where_on_them_are_in_the_report():
    result = moving()
    assert from_json(to_json(result), "here").law_uses == result.law_uses
    (view,) = charts.law_uses(result.law_uses).views
    marks = view.layers[-1]
    assert view.title == "Device1.silu: 50.0 % flat"
    assert {what: list(own) for what, own in marks.said.items()} == {
        "stage": ["l1.period"],
        "branch": [3],
        "from node": [1],
        "to node": [2],
        "sample": [4],
        "moment / s": [2e-7],
        "drive of the branch, units": [0.5],
        "source / V": [0.25],
        "current / A": [1e-7],
    }
    page = to_html(result)
    assert "Where do devices work?" in page
    assert "<td>Device1.<wbr>silu</td><td>12</td><td>60</td><td>25.0 %</td><td>50.0 %</td>" in page


def test_every_sample_of_a_plane_is_a_mark_of_network_and_circuit():
    result = with_failures(moving(), 2)
    (view,) = charts.points(result).views
    network, circuit = view.layers
    assert [len(network.x), len(circuit.x), 2 in network.said["sample"]] == [39, 39, False]
    for marks, outputs in ((network, result.reference), (circuit, result.outputs)):
        samples = list(marks.said["sample"])
        np.testing.assert_array_equal(np.stack([marks.x, marks.y], axis=1), outputs[samples])
        np.testing.assert_array_equal(marks.said[f"{marks.name}, output 1"], outputs[samples, 1])
    assert view.x.high - view.x.low == pytest.approx(view.y.high - view.y.low)
    for axis, place in ((view.x, 0), (view.y, 1)):
        both = np.concatenate([result.reference[:, place], circuit.x if place == 0 else circuit.y])
        assert axis.low < both.min() < both.max() < axis.high
    apart = np.hypot(*(result.outputs - result.reference)[list(network.said["sample"])].T)
    np.testing.assert_allclose(network.said["apart"], apart)


def test_without_outputs_there_is_only_the_picture():
    assert '<figure class="live"' not in to_html(with_failures(synthetic(3), 0, 1, 2))
