"""Gradients of crossbars with wires: against differences of what the engine finds, and against ngspice's `.sens`."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from circuits import LINE, crossbar_design, inputs_for, load_device, network, polynomial_device, specimen_of
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from kanspice.circuit.wires import lost_v, shared_losses
from kanspice.engine.batched.adjoint.wires import wired_gradients
from kanspice.engine.batched.array_devices import HOST, processor_named
from kanspice.engine.batched.crosspoints import LocalCrosspoints, WholeCrosspoints
from kanspice.engine.batched.operating_points import StageChain
from kanspice.engine.batched.row_expansions import Rows
from kanspice.engine.netlist import build_netlist
from kanspice.engine.ngspice.program import find_ngspice, run_quietly

SMOOTH = polynomial_device("smooth", [-3.0, 3.0], [[-8.0, 5.0, -0.8, 0.1, 0.05]])
BENDS = polynomial_device("bends", [-2.0, 0.1, 2.0], [[-3.0, 2.0, -0.3], [-0.123, 0.74, 0.2]])
NUMBERS = ("open_loop_gain", "output_ohm", "swing_v", "driver_ohm", "row_ohm", "column_ohm", "current_unit_a")
WEAK = ("open_loop_gain", "output_ohm", "driver_ohm", "row_ohm", "column_ohm")
"""Numbers that move voltages by so little that differences need them to change by more."""
WIRES = ("wires.row_ohm=100", "wires.column_ohm=50", "wires.driver_ohm=200")
ARRAYS = ("area", "shift_v", "bias_a", "feedback_ohm", "offset_v")


def crossbar_of(rng, devices, shape, *, gain=np.inf, ohm=300.0, **changes):
    """A design of one crossbar, of which everything is different from its neighbours."""
    columns = 2 * shape[1]
    area = rng.normal(0, 1, (*shape, len(devices)))
    changes = {"row_ohm": ohm, "column_ohm": 0.7 * ohm, "driver_ohm": 3 * ohm, **changes}
    changes["bias_a"] = rng.normal(0, 1e-6, columns)
    changes["feedback_ohm"] = 1e5 * rng.uniform(0.8, 1.2, columns)
    design = crossbar_design(devices, area, gain=gain, offset=rng.normal(0, 0.02, columns))
    return with_crossbar(design, **changes)


def with_crossbar(design, **changes):
    (place,) = (place for place, stage in enumerate(design.stages) if stage is design.crossbars[0])
    stages = list(design.stages)
    stages[place] = replace(design.crossbars[0], **changes)
    return replace(design, stages=tuple(stages))


def solved_v(design, rows_v):
    """The amplifiers' voltages of its first crossbar, as `solve` finds them."""
    only = replace(design, stages=(design.stages[0], design.crossbars[0]))
    found = StageChain(only, "device", row_currents=False).solve(rows_v, np.zeros(len(rows_v)))
    assert not found.failures
    return found.amplifier_v[design.crossbars[0].name]


def amplifiers_v(design, rows_v):
    """The same without a look for other states, which takes longer."""
    states = list(StageChain(design, "device").wired_states(design.crossbars[0], rows_v))
    assert all(state.settled.converged.all() for state in states)
    return np.concatenate([state.settled.amplifiers_v for state in states])


def gradients(design, rows_v, gradient_v, processor=HOST):
    chain = StageChain(design, "device", processor=processor)
    return wired_gradients(chain, design.crossbars[0], rows_v, gradient_v, design.devices)


def slope(f, step):
    """f'(0), by central differences of two widths."""
    wide, narrow = ((f(part * step) - f(-part * step)) / (2 * part * step) for part in (1.0, 0.5))
    return (4 * narrow - wide) / 3


def changed(design, name, values):
    if name == "unit_v":
        return replace(design, input_v_per_unit=float(values))
    return with_crossbar(design, **{name: float(values) if name in NUMBERS else values})


def of_design(found, design, name):
    """A gradient as the design's numbers are: areas and shifts by pairs."""
    crossbar = design.crossbars[0]
    if name == "area":
        return np.where(crossbar.area > 0, found.column_area[:, ::2], -found.column_area[:, 1::2])
    if name == "shift_v":
        return found.shift_v[:, ::2] + found.shift_v[:, 1::2]
    return np.asarray(getattr(found, name))


