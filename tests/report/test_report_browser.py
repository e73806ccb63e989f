"""The pages in a real browser, at the width of a desk and of a phone, in light and dark."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from browser import Browser, find_browser, running_browser
from loops import BALANCES, linear
from rendered import to_html
from synthetic_results import EXTREMES, causes, cross_checked, moving, synthetic, with_everything, with_failures

from kanspice.experiments.compare import comparison_page
from kanspice.experiments.compare.comparison import Comparison
from kanspice.experiments.control import ControlOptions, Draws, control
from kanspice.experiments.control.page import control_page
from kanspice.experiments.ensemble.variations import Sweep, points_of
from kanspice.families import load, save
from kanspice.report.page_html import page_html
from kanspice.technology import load_technology

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LONG = "a_folder_of_a_stranger/" * 6 + "model.pt"


def crowded():
    """Everything at once, with a long path, many failed samples and causes."""
    result = with_failures(cross_checked(with_everything(moving()), 2e-7), 3, 7, 8)
    technology = {"name": "board", "tia": {"gain": 1000.0, "offset_sigma_v": 1e-3}}
    return replace(
        result,
        model=replace(result.model, path=LONG),
        causes=causes(),
        design=replace(result.design, technology=technology),
        command=f"kanspice verify {LONG} --inputs inputs.npy",
    )


def loop():
    """A closed loop with draws of its circuit, some of which fail."""
    sweeps = (Sweep("devices.area_sigma", ("0.1", "0.9")),)
    draws = Draws(points_of(None, (), (), sweeps), sweeps, trials=2)
    options = ControlOptions(episodes=2, steps=20, engine="batched", limits=[("action_rmse", 1e-9)])
    with TemporaryDirectory() as folder:
        save(linear([[gain] for gain in BALANCES]), f"{folder}/model.pt")
        model = replace(load(f"{folder}/model.pt"), path=Path(LONG))
    result = control(model, load_technology(None, ["tia.gain=300"]), "cartpole", options, draws)
    return replace(result, command=f"kanspice control {LONG} --plant cartpole")


PAGES = {
    **{name: lambda make=make: to_html(make()) for name, make in EXTREMES.items()},
    "crowded": lambda: to_html(crowded()),
    "loop": lambda: page_html(control_page(loop())),
    "comparison": lambda: page_html(comparison_page(Comparison(synthetic(), crowded(), 0.1))),
}

# For every element with text of its own: how far its colour is from what is behind it (WCAG 2's contrast ratio).
FAINTEST = """
(() => {
  const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = rgb => {
    const linear = v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = rgb.slice(0, 3).map(v => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const canvas = matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255];
  const behind = element => {
    for (; element; element = element.parentElement) {
      const rgb = parse(getComputedStyle(element).backgroundColor);
      if (rgb.length === 3 || rgb[3] > 0) return rgb;
    }
    return canvas;
  };
  let faintest = [99, ''];
  for (const element of document.body.querySelectorAll('*')) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!own) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < faintest[0]) faintest = [ratio, element.textContent.trim().slice(0, 60)];
  }
  return faintest;
})()
"""
TOO_WIDE = """
[...document.querySelectorAll('body *')].filter(element => !element.closest('.wide, pre')
  && element.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(element => element.outerHTML)
"""
IMAGES = """
[...document.images].map(image => [image.alt, image.complete && image.naturalWidth > 0, image.src.slice(0, 5)])
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Browser:
    with running_browser(find_browser(), tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_at_every_width_and_in_the_dark(browser, tmp_path, name):
    page = tmp_path / "page.html"
    page.write_text(PAGES[name](), encoding="utf-8")
    for width, dark in ((1280, True), (390, False)):
        browser.open(page, width, dark=dark)
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
        assert browser.evaluate(TOO_WIDE) == []
        ratio, text = browser.evaluate(FAINTEST)
        assert ratio >= 4.5, text
        images = browser.evaluate(IMAGES)
        assert images
        assert all(alt and shown and source == "data:" for alt, shown, source in images)
        assert browser.complaints() == []
        assert {address for address in browser.requests() if not address.startswith("data:")} == {page.as_uri()}


def test_the_verdict_is_seen_without_scrolling(browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(to_html(with_failures(synthetic(), 3)), encoding="utf-8")
    for width in (1280, 390):
        browser.open(page, width, height=700)
        assert browser.evaluate("document.querySelector('.outcome').getBoundingClientRect().bottom < innerHeight")


def test_the_browser_sees_what_a_bad_page_does(browser, tmp_path):
    page = tmp_path / "bad.html"
    page.write_text(
        "<p style='width: 2000px; color: #777; background: #666'>faint</p><img src='http://127.0.0.1:9/x.png'>"
        "<script>console.error('woe')</script>",
        encoding="utf-8",
    )
    browser.open(page, 390)
    assert browser.evaluate("document.documentElement.scrollWidth") > 390
    assert browser.evaluate(TOO_WIDE)
    assert browser.evaluate(FAINTEST)[0] < 4.5
    assert any("woe" in text for text in browser.complaints())
    assert "http://127.0.0.1:9/x.png" in browser.requests()
    assert browser.evaluate(IMAGES)[0][:2] == ["", False]
