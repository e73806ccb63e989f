"""Charts of a page in a real browser: a reader points into them, and nothing but their scripts runs."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from browser import Browser, find_browser, running_browser
from rendered import to_html
from synthetic_results import answered, hostile

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.usefixtures("rough_pictures")]

FIRST = "document.querySelector('figure.live')"
CHART = f"Chart.getChart({FIRST}.querySelector('canvas'))"
PLACE = f"""(() => {{
  const chart = {CHART}, mark = chart.getDatasetMeta(1).data[0], box = chart.canvas.getBoundingClientRect();
  return [box.left + mark.x, box.top + mark.y];
}})()"""
TOLD = f"({CHART}.tooltip.opacity > 0 ? {CHART}.tooltip.body.flatMap(each => each.lines) : [])"
RANGE = f"[{CHART}.scales.x.min, {CHART}.scales.x.max]"
DRAW_ALL = """(async () => {
  for (const box of document.querySelectorAll('.canvas')) {
    box.scrollIntoView();
    await new Promise(done => setTimeout(done, 100));
    for (const button of box.parentElement.querySelectorAll('button')) button.click();
  }
  return [...document.querySelectorAll('canvas')].every(canvas => Chart.getChart(canvas));
})()"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Browser:
    with running_browser(find_browser(), tmp_path_factory.mktemp("profile")) as started:
        yield started


def opened(browser, folder, page, width=1280):
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    browser.open(path, width)
    browser.evaluate(f"new Promise(done => setTimeout(done, 200)).then(() => {FIRST}.scrollIntoView())")


def test_a_reader_points_at_an_output_and_enlarges(browser, tmp_path):
    result = replace(answered(), labels=np.arange(50) % 2)
    opened(browser, tmp_path, to_html(result))
    browser.point(*browser.evaluate(PLACE))
    told = browser.evaluate(TOLD)
    assert told[0] == "sample: 0"
    assert told[2] == f"network: {float(f'{result.reference[0, 0]:.4g}'):g}"
    assert told[4] == "label: 0"
    low, high = browser.evaluate(RANGE)
    x, y = browser.evaluate(PLACE)
    browser.drag((x - 20, y - 20), (x + 20, y + 20))
    nearer = browser.evaluate(RANGE)
    assert low < nearer[0] < result.reference[0, 0] < nearer[1] < high
    assert nearer[1] - nearer[0] < (high - low) / 3
    browser.evaluate(f"{FIRST}.querySelector('.tools').lastElementChild.click()")
    assert browser.evaluate(RANGE) == [low, high]


def test_a_reader_points_at_a_crosspoint(browser, tmp_path):
    opened(browser, tmp_path, to_html(answered()))
    assert browser.evaluate(DRAW_ALL)
    found = answered().crossbar_maps[0]
    chart = "Chart.getChart(document.querySelectorAll('figure.live canvas')[2])"
    told = browser.evaluate(f"{chart}.data.datasets[0].lines(4 * 29 + 3)")
    assert told[:2] == ["row: 87 to 89", "pair: 3"]
    values = {what: float(value) for what, value in (line.split(": ") for line in told[2:])}
    assert values == {
        "error, model units": pytest.approx(found.error.values[29, 3], rel=1e-3),
        "area": pytest.approx(found.area.values[29, 3], rel=1e-3),
    }


def test_numbers_of_samples_are_said_whole(browser, tmp_path):
    page = to_html(replace(answered(), labels=np.arange(50) % 2))
    opened(browser, tmp_path, re.sub(r'\["sample",\s*\[0,', '["sample",[12345,', page))
    browser.point(*browser.evaluate(PLACE))
    assert browser.evaluate(TOLD)[0] == "sample: 12345"


@pytest.mark.parametrize("width", [1280, 390])
def test_names_of_strangers_stay_text(browser, tmp_path, width):
    opened(browser, tmp_path, to_html(hostile()), width)
    assert browser.evaluate(DRAW_ALL)
    assert browser.evaluate("document.title") != "hit"
    assert browser.evaluate("document.querySelectorAll('img[onerror]').length") == 0
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.complaints() == []


def test_no_other_script_runs(browser, tmp_path):
    page = to_html(answered()).replace("</body>", "<script>document.title = 'hit'</script></body>")
    opened(browser, tmp_path, page)
    assert browser.evaluate("document.title") != "hit"
    assert any("Content Security Policy" in text for text in browser.complaints())


def test_paper_and_readers_without_scripts_have_the_picture(browser, tmp_path):
    shown = f"['img', '.canvas'].map(name => {FIRST}.querySelector(name)?.getBoundingClientRect().height > 0)"
    opened(browser, tmp_path, to_html(answered()))
    assert browser.evaluate(shown) == [False, True]
    browser.print()
    assert browser.evaluate(shown) == [True, False]
    opened(browser, tmp_path, re.sub(r"<script>.*?</script>", "", to_html(answered()), flags=re.DOTALL))
    assert browser.evaluate(shown) == [True, False]