def check(
    design,
    rows_v,
    answer=amplifiers_v,
    *,
    within=1e-6,
    rng=None,
    names=(*ARRAYS, *NUMBERS, "unit_v"),
    step=1e-3,
    weak_step=1e-3,
):
    """All of them against differences, along a random direction each: as exact as rounding leaves these."""
    rng = rng or np.random.default_rng(5)
    crossbar, base_v = design.crossbars[0], answer(design, rows_v)
    gradient_v = rng.normal(size=base_v.shape)
    found = gradients(design, rows_v, gradient_v)
    assert not found.without.any()

    def loss(other, rows_v):
        return float((gradient_v * (answer(other, rows_v) - base_v)).sum())

    def compare(gradient, direction, expected, width):
        scale, rounding = np.sqrt(((gradient * direction) ** 2).sum()), 3e-14 * np.abs(gradient_v * base_v).sum()
        assert abs((gradient * direction).sum() - expected) <= within * scale + rounding / width

    direction = rng.normal(size=rows_v.shape)
    expected = slope(lambda part: loss(design, rows_v + part * direction), 0.1 * step)
    compare(found.rows_v, direction, expected, 0.1 * step)
    for name in names:
        now = np.asarray(design.input_v_per_unit if name == "unit_v" else getattr(crossbar, name))
        if not np.isfinite(now).all() or (name in NUMBERS and now == 0):
            continue
        size = {"shift_v": 0.1, "offset_v": 0.1, "bias_a": 1e-6}.get(name, np.abs(now))
        direction = size * rng.normal(size=now.shape)
        width = weak_step if name in WEAK else step
        expected = slope(lambda part: loss(changed(design, name, now + part * direction), rows_v), width)  # noqa: B023
        compare(of_design(found, design, name), direction, expected, width)


AMPLIFIERS = {
    "ideal": {},
    "stopping": {"swing_v": 1.0},
    "of gain 50": {"gain": 50.0},
    "of gain 3 that stop, with outputs of 1 kohm": {"gain": 3.0, "swing_v": 0.5, "output_ohm": 1e3},
}


@pytest.mark.parametrize("amplifiers", AMPLIFIERS.values(), ids=AMPLIFIERS)
@pytest.mark.parametrize("ohm", [1.0, 1e4], ids=["weak", "strong"])
def test_everything_of_a_crossbar_counts_what_differences_say(amplifiers, ohm):
    rng = np.random.default_rng(1)
    design = crossbar_of(rng, [SMOOTH, LINE], (6, 3), ohm=ohm, **amplifiers)
    design = with_crossbar(design, shift_v=rng.normal(0, 0.01, (6, 3, 2)))
    rows_v = rng.uniform(-1, 1, (5, 6))
    if "swing_v" in amplifiers:
        beyond = np.abs(amplifiers_v(design, rows_v)) > 0.9 * amplifiers["swing_v"]
        assert 0 < beyond.sum() < beyond.size
    check(design, rows_v)


@pytest.mark.slow
@settings(max_examples=6, deadline=None, derandomize=True, phases=[Phase.generate])
@given(
    wires=st.tuples(*[st.sampled_from([0.0, 1.0, 30.0, 1000.0])] * 3).filter(any),
    gain=st.sampled_from([np.inf, 1e4, 30.0]),
    others=st.tuples(
        st.sampled_from([(), ("tia.output_ohm=200",), ("tia.swing_v=3.0", "tia.output_ohm=100")]),
        st.sampled_from([(), ("devices.area_sigma=0.1", "tia.offset_sigma_v=2e-3", "devices.shift_sigma_v=5e-3")]),
        st.sampled_from([(), ("devices.stuck_short=0.05", "devices.stuck_open=0.1"), ("devices.series_ohm=2000",)]),
    ),
    names=st.sampled_from([("z21", "a21"), ("rtd",), ("zaz21", "nmos_2n7002")]),
    seed=st.integers(0, 1000),
)
def test_so_it_does_for_specimens_of_any_technology(wires, gain, others, names, seed):
    model = network([5, 4, 2], [load_device(name) for name in names], seed=seed)
    row, column, driver = wires
    ohms = (f"wires.row_ohm={row}", f"wires.column_ohm={column}", f"wires.driver_ohm={driver}")
    sized = ("units.i_unit_a=1e-6", f"tia.gain={gain}", "tia.rail_v=1000.0", "tia.headroom=0.01")
    overrides = (*sized, *ohms, *(each for keys in others for each in keys))
    design = specimen_of(model, inputs_for(model, 6, seed), *overrides)
    rng = np.random.default_rng(seed)
    check(design, rng.uniform(0.05, 0.75, (3, 5)), rng=rng, step=1e-4, weak_step=1e-2)


