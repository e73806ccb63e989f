"""Pictures: same data, same bytes; odd data is still a picture; what must be read is written in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic_results import causes, moving, synthetic, waveforms, with_failures

from kanspice.experiments.verify import cause_plots, plots, sample_plots, waveform_plots
from kanspice.gap.resolution import NumericalGap
from kanspice.report.figures import encoded

pytestmark = pytest.mark.slow

PNG = b"\x89PNG\r\n\x1a\n"
DRAWINGS = [
    plots.parity,
    plots.stages,
    plots.errors,
    sample_plots.samples,
    sample_plots.displacements,
    lambda result: waveform_plots.waveforms(result.waveforms[0]),
]


def texts(figure) -> list[str]:
    """What is written in a picture, in the order of drawing: matplotlib notes it beside the letters' shapes."""
    lines = (line.strip() for line in encoded(figure, "svg").decode().splitlines())
    return [line[5:-4] for line in lines if line.startswith("<!-- ") and line.endswith(" -->")]


@pytest.fixture
def result():
    return moving()


@pytest.mark.parametrize("draw", DRAWINGS)
def test_same_bytes_for_the_same_result(draw, result):
    for form, begins in (("png", PNG), ("svg", b"<?xml")):
        first = encoded(draw(result), form)
        assert first.startswith(begins)
        assert first == encoded(draw(result), form)


@pytest.mark.parametrize("draw", DRAWINGS)
def test_a_perfect_circuit_is_drawn(draw, result):
    assert encoded(draw(replace(result, outputs=result.reference.copy()))).startswith(PNG)


@pytest.mark.parametrize("draw", DRAWINGS)
def test_no_solved_sample_is_drawn(draw, result):
    empty = with_failures(replace(result, outputs=np.full_like(result.outputs, np.nan)), *range(result.samples))
    assert encoded(draw(empty)).startswith(PNG)


# --- stages ---


def test_the_numerical_error_is_a_line_beside_the_stages(result):
    assert "numerical error (outputs): 0.002" in texts(plots.stages(result))
    tiny = replace(result, numerical=NumericalGap(8, 1e-9, 1e-9, 1e-9))
    assert "numerical error 1e-09 (off axis)" in texts(plots.stages(tiny))
    unknown = replace(result, numerical=None)
    assert not [text for text in texts(plots.stages(unknown)) if "numerical" in text]


@pytest.mark.parametrize("span", [1.05, 3, 50, 1e6])
def test_ticks_of_every_span_are_plain_numbers(result, span):
    first = result.stages[0]
    gaps = [replace(first.gap, relative_rmse=value) for value in (1e-3, 1e-3 * span)]
    some = replace(result, numerical=None, stages=tuple(replace(first, gap=gap, added=gap) for gap in gaps))
    written = texts(plots.stages(some))
    assert not [text for text in written if "$" in text]
    assert len([text for text in written if text.replace("e-", "").replace(".", "").isdigit()]) >= 2


# --- waveforms ---


def test_a_small_circuits_nodes_periods_and_units_are_named():
    written = texts(waveform_plots.waveforms(waveforms(7)))
    for text in (
        "Sample 7: circuit and ODE up to 1 mV apart (v1)",
        *("l1", "l2", "v1", "v2", "circuit", "ODE (the network)"),
        "node voltage (V)",
        "circuit - ODE (mV)",
        "time (µs); in the model, 1 is 500 mV and time 1 is 2 µs",
    ):
        assert text in written
    assert not [text for text in written if text.startswith("all ")]


def test_of_many_nodes_outputs_and_those_that_differ_most_are_drawn():
    """Nodes that differ most are the first ones and the last; the outputs are the last two of the last period."""
    written = texts(waveform_plots.waveforms(waveforms(nodes=(834, 20))))
    assert {"out 0", "out 1", "v1", "v2", "v834", "all 834 nodes"} <= set(written)
    assert "v400" not in written
    assert len([text for text in written if text.startswith(("v", "out"))]) == 5


def test_nodes_that_run_away_leave_the_outputs_readable():
    """A linear axis as far as the outputs go, a logarithmic one beyond, and it says so."""
    calm = waveforms(nodes=(20,))
    (part,) = calm.periods
    wild = replace(part, circuit_v=part.circuit_v * np.where(np.arange(20) == 4, 1e4, 1.0))
    for sample, said in ((calm, False), (replace(calm, periods=(wild,)), True)):
        written = texts(waveform_plots.waveforms(sample))
        assert bool([text for text in written if text.startswith("logarithmic beyond ")]) == said


