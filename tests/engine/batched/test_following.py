"""Crossbars over time in the batched engine: against closed forms, operating points, poles and ngspice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from circuits import LINE, PEAK, crossbar_design, design_of, inputs_for, load_device, network, specimen_of
from scipy.linalg import eigvals, expm

from kanspice.base.errors import InputError
from kanspice.circuit.poles import FeedbackLoop, column_poles, crossbar_poles, damping
from kanspice.engine.batched import solve
from kanspice.engine.batched.crossbar_dae import CrossbarDae
from kanspice.engine.batched.crossbar_transient import Rest, courses
from kanspice.engine.batched.crossbar_transient import at_rest as start_of
from kanspice.engine.batched.implicit import EMBEDDED, TABLE, TIMES, weights
from kanspice.engine.batched.junctions import Junctions, LoadLines
from kanspice.engine.ngspice.sequence import Precision, follow_sequence
from kanspice.engine.options import RunOptions
from kanspice.engine.sequence import Pace
from kanspice.engine.solution import Outcome
from kanspice.experiments.settle.page import settling_page
from kanspice.experiments.settle.settling import settling
from kanspice.report.page_html import page_html

pytestmark = pytest.mark.slow

STEP = np.array([[1.0], [0.2]])
EVERYTHING = (
    *("tia.gain=1e4", "tia.output_ohm=1e3", "tia.swing_v=6.0", "tia.gbw_hz=1e7", "tia.slew_v_per_s=1e8"),
    *("devices.junction_f=1e-16", "wires.row_f=1e-16", "wires.column_f=1e-16"),
)


def with_crossbar(design, **changes):
    first, crossbar = design.stages
    return replace(design, stages=(first, replace(crossbar, **changes)))


def at_rest(design, inputs):
    solution = solve(design, inputs, "device", RunOptions(check_samples=0))
    assert solution.failed == ()
    return solution


def followed(design, inputs, pace, error=1e-6, **options):
    solution = at_rest(design, inputs)
    rest = Rest(dict(solution.column_v), dict(solution.amplifier_a))
    return list(courses(design, design.inputs_v(inputs), rest, pace, error, **options)), solution


def after_a_ramp(time_s, start, end, constant_s, rise_s):
    """What follows a straight line from start to end with one time constant."""
    slope = (end - start) / rise_s
    rising = start + slope * (time_s - constant_s * (1 - np.exp(-time_s / constant_s)))
    peak = start + slope * (rise_s - constant_s * (1 - np.exp(-rise_s / constant_s)))
    return np.where(time_s < rise_s, rising, end + (peak - end) * np.exp(-(time_s - rise_s) / constant_s))


def test_the_method_is_of_third_order_and_its_stages_of_second():
    times = TABLE.sum(axis=1)
    np.testing.assert_allclose(times, TIMES, atol=1e-12)
    last = TABLE[3]
    for power in range(3):
        assert last @ times**power == pytest.approx(1 / (power + 1), abs=1e-12)
    assert last @ TABLE @ times == pytest.approx(1 / 6, abs=1e-12)
    np.testing.assert_allclose((TABLE @ times)[1:], times[1:] ** 2 / 2, atol=1e-12)
    assert EMBEDDED.sum() == pytest.approx(1, abs=1e-12)
    assert EMBEDDED @ times == pytest.approx(1 / 2, abs=1e-12)
    np.testing.assert_allclose(weights(TIMES), np.eye(4), atol=1e-12)


def test_one_pole_follows_a_ramp_as_its_closed_loop_does():
    """Noise gain 1 + R G = 3, gain A = 1e4: tau = 1 / (2 pi GBW (1/3 + 1/A))."""
    design = with_crossbar(crossbar_design([LINE], [[[2.0]]], feedback=1e6, gain=1e4, rail=10.0), gbw_hz=1e6)
    pace = Pace(10e-6, 0.4e-6)
    (course, back), _ = followed(design, STEP, pace)
    constant_s = 1 / (2 * np.pi * 1e6 * (1 / 3 + 1e-4))
    for found, (start, end) in ((course, (0.2, 1.0)), (back, (1.0, 0.2))):
        expected_v = after_a_ramp(found.time_s, 2 * start / (1 + 3e-4), 2 * end / (1 + 3e-4), constant_s, pace.rise_s)
        np.testing.assert_allclose(found.stage_v["l1.crossbar"][:, 0], expected_v, atol=3e-5)


def test_a_row_behind_its_driver_is_an_rc():
    """100 kohm, two crosspoints of 1 pF, and 1 uS to a column at 0 V: tau = 2 pF (100 kohm || 1 Mohm)."""
    design = with_crossbar(crossbar_design([LINE], [[[1.0]]], feedback=1e6, rail=10.0), driver_ohm=1e5, row_f=1e-12)
    pace = Pace(3e-6, 0.1e-6)
    (course, _), _ = followed(design, STEP, pace)
    row_v = after_a_ramp(course.time_s, 0.2 / 1.1, 1.0 / 1.1, 2e-12 / (1e-5 + 1e-6), pace.rise_s)
    np.testing.assert_allclose(course.stage_v["l1.crossbar"][:, 0], row_v, atol=3e-5)
    driven_v = course.rows_v["l1.crossbar"][:, 0]
    row_a = (driven_v - row_v) * 1e-5
    np.testing.assert_allclose(course.row_a["l1.crossbar"][4:, 0], row_a[4:], atol=3e-8)


def falling(gbw_hz, farads=1e-13):
    """One device on its falling slope of -2 uS, an amplifier with R = 1 Mohm and a gain of 1000."""
    design = crossbar_design([PEAK], [[[1.0]]], feedback=1e6, gain=1e3, rail=10.0)
    return with_crossbar(design, gbw_hz=gbw_hz, column_f=farads)


@pytest.mark.parametrize("gbw_hz", [1e6, 1e9, 3e9])
def test_a_column_grows_or_dies_out_as_its_poles_say(gbw_hz):
    """Within one straight piece of the curve the column and its amplifier are two linear equations."""
    design = falling(gbw_hz)
    crossbar = design.crossbars[0]
    poles = column_poles(np.array(-2e-6), np.array(1e-13), FeedbackLoop(1e6, 0.0, 0.0, 1e3, gbw_hz))[:2]
    pace = Pace(4 / np.abs(poles).max(), 1e-2 / np.abs(poles).max())
    inputs = np.array([[0.7], [0.7 + 1e-4]])
    (course, _), solution = followed(design, inputs, pace, error=1e-8)
    matrix = np.array([[2e-6 - 1e-6, 1e-6], [-1e-13 * 2 * np.pi * gbw_hz, -1e-13 * 2 * np.pi * gbw_hz / 1e3]]) / 1e-13
    columns_v, drawn_a = (table["l1.crossbar"][:, 0] for table in (solution.column_v, solution.amplifier_a))
    rest = np.stack([columns_v, columns_v - 1e6 * drawn_a], axis=1)
    late = course.time_s > 2 * pace.rise_s
    moments = course.time_s[late][::20]
    moved = [expm(matrix * (moment - pace.rise_s / 2)) @ (rest[1] - rest[0]) for moment in moments]
    outputs_v = -(rest[0, 1] + np.array(moved)[:, 1])
    np.testing.assert_allclose(course.stage_v["l1.crossbar"][late][::20, 0], outputs_v, atol=1e-6)
    found = crossbar_poles(design, crossbar, inputs[:1], solution.column_v["l1.crossbar"][:1]).poles
    assert (found.real.max() > 0) == (poles.real.max() > 0) == (gbw_hz < 2e9)


@pytest.mark.parametrize(("output_ohm", "swing_v"), [(0.0, np.inf), (2e4, 8.0)])
def test_a_feedback_capacitor_holds_the_same_column(output_ohm, swing_v):
    """Column v, op-amp e and output u, linear: C v' = 2 uS v - i, Cf (v - u)' + (v - u) / R = i = (u - e) / Ro."""
    farads, feedback_f, turn = 1e-13, 4e-13, 2 * np.pi * 1e6
    parts = {"feedback_f": np.full(2, feedback_f), "output_ohm": output_ohm, "swing_v": swing_v}
    design = falling(1e6, farads)
    design = with_crossbar(design, **parts)
    inputs = np.array([[0.7], [0.7 + 1e-4]])
    pace = Pace(4e-6, 1e-8)
    (course, _), solution = followed(design, inputs, pace, error=1e-8)
    across = np.array([[1.0, -1.0]])  # of v and u, or of v and e without a resistance
    fed, own = across / 1e6 / feedback_f, np.array([[-2e-6, 0.0]])
    poles = crossbar_poles(design, design.crossbars[0], inputs[:1], solution.column_v["l1.crossbar"][:1]).poles[0, 0]
    assert poles.real.max() < 0
    drawn_a, columns_v = (table["l1.crossbar"][:, 0] for table in (solution.amplifier_a, solution.column_v))
    outputs_v = columns_v - 1e6 * drawn_a
    driven_v = outputs_v - output_ohm * drawn_a
    if output_ohm:
        leaves = np.array([0.0, -1.0, 1.0]) / output_ohm  # of v, e, u: from the column through the feedback to e
        column = -(np.append(own, 0.0) + leaves) / farads
        matrix = np.array([column, [-turn, -turn / 1e3, 0], column - leaves / feedback_f + [fed[0, 0], 0, fed[0, 1]]])
        rest = np.stack([columns_v, driven_v, outputs_v], axis=1)
    else:
        slow = np.array([-turn, -turn / 1e3])
        column = (-(own + across / 1e6)[0] + feedback_f * slow) / (farads + feedback_f)
        matrix, rest = np.array([column, slow]), np.stack([columns_v, driven_v], axis=1)
    np.testing.assert_allclose(np.sort(np.linalg.eigvals(matrix).real), np.sort(poles.real[poles.real > -np.inf]))
    moments = course.time_s[course.time_s > 2 * pace.rise_s][::20]
    moved = [expm(matrix * (moment - pace.rise_s / 2)) @ (rest[1] - rest[0]) for moment in moments]
    expected_v = -(outputs_v[0] + np.array(moved)[:, -1])
    found_v = np.interp(moments, course.time_s, course.stage_v["l1.crossbar"][:, 0])
    np.testing.assert_allclose(found_v, expected_v, atol=1e-6)
    assert np.ptp(expected_v) > 1e-4


def test_wires_leave_the_poles_where_they_are():
    """All nodes of a small crossbar with wires like the typical ones, against columns without any: within 5 %.

    Pairs that hardly turn move with the root of what their coefficients do; then their damping is compared.
    """
    model = network([4, 3, 2], [load_device("z21")], input_stage="sigmoid")
    inputs = inputs_for(model, 3)
    wires = ("wires.row_ohm=1.0", "wires.column_ohm=1.0", "wires.driver_ohm=20.0", "wires.row_f=1e-14")
    slow = (
        "tia.gain=1e4",
        "tia.gbw_hz=1e8",
        "tia.output_ohm=100.0",
        "wires.column_f=1e-13",
        "devices.junction_f=1e-15",
    )
    for feedback in ("tia.feedback_f=0", "tia.feedback_f=chosen"):
        design = specimen_of(model, inputs, *wires, *slow, feedback, "devices.shift_sigma_v=2e-3")
        solution, crossbar = at_rest(design, inputs), design.crossbars[0]
        rows_v, columns_v = solution.stage_v["l1.input"], solution.column_v["l1.crossbar"]
        known = crossbar_poles(design, crossbar, rows_v, columns_v).poles
        for place in range(3):
            every = poles_of_all_nodes(design, solution, place)
            slowest = known[place][known[place].real > -1e10]
            if feedback == "tia.feedback_f=0":
                apart = np.abs(every[:, None] - slowest).min(axis=0) / np.abs(slowest)
                assert apart.max() < 0.05
                assert (every.real.max() > 0) == (slowest.real.max() > 0)
            else:
                damped = damping(every[np.abs(every) < 1e10])
                assert damped == pytest.approx(damping(known[place]).min(), abs=0.02)
                assert damped > 0.65


def poles_of_all_nodes(design, solution, place):
    """Of the equations that transients follow, from their differences around an operating point."""
    crossbar = design.crossbars[0]
    curves = tuple(device.curve.stretched(design.input_v_per_unit) for device in design.devices)
    system = CrossbarDae(crossbar, curves, 1)
    rows_v = solution.stage_v["l1.input"][[place]]
    tables = (table["l1.crossbar"][[place]] for table in (solution.column_v, solution.amplifier_a))
    rest = start_of(system, *tables, rows_v)
    moved = rest + np.concatenate([np.eye(system.size), -np.eye(system.size)]) * 1e-7
    every_v = np.repeat(rows_v, len(moved), axis=0)
    flows = system.flows(moved, every_v, system._devices(moved, every_v, np.zeros(len(moved), int))[0])
    charges = system.charges(moved, every_v)
    slopes = [np.subtract(*np.split(part, 2)).T / 2e-7 for part in (flows, charges)]
    found = eigvals(*slopes)
    return found[np.isfinite(found)]


def test_what_swings_and_what_settles_are_outcomes():
    inputs = np.array([[0.7], [0.2]])
    for gbw_hz, farads, outcome in ((3e7, 1e-13, Outcome.OSCILLATES), (1e10, 1e-12, None)):
        design, pace = falling(gbw_hz, farads), Pace(1.6e-6 if outcome else 4e-7, 4e-10)
        found, solution = followed(design, inputs, pace, error=1e-4)
        result = settling(
            design,
            found,
            pace,
            solution.stage_v,
            solution.stage_v["l1.crossbar"],
            grows=np.array([outcome is not None, False]),
            tolerances=(1e-2, 1e-3),
            quiescent_a=1e-6,
        )
        assert [failure.outcome for failure in result.failed] == ([outcome] if outcome else [])
        assert [(swings.stage, dict(swings.outputs)) for swings in result.swinging] == (
            [("l1.crossbar", {0: 1})] if outcome else []
        )
        assert result.worst.index == 0 or outcome is None
        page = page_html(settling_page(result))
        assert (
            ("1 of 2 samples did not settle: oscillates." in page)
            == ("Which columns oscillate?" in page)
            == bool(outcome)
        )
        assert page.count("data:image/png;base64,") == 3


def test_rows_that_stand_still_make_the_same_currents_of_a_search():
    model = network([3, 4, 2], [load_device("z21"), load_device("a21")])
    design = specimen_of(model, inputs_for(model, 3), "devices.shift_sigma_v=0.01", "tia.gain=1e3")
    crossbar = design.crossbars[0]
    curves = tuple(device.curve.stretched(design.input_v_per_unit) for device in design.devices)
    lines = LoadLines(Junctions(crossbar, curves), 2, 3)
    rows_v = np.array([[0.0, 0.3, 1.1], [0.5, 1.4, 0.2]])
    columns_v = np.random.default_rng(0).normal(scale=0.3, size=(2, 8))
    every = np.arange(2)
    moving = lines.at(columns_v, rows_v, every)
    for _ in range(20):
        still = lines.at(columns_v, rows_v, every)
    assert lines.at_v.size > 0
    for first, second in zip(moving, still, strict=True):
        np.testing.assert_allclose(second, first, atol=1e-18)


WIRES = ("wires.driver_ohm=500.0", "wires.row_ohm=300.0", "wires.column_ohm=200.0")


@pytest.mark.parametrize("resistances", [(), WIRES])
def test_everything_comes_to_rest_at_the_operating_point(resistances):
    model = network([3, 4, 2], [LINE], input_stage="sigmoid")
    inputs = inputs_for(model, 3)
    design = specimen_of(model, inputs, *EVERYTHING, *resistances, "tia.offset_sigma_v=1e-2")
    found, solution = followed(design, inputs, Pace(2e-5, 2e-8), error=1e-5)
    for name in ("l1.crossbar", "l2.crossbar"):
        for part, table in (("stage_v", solution.stage_v), ("amplifier_a", solution.amplifier_a)):
            ends = [getattr(course, part)[name][-1] for course in found]
            np.testing.assert_allclose(ends, table[name], rtol=1e-6, atol=1e-8 if part == "stage_v" else 1e-14)
            starts = [getattr(course, part)[name][0] for course in found]
            np.testing.assert_allclose(starts, np.roll(table[name], 1, axis=0), rtol=1e-2, atol=1e-3)


@pytest.mark.ngspice
def test_ngspice_sees_the_same_waveforms():
    """Of the first sample, which begins at rest in both: in ngspice the second begins where the first one is then."""
    model = network([3, 4, 2], [load_device("z21")], input_stage="PosHC")
    inputs = inputs_for(model, 2, seed=1)
    slow = ("tia.gain=20", "tia.gbw_hz=3e8", "wires.column_f=1e-13", "devices.junction_f=5e-15", "wires.row_ohm=500.0")
    held = ("tia.feedback_f=2e-14", "tia.feedback_f_sigma=0.1", "tia.output_ohm=1e3")
    design = specimen_of(model, inputs, *slow, *held, "wires.column_ohm=300.0", "devices.shift_sigma_v=5e-3")
    pace = Pace(4e-8, 1e-9)
    (own,), _ = followed(design, inputs, pace, error=3e-6, which=[0])
    trace = follow_sequence(design, design.inputs_v(inputs), pace, Precision(1e-8, 400), timeout_s=60)
    assert trace.failure is None
    other = next(trace.courses(design, pace, 2))
    for name in ("l1.crossbar", "l2.crossbar"):
        columns = zip(own.stage_v[name].T, other.stage_v[name].T, strict=True)
        apart = [np.interp(other.time_s, own.time_s, mine) - theirs for mine, theirs in columns]
        assert np.abs(apart).max() < 1e-4 * np.ptp(other.stage_v[name])


def test_what_it_cannot_follow_is_said():
    held = with_crossbar(crossbar_design([LINE], [[[1.0]]], feedback=1e6, rail=10.0), junction_f=1e-12)
    with pytest.raises(InputError, match="amplifiers without delay show the currents of capacitances"):
        followed(held, STEP, Pace(1e-6, 1e-9))
    model = network([3, 4, 2], [LINE])
    inputs = inputs_for(model, 2)
    design = design_of(model, inputs, "tia.gain=1e4", "tia.gbw_hz=1e6")
    found, _ = followed(design, inputs, Pace(1e-5, 1e-8), timeout_s=0.0)
    assert [course.failure.outcome for course in found] == [Outcome.TIMED_OUT] * 2