def test_every_device_and_every_segment_of_a_small_one():
    rng = np.random.default_rng(3)
    design = crossbar_of(rng, [SMOOTH, BENDS], (3, 1), gain=20.0, ohm=2e3)
    rows_v = rng.uniform(-1, 1, (2, 3))
    base_v = amplifiers_v(design, rows_v)
    gradient_v = rng.normal(size=base_v.shape)
    found = gradients(design, rows_v, gradient_v)
    for name in ARRAYS:
        now, got = getattr(design.crossbars[0], name), of_design(found, design, name)
        size = {"shift_v": 0.1, "offset_v": 0.1, "bias_a": 1e-6}.get(name)
        expected = np.zeros_like(now)
        for place in np.ndindex(now.shape):
            step = np.zeros_like(now)
            step[place] = size or now[place]

            def loss(part, step=step, name=name, now=now):
                moved_v = amplifiers_v(changed(design, name, now + part * step), rows_v) - base_v
                return float((gradient_v * moved_v).sum())

            expected[place] = slope(loss, 1e-3) / step[place]
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-7 * np.abs(expected).max())


def test_a_device_of_area_zero_counts_what_it_would_begin_to_do_on_either_side():
    """Also where the crossbar has no device of its type at all."""
    rng = np.random.default_rng(4)
    design = crossbar_of(rng, [SMOOTH, LINE, BENDS], (4, 2), gain=10.0)
    area = design.crossbars[0].area.copy()
    area[1, 1, 0], area[:, :, 2] = 0.0, 0.0
    design = with_crossbar(design, area=area)
    rows_v = rng.uniform(-1, 1, (3, 4))
    base_v = amplifiers_v(design, rows_v)
    gradient_v = rng.normal(size=base_v.shape)
    found = gradients(design, rows_v, gradient_v)
    for place in ((1, 1, 0), (2, 0, 2)):
        row, pair, kind = place
        for column, sign in ((2 * pair, 1.0), (2 * pair + 1, -1.0)):
            losses = []
            for part in (1e-4, 2e-4, 4e-4):
                moved = area.copy()
                moved[place] = sign * part
                moved_v = amplifiers_v(with_crossbar(design, area=moved), rows_v) - base_v
                losses.append(float((gradient_v * moved_v).sum()) / part)
            first, second = 2 * losses[0] - losses[1], 2 * losses[1] - losses[2]
            assert found.column_area[row, column, kind] == pytest.approx((4 * first - second) / 3, rel=1e-6)


def test_resistances_that_are_zero_count_as_they_begin():
    rng = np.random.default_rng(8)
    design = crossbar_of(rng, [SMOOTH], (4, 2), gain=10.0, driver_ohm=20.0, row_ohm=0.0, column_ohm=0.0)
    rows_v = rng.uniform(-1, 1, (3, 4))
    base_v = amplifiers_v(design, rows_v)
    gradient_v = rng.normal(size=base_v.shape)
    found = gradients(design, rows_v, gradient_v)
    for name in ("row_ohm", "column_ohm"):
        losses = [
            float((gradient_v * (amplifiers_v(with_crossbar(design, **{name: ohm}), rows_v) - base_v)).sum()) / ohm
            for ohm in (0.5, 1.0, 2.0)
        ]
        first, second = 2 * losses[0] - losses[1], 2 * losses[1] - losses[2]
        assert getattr(found, name) == pytest.approx((4 * first - second) / 3, rel=1e-6)


def test_resistances_that_the_engine_eliminates():
    rng = np.random.default_rng(2)
    design = crossbar_of(rng, [LINE], (9, 4), ohm=1e4, gain=30.0)
    chain = StageChain(design, "device")
    rows_v = rng.uniform(-1, 1, (5, 9))
    chain.solve(rows_v, np.zeros(5))
    assert design.crossbars[0].name in chain.linear
    check(design, rows_v, solved_v)


def test_a_gpus_code_gives_the_same(monkeypatch):
    """Where nothing may be made, or taken from there, without being told."""
    rng = np.random.default_rng(6)
    design = crossbar_of(rng, [SMOOTH, load_device("z21")], (7, 4), gain=20.0, ohm=3e3, swing_v=1.0)
    design = with_crossbar(design, shift_v=rng.normal(0, 0.01, (7, 4, 2)))
    rows_v = rng.uniform(-1, 1, (6, 7))
    gradient_v = rng.normal(size=(6, 8))
    expected = gradients(design, rows_v, gradient_v)
    monkeypatch.setattr(torch.Tensor, "__array__", refuse)
    with torch.device("meta"):
        found = gradients(design, rows_v, gradient_v, processor_named("torch"))
    for name, values in vars(expected).items():
        scale = float(np.abs(values).max(initial=1e-30))
        np.testing.assert_allclose(getattr(found, name), values, rtol=0, atol=1e-9 * scale, err_msg=name)