def test_many_outputs_are_few_lines():
    all_read_out = replace(waveforms(nodes=(40,)), outputs=tuple(range(1, 41)))
    written = texts(waveform_plots.waveforms(all_read_out))
    assert len([text for text in written if text.startswith("out")]) == 10
    assert "out 0" in written


def test_a_circuit_without_difference_says_so():
    written = texts(waveform_plots.waveforms(waveforms(error=0.0)))
    assert "Sample 0: the circuit is nowhere away from the ODE" in written


def test_names_keep_apart_and_in_order_and_in_the_picture():
    heights = np.array([0.5, 0.5, 0.1, 1.0, 0.99, 0.51])
    moved = waveform_plots._apart(heights, 0.1)
    np.testing.assert_array_equal(np.argsort(moved, kind="stable"), np.argsort(heights, kind="stable"))
    assert np.diff(np.sort(moved)).min() >= 0.1 - 1e-12
    assert moved.min() >= 0
    assert moved.max() <= 1
    np.testing.assert_array_equal(waveform_plots._apart(np.array([0.9, 0.2]), 0.1), [0.9, 0.2])
    crowd = waveform_plots._apart(np.full(50, 0.5), 0.1)
    np.testing.assert_allclose(crowd, np.linspace(0, 1, 50), atol=1e-12)


# --- samples as points ---


def test_samples_are_side_by_side_and_counted(result):
    written = texts(sample_plots.samples(with_failures(result, 3)))
    assert {"network: 39 samples", "circuit: 39 samples", "output 0 (model units)", "output 1"} <= set(written)


@pytest.mark.parametrize("stretch", [(1, 1), (100, 1), (1, 100)])
def test_planes_of_every_shape_are_drawn(result, stretch):
    some = replace(result, reference=result.reference * stretch, outputs=result.outputs * stretch)
    for draw in (sample_plots.samples, sample_plots.displacements):
        assert encoded(draw(some)).startswith(PNG)


@pytest.mark.parametrize(("error", "times"), [(1e-6, "200,000 times"), (0.01, "20 times"), (5, "not")])
def test_errors_are_magnified_by_a_round_number_that_is_said(error, times):
    """The plane is about 5 across, and no arrow longer than a twelfth of that."""
    result = moving()
    outputs = result.reference.copy()
    outputs[7, 0] += error
    written = texts(sample_plots.displacements(replace(result, outputs=outputs)))
    assert written.count(f"Errors, {times} magnified") == 1


def test_of_many_errors_the_largest_are_drawn_and_that_is_said():
    written = texts(sample_plots.displacements(moving(samples=500)))
    assert [text for text in written if text.startswith("The 100 largest errors, ")]


def test_no_error_has_no_arrow(result):
    perfect = replace(result, outputs=result.reference.copy())
    assert "No sample is away from the network's" in texts(sample_plots.displacements(perfect))


def test_two_scores_are_no_point_of_a_plane():
    assert sample_plots.are_points(moving())
    assert not sample_plots.are_points(synthetic())
    assert not sample_plots.are_points(replace(moving(), accuracy={"reference": 1.0, "circuit": 1.0}))


# --- causes ---


def test_causes_are_bars_with_their_figures(result):
    written = set(texts(cause_plots.causes(replace(result, causes=causes()))))
    assert {"tia.gain", "devices.curve", "by itself", "all but this one", "0.004"} <= written
    assert {"83.5 ± 1.2", "16.6", "tia.gain makes the largest part of the gap"} <= written
    assert "numerical error" not in written


def test_causes_without_shares_still_have_their_gaps(result):
    unshared = tuple(replace(cause, share=None) for cause in causes())
    written = set(texts(cause_plots.causes(replace(result, causes=unshared))))
    assert {"by itself", "0.004", "tia.gain alone makes the largest gap"} <= written
    assert "share of the mean squared error (%)" not in written


def test_no_imperfection_is_a_picture_too(result):
    assert "There is no imperfection" in texts(cause_plots.causes(replace(result, causes=causes()[-2:])))


@pytest.mark.parametrize("samples", [3, 12, 60, 2000])
def test_ticks_of_counts_are_numbers_however_few_there_are(samples):
    picture = encoded(plots.errors(synthetic(samples, 1)), "svg").decode()
    assert "mathdefault" not in picture
    assert "times10" not in picture
