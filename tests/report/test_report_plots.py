"""Pictures: same data, same bytes; odd data is still a picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic_results import with_failures

from kanspice.report import plots

PNG = b"\x89PNG\r\n\x1a\n"
DRAWINGS = [plots.parity, plots.stages, plots.errors]


@pytest.mark.parametrize("draw", DRAWINGS)
def test_same_bytes_for_the_same_result(draw, result):
    assert draw(result).startswith(PNG)
    assert draw(result) == draw(result)
    assert draw(result, "svg") == draw(result, "svg")


@pytest.mark.parametrize("draw", DRAWINGS)
def test_a_perfect_circuit_is_drawn(draw, result):
    assert draw(replace(result, outputs=result.reference.copy())).startswith(PNG)


@pytest.mark.parametrize("draw", DRAWINGS)
def test_no_solved_sample_is_drawn(draw, result):
    empty = with_failures(replace(result, outputs=np.full_like(result.outputs, np.nan)), *range(result.samples))
    assert draw(empty).startswith(PNG)