def refuse(*_, **__):
    raise TypeError("a tensor is made an array without being told")


def test_many_samples_are_the_sum_of_each():
    """More than are solved together."""
    rng = np.random.default_rng(7)
    design = crossbar_of(rng, [SMOOTH], (60, 40), gain=100.0, ohm=2.0)
    rows_v, gradient_v = rng.uniform(-1, 1, (70, 60)), rng.normal(size=(70, 80))
    whole = gradients(design, rows_v, gradient_v)
    parts = [gradients(design, rows_v[part], gradient_v[part]) for part in (slice(0, 9), slice(9, 70))]
    np.testing.assert_allclose(whole.rows_v, np.concatenate([part.rows_v for part in parts]), atol=1e-12)
    for name in ("column_area", "shift_v", "row_ohm", "open_loop_gain"):
        expected = sum(getattr(part, name) for part in parts)
        np.testing.assert_allclose(getattr(whole, name), expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_states_are_those_that_the_engine_found():
    """To the last bit."""
    model = network([5, 4, 2], [load_device("z21"), load_device("a21")], seed=3)
    design = specimen_of(model, inputs_for(model, 6, 3), "tia.gain=30", *WIRES, "devices.shift_sigma_v=5e-3")
    rows_v = np.random.default_rng(3).uniform(0, 1, (6, 5))
    np.testing.assert_array_equal(amplifiers_v(design, rows_v), solved_v(design, rows_v))


# --- where there is none ---

FALLS = polynomial_device("falls", [0.0, 2.0], [[0.0, 6.0, -9.0, 3.0]])
"""I = 3 v (v - 1) (v - 2): -3 uA/V at 1 V, where 1/3 Mohm before it leave one state that rises infinitely steeply."""


def folding(driver_ohm):
    return with_crossbar(crossbar_design([FALLS], [[[1.0]]], feedback=1e5), driver_ohm=driver_ohm)


def test_at_a_fold_there_is_no_gradient_and_other_samples_have_theirs():
    design, rows_v = folding(1e6 / 3), np.array([[0.8], [1.0], [1.2]])
    gradient_v = np.array([[1.0, 0.5]] * 3)
    found = gradients(design, rows_v, gradient_v)
    assert found.without.tolist() == [False, True, False]
    assert found.rows_v[1, 0] == 0
    apart = gradients(design, rows_v[[0, 2]], gradient_v[[0, 2]])
    np.testing.assert_allclose(found.column_area, apart.column_area, rtol=1e-12)
    np.testing.assert_allclose(found.rows_v[[0, 2]], apart.rows_v, rtol=1e-12)


def test_beside_a_fold_gradients_are_large_and_right():
    check(folding(0.999e6 / 3), np.array([[1.0 + 1e-3]]), within=1e-5, names=("area", "driver_ohm"), step=1e-5)


def test_what_has_no_state_or_no_finite_gradient_behind_it_has_none():
    rng = np.random.default_rng(9)
    design = crossbar_of(rng, [SMOOTH], (3, 2))
    rows_v, gradient_v = rng.uniform(-1, 1, (4, 3)), rng.normal(size=(4, 4))
    expected = gradients(design, rows_v[:2], gradient_v[:2])
    rows_v[2, 0], gradient_v[3, 1] = np.nan, np.inf
    found = gradients(design, rows_v, gradient_v)
    assert found.without.tolist() == [False, False, True, True]
    for name in ("column_area", "row_ohm", "unit_v", "current_unit_a"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-12)
    nothing = gradients(design, rows_v[2:], gradient_v[2:])
    assert nothing.without.all()
    assert not any(np.any(values) for name, values in vars(nothing).items() if name != "without")


# --- the parts ---


@pytest.mark.parametrize("is_shifted", [False, True], ids=["unshifted", "shifted"])
def test_devices_count_the_same_by_tables_and_by_their_curves(is_shifted):
    """Also of curves that are no piecewise polynomials, of areas that are zero, and beyond breakpoints."""
    rng = np.random.default_rng(7)
    curves = [load_device(name).curve for name in ("z21", "rtd", "a21")]
    area = rng.random((7, 5, 3)) * (rng.random((7, 5, 3)) < 0.7)
    shift_v = rng.normal(size=area.shape) * 0.02 * is_shifted
    rows_v, lost_v = rng.uniform(-0.3, 1.3, (3, 7)), rng.normal(size=(3, 7, 5)) * 0.1
    local = LocalCrosspoints(Rows.at(rows_v, curves), area, shift_v)
    whole = WholeCrosspoints(rows_v, curves, area, shift_v)
    for samples in (np.arange(3), np.array([2, 0])):
        weights = rng.normal(size=(len(samples), 7, 5))
        found = local.pulled_back(lost_v[samples], samples, weights)
        for part, expected in zip(found, whole.pulled_back(lost_v[samples], samples, weights), strict=True):
            np.testing.assert_allclose(part, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_segments_that_two_sets_of_currents_share():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 3, 5, 4))
    shared = shared_losses(first, second)
    tensors = [processor_named("torch").array(amps) for amps in (first, second)]
    np.testing.assert_allclose(shared_losses(*tensors), shared, rtol=1e-13)
    for place, name in enumerate(("driver_ohm", "row_ohm", "column_ohm")):
        one = {"driver_ohm": 0.0, "row_ohm": 0.0, "column_ohm": 0.0, name: 1.0}
        design = with_crossbar(crossbar_design([LINE], np.ones((5, 2, 1))), **one)
        expected = (first * lost_v(design.crossbars[0], second, np.zeros((3, 4)))).sum()
        assert shared[place] == pytest.approx(expected, rel=1e-12)


