"""The benchmark of identified chips: what it counts."""

from __future__ import annotations

import pytest

from benchmarks.identify import covered, middle


def test_kinds_of_unknowns_are_counted_separately_and_together():
    rows = [{"area": [9, 10, 4, 5], "tia.gain": [1, 1, 0, 0]}, {"area": [8, 10, 3, 5], "tia.gain": [0, 1, 0, 0]}]
    found = covered(rows)
    assert found["area"] == {"covered": 0.85, "numbers": 20, "covered_of_told": 0.7, "told": 10}
    assert found["tia.gain"]["covered"] == pytest.approx(0.5)
    assert found["together"]["covered"] == pytest.approx(18 / 22)


def test_the_middle_of_values():
    assert middle([1.0, 2.0, 6.0]) == {"median": 2.0, "90 %": pytest.approx(5.2), "most": 6.0}
