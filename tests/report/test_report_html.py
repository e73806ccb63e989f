"""The page: the findings are there, strangers' text is escaped, nothing is fetched."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from rendered import to_html
from synthetic_results import answered, attributed, moving, with_failures

from kanspice.engine.solution import FailedSample, Outcome

pytestmark = pytest.mark.slow


def test_page_states_the_gap_and_every_stage(result):
    page = to_html(result)
    assert "of their standard deviation (relative RMSE)" in page
    for stage in result.stages:
        assert f"<td>{stage.name}" in page
    assert page.count("data:image/png;base64,") == 3


def test_page_is_the_same_for_the_same_result(result):
    assert to_html(result) == to_html(result)


def test_page_fetches_nothing(result):
    page = re.sub(r"<script>.*?</script>", "", to_html(result), flags=re.DOTALL)
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", page)
    assert "http" not in page.replace("http-equiv", "")


def test_text_from_files_is_escaped(result):
    hostile = "<script>alert(1)</script>"
    page = to_html(replace(result, model=replace(result.model, path=hostile), notes=(hostile,)))
    assert hostile not in page
    assert "&lt;script&gt;" in page


def test_failed_samples_are_a_warning_and_listed(result):
    page = to_html(with_failures(result, 3, 7))
    assert '<td class="text warning">2 of 50 samples without a result' in page
    assert "diverged" in page
    assert "FAILED: not every sample was solved" in page


def test_a_circuit_that_does_not_stand_still_is_said_before_anything_else(result):
    failed = tuple(FailedSample(index, Outcome.UNSTABLE, "l2.crossbar 3, column p") for index in range(25))
    page = to_html(replace(result, failed=failed))
    first = page.partition("<h2>")[0]
    assert "FAILED: in 25 of 50 samples the circuit does not stand still" in first
    assert "does not stand still" not in to_html(result)


def test_infinite_technology_values_are_words(result):
    technology = {"name": "ideal", "tia": {"gain": float("inf")}}
    page = to_html(replace(result, design=replace(result.design, technology=technology)))
    assert "Infinity" not in page
    assert "&#34;gain&#34;: &#34;inf&#34;" in page


def test_circuits_that_answer_after_a_time_have_their_pictures():
    page = to_html(moving())
    assert "<h2>How does it grow?</h2>" in page
    assert "Node voltages of the first 3 samples" in page
    for sample in (0, 3, 4):
        assert f'alt="Sample {sample}: node voltages of circuit and ODE over time, and their difference"' in page
    assert 'alt="Sample 5' not in page
    assert 'alt="The network&#39;s samples beside the circuit&#39;s"' in page
    assert 'alt="The error of every sample, magnified"' in page
    assert page.count("data:image/png;base64,") == 3 + 3 + 2 + 1
    assert "columns</th>" not in page


def test_others_do_not(result):
    page = to_html(result)
    assert "How does it grow?" not in page
    assert "columns</th>" in page


def test_crossbars_and_their_devices_are_drawn():
    page = to_html(answered())
    for words in (
        "Where do devices work?",
        "<td>25.0 %</td>",
        'alt="Curves of the devices, and how many are at which voltage"',
        'alt="Areas and errors of l1.crossbar"',
        "89, 3 (0.02), 0, 0 (0.01)",
        "Maps have 64 rows and columns at most: of l1.crossbar, l2.crossbar",
        'alt="The inputs of the worst samples as images, with what network and circuit say"',
        'class="chain"',
    ):
        assert words in page, words
    assert len(page) < 2e6


def test_causes_have_their_table_and_picture(result):
    page = to_html(attributed())
    assert "Which cause?" in page
    assert "<td>tia.gain</td><td>1000</td><td>83.5 ± 1.2</td><td>0.009</td><td>0.004</td><td>1 / 0</td>" in page
    assert "<td>devices.<wbr>curve</td><td>points</td>" in page
    assert "99 circuits, batched engine" in page
    assert page.count("data:image/png;base64,") == 4
    assert "Which cause?" not in to_html(result)