# --- another program ---


@pytest.mark.ngspice
def test_ngspices_sensitivities_are_the_same(tmp_path):
    """Of every device, bias, row and amplifier, and of each kind of resistor, where currents bend."""
    rng = np.random.default_rng(1)
    design = crossbar_of(rng, [LINE, SMOOTH], (4, 2), gain=50.0, ohm=500.0, output_ohm=100.0)
    crossbar, rows_v = design.crossbars[0], rng.uniform(-1, 1, 4)
    netlist = build_netlist(design, "device")
    for name, lines in netlist.files.items():
        (tmp_path / name).write_text("".join(lines()))
    for column, output in enumerate(netlist.amplifiers[crossbar.name]):
        by = sensitivities(tmp_path, netlist, rows_v, output)
        gradient_v = np.zeros((1, 4))
        gradient_v[0, column] = 1.0
        found = gradients(design, rows_v[None], gradient_v)
        places = [(place, f"l1_d{place[0]}_{place[1]}_{place[2]}") for place in np.ndindex(crossbar.area.shape)]
        lines = [(place, name) for place, name in places if place[2] == 0]
        by_area = of_design(found, design, "area")
        ohm = {name: 1e6 / abs(crossbar.area[place]) for place, name in lines}
        by_line = [-by[f"r{name}"] * ohm[name] / crossbar.area[place] for place, name in lines]
        alike(by_area[:, :, 0].ravel(), by_line)
        bends = [np.sign(crossbar.area[place]) * by[f"b{name}_m"] * 1e-6 for place, name in places if place[2]]
        alike(by_area[:, :, 1].ravel(), bends)
        alike(found.rows_v[0], [by[f"vin{row}"] for row in range(4)])
        tias = [f"xl1_t{pair}{sign}" for pair in range(2) for sign in "pn"]
        alike(found.bias_a, [by[f"il1_b{name[-2:]}"] for name in tias])
        alike(found.offset_v, [by[f"v.{name}.voffset"] for name in tias])
        alike(found.feedback_ohm, [by[f"r.{name}.rfeedback"] for name in tias])
        alike([found.open_loop_gain], [sum(by[f"e.{name}.eopamp_gain"] for name in tias)])
        alike([found.output_ohm], [sum(by[f"r.{name}.routput"] for name in tias)])
        alike([found.driver_ohm], [sum(by[f"rl1_d{row}"] for row in range(4))])
        for name, one in (("row_ohm", r"rl1_r\d_\d_scale"), ("column_ohm", r"rl1_c\d[pn]_\d_scale")):
            relative = sum(value for key, value in by.items() if re.fullmatch(one, key))
            alike([getattr(found, name)], [relative / getattr(crossbar, name)])


def alike(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def sensitivities(folder, netlist, rows_v, output):
    """What ngspice says of a voltage, by names of its own: of values, `_m` of how many elements, `_scale` of both."""
    inputs = "".join(
        f"V{node} {node} 0 {volts!r}\n" for node, volts in zip(netlist.inputs, rows_v.tolist(), strict=True)
    )
    exact = ".options reltol=1e-9 abstol=1e-18 vntol=1e-12\n"
    control = f".control\nset numdgt=12\nsens v({output})\nprint all\nquit\n.endc\n.end\n"
    text = (folder / "circuit.cir").read_text() + inputs + exact + control
    (folder / "sens.cir").write_text(text)
    done = run_quietly([str(find_ngspice().path), "-n", "-b", "sens.cir"], 60, folder)
    return {name: float(value) for name, value in re.findall(r"^(\S+) = (\S+)$", done.stdout, re.MULTILINE)}
