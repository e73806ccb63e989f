"""Maps of crossbars, and where devices work on their curves, against the devices' own curves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from circuits import crossbar_design

from kanspice.circuit import Tiles
from kanspice.devices import load_device
from kanspice.engine.solution import FailedSample, Outcome, Solution
from kanspice.gap.crossbar_maps import EVALUATIONS, FEWEST, crossbar_maps, some
from kanspice.gap.operating import device_uses
from kanspice.gap.raster import bin_of

Z21 = load_device("z21")
AREA = np.array([[[1.0], [-2.0]], [[0.5], [0.0]], [[-1.0], [3.0]]])
ROWS_V = np.array([[0.1, 0.5, 0.9], [0.3, 0.7, 0.2], [np.nan, np.nan, np.nan]])


def phi(volts):
    return Z21.curve.numpy(volts)[0]


def changed(design, **parts):
    stages = [replace(stage, **parts) if stage.KIND == "crossbar" else stage for stage in design.stages]
    return replace(design, stages=tuple(stages))


def solved(design, columns_v=None):
    """As an engine would have it, of two samples that were solved and one that was not."""
    rows_v = np.nan_to_num(ROWS_V)
    outputs = design.crossbars[0].ideal_v(design, rows_v)
    outputs[2] = np.nan
    volts = {"l1.input": ROWS_V, "l1.crossbar": outputs}
    columns = {} if columns_v is None else {"l1.crossbar": columns_v}
    return Solution("test", "1", {}, 3, (FailedSample(2, Outcome.DIVERGED),), volts, columns, {})


def test_a_crosspoint_has_the_error_of_its_devices_at_the_output():
    ideal = crossbar_design([Z21], AREA)
    area = AREA.copy()
    area[0, 0, 0], area[2, 1, 0] = 1.1, 0.0
    design = changed(ideal, area=area)
    (found,) = crossbar_maps(ideal, design, solved(design))
    crossbar = ideal.crossbars[0]
    to_output = crossbar.current_unit_a * crossbar.feedback_ohm[0] * crossbar.subtractor_gain
    expected = np.zeros((3, 2))
    expected[0, 0] = 0.1 * np.sqrt(np.mean(phi(ROWS_V[:2, 0]) ** 2))
    expected[2, 1] = 3.0 * np.sqrt(np.mean(phi(ROWS_V[:2, 2]) ** 2))
    expected *= to_output / crossbar.output_v_per_unit
    assert (found.rows, found.pairs, found.points) == (3, 2, 2)
    np.testing.assert_allclose(found.error.values, expected, atol=expected.max() / 500)
    np.testing.assert_allclose(found.row_errors, np.sqrt((expected**2).sum(axis=1)), rtol=1e-3)
    np.testing.assert_allclose(found.pair_errors, np.sqrt((expected**2).sum(axis=0)), rtol=1e-3)
    assert [(each.row, each.pair) for each in found.worst] == [(2, 1), (0, 0)]
    assert [each.error for each in found.worst] == pytest.approx([expected[2, 1], expected[0, 0]])
    assert (found.open, found.shorted, found.stuck) == (1, 0, ((2, 1),))
    np.testing.assert_allclose(found.area.values, np.abs(area).sum(axis=2), atol=3 / 500)
    np.testing.assert_allclose(found.wanted.values, np.abs(AREA).sum(axis=2), atol=3 / 500)


def test_a_circuit_without_imperfections_has_areas_only():
    design = crossbar_design([Z21], AREA)
    (found,) = crossbar_maps(design, design, solved(design))
    assert found.error is found.wanted is None
    assert found.worst == ()
    np.testing.assert_allclose(found.area.values, np.abs(AREA).sum(axis=2), atol=3 / 500)


def test_a_crossbar_that_positions_share_has_all_of_them_as_operating_points():
    ideal = crossbar_design([Z21], AREA)
    area = AREA.copy()
    area[0, 0, 0] = 1.5
    seen = np.array([[0, 1, 2], [2, 0, 1]])
    crossbars = (replace(ideal.crossbars[0], area=each) for each in (AREA, area))
    tiles = [Tiles("l1.tiles", "l1.tiles", seen, (crossbar,), 0.0) for crossbar in crossbars]
    ideal, design = (replace(ideal, stages=(ideal.stages[0], each)) for each in tiles)
    rows_v = np.nan_to_num(ROWS_V)
    outputs = design.tiles[0].ideal_v(design, rows_v)
    volts = {"l1.input": ROWS_V, "l1.tiles": outputs}
    found = Solution("test", "1", {}, 3, (FailedSample(2, Outcome.DIVERGED),), volts, {}, {})
    (shown,) = crossbar_maps(ideal, design, found)
    crossbar = ideal.tiles[0].crossbars[0]
    error = 0.5 * np.sqrt(np.mean(phi(ROWS_V[:2, [0, 2]]) ** 2)) * crossbar.current_unit_a * crossbar.feedback_ohm[0]
    assert (shown.name, shown.points) == ("l1.tiles", 4)
    assert shown.worst[0].error == pytest.approx(error)
    assert shown.pair_errors == pytest.approx((error, 0.0), rel=1e-3)
    (use,) = device_uses(design, found)
    assert (use.devices, use.points) == (5, 4)


def test_nothing_solved_has_no_map():
    design = crossbar_design([Z21], AREA)
    lost = replace(solved(design), failed=tuple(FailedSample(place, Outcome.DIVERGED) for place in range(3)))
    assert crossbar_maps(design, design, lost) == device_uses(design, lost) == ()


def test_devices_work_between_their_rows_and_their_columns():
    design = crossbar_design([Z21], AREA)
    columns_v = np.array([[0.01, 0.02, 0.03, 0.04]] * 3)
    (use,) = device_uses(design, solved(design, columns_v))
    volts = [
        *(ROWS_V[:2, 0] - 0.01),  # row 0, pair 0, positive
        *(ROWS_V[:2, 0] - 0.04),  # row 0, pair 1, negative
        *(ROWS_V[:2, 1] - 0.01),
        *(ROWS_V[:2, 2] - 0.02),
        *(ROWS_V[:2, 2] - 0.03),
    ]
    assert (use.devices, use.points) == (5, 2)
    assert use.falling == np.mean(Z21.curve.numpy(np.array(volts))[1] < 0) > 0
    assert sum(use.shares) == pytest.approx(1.0, abs=1e-3)
    edges = np.linspace(use.low_v, use.high_v, len(use.shares) + 1)
    np.testing.assert_allclose(use.shares, np.histogram(volts, edges)[0] / len(volts), atol=1e-4)
    np.testing.assert_allclose(
        use.currents_a, phi(np.linspace(use.low_v, use.high_v, len(use.currents_a))) * 1e-6, rtol=1e-4, atol=1e-12
    )


def test_some_devices_are_named_from_the_lowest_voltage_to_the_highest():
    design = crossbar_design([Z21], AREA)
    columns_v = np.array([[0.01, 0.02, 0.03, 0.04]] * 3)
    (use,) = device_uses(design, solved(design, columns_v))
    volts = [each.volts for each in use.examples]
    assert volts == sorted(volts)
    assert 2 < len(use.examples) <= 10
    for each in use.examples:
        area = AREA[each.row, each.pair, 0]
        assert each.stage == "l1.crossbar"
        assert each.negative == (area < 0)
        assert area != 0
        expected = ROWS_V[each.sample, each.row] - columns_v[0, 2 * each.pair + each.negative]
        assert each.volts == pytest.approx(expected, rel=1e-4)
    everything = [
        ROWS_V[s, r] - columns_v[0, 2 * p + (AREA[r, p, 0] < 0)] for s in (0, 1) for r, p, _ in np.argwhere(AREA)
    ]
    assert (volts[0], volts[-1]) == pytest.approx((min(everything), max(everything)), rel=1e-4)


def test_what_is_beyond_a_card_is_counted():
    design = crossbar_design([Z21], AREA)
    below = np.array([[0.2, 0.2, 0.0, 0.0]] * 3)
    (use,) = device_uses(design, solved(design, below))
    assert use.beyond == pytest.approx(1 / 10)


def test_of_many_devices_few_samples_are_looked_at():
    assert some(50, EVALUATIONS // 17).size == 17
    assert some(50, EVALUATIONS // 17)[[0, -1]].tolist() == [0, 49]
    assert some(50, 10 * EVALUATIONS).size == FEWEST
    assert some(3, 10).tolist() == [0, 1, 2]


def test_a_place_is_in_the_bin_that_holds_it():
    assert [bin_of(place, 6, 3) for place in range(6)] == [0, 0, 1, 1, 2, 2]
    assert [bin_of(place, 4, 64) for place in range(4)] == [0, 1, 2, 3]
