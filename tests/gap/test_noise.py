"""Noise of crossbars' amplifiers against ngspice's own noise analysis of the same small circuits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from circuits import LINE, crossbar_design, polynomial_device

from kanspice.engine.netlist.library import library_text
from kanspice.engine.ngspice.process import RAW_FILE, run_deck
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve
from kanspice.engine.simulators.raw import read_plots
from kanspice.gap.noise import BOLTZMANN, ELEMENTARY, column_noise, stage_noises

KELVIN = 300.15
FEEDBACK, GAIN, GBW = 1e6, 1e3, 1e6
INPUT = np.array([[0.5]])
JUNCTION = polynomial_device("junction", [-10.0, -1.0, 10.0], [[-10.9, 1.1], [-1.0, 1.0]])
"""As a resistor is from -1 V on, and no resistor."""


def one_column(siemens=2e-6, device=JUNCTION):
    """A device of `siemens` from a row at 0.5 V to a column, 0.5 uA of reference beside it."""
    design = crossbar_design([device], [[[siemens * 1e6]]], bias=[0.5], feedback=FEEDBACK, gain=GAIN, rail=10.0)
    first, crossbar = design.stages
    return replace(design, stages=(first, replace(crossbar, gbw_hz=GBW)))


def squares(noise_v_per_rthz, *, device=JUNCTION, **capacitances):
    design = one_column(device=device)
    first, crossbar = design.stages
    design = replace(design, stages=(first, replace(crossbar, **capacitances)))
    solution = solve("batched", design, INPUT, "device", RunOptions(check_samples=0))
    rows_v, columns_v = solution.stage_v["l1.input"], solution.column_v["l1.crossbar"]
    keys = {"noise_v_per_rthz": noise_v_per_rthz, "kelvin": KELVIN}
    return design, solution, column_noise(design, design.crossbars[0], rows_v, columns_v, **keys)


@pytest.mark.parametrize("gbw_hz", [1e-300, 1e300])
def test_bandwidths_that_nobody_has_overflow_nothing(gbw_hz):
    design, solution, _ = squares(0.0)
    first, crossbar = design.stages
    absurd = replace(design, stages=(first, replace(crossbar, gbw_hz=gbw_hz)))
    (found,) = stage_noises(absurd, solution, noise_v_per_rthz=1e-9, temperature_c=27.0)
    assert found.rms_v >= 0
    assert found.thermal + found.shot + found.amplifier == pytest.approx(1 if 0 < found.rms_v < np.inf else 0)


def simulated_v2(folder, cards):
    """The integral of ngspice's output noise, V^2, from far below to far above the amplifier's pole."""
    deck = f"* noise\n{library_text(['tia_pole'])}\n{cards}\nvx x 0 dc 0.5 ac 1\n"
    deck += ".options temp=27\n.noise v(out) vx dec 50 1 1e10\n.end\n"
    (folder / "deck.cir").write_text(deck)
    run_deck(find_ngspice(), folder, "deck.cir")
    plots = read_plots(folder / RAW_FILE)
    (total,) = [plot for plot in plots if "onoise_total" in "".join(plot.vectors)]
    place = next(index for index, name in enumerate(total.vectors) if "onoise_total" in name)
    return float(np.real(total.table[0, place])) ** 2


AMPLIFIER = f"xt col out tia_pole rf={FEEDBACK} leak={1 / GAIN} gbw={GBW}\ngdevice x col x col 2e-6\n"


@pytest.mark.ngspice
def test_a_feedback_resistor_s_thermal_noise(tmp_path):
    _, _, noise = squares(0.0)
    expected_v2 = noise.thermal[0, 0]
    assert simulated_v2(tmp_path, AMPLIFIER) == pytest.approx(expected_v2, rel=5e-3)


@pytest.mark.ngspice
def test_shot_noise_of_devices(tmp_path):
    """A white current of 2 q I: that of a resistor of 4 k T / (2 q I), copied without its load."""
    _, _, noise = squares(0.0)
    current_a = 2e-6 * 0.5
    ohm = 4 * BOLTZMANN * KELVIN / (2 * ELEMENTARY * current_a)
    source = f"rshot s 0 {ohm}\nvshort s 0 0\nfshot 0 col vshort 1\n"
    expected_v2 = (noise.thermal + noise.shot)[0, 0]
    assert simulated_v2(tmp_path, AMPLIFIER + source) == pytest.approx(expected_v2, rel=5e-3)


@pytest.mark.ngspice
def test_a_resistor_has_thermal_noise_only(tmp_path):
    """Whatever its current: as ngspice's own resistor in its place."""
    _, _, noise = squares(0.0, device=LINE)
    assert not noise.shot.any()
    resistor = AMPLIFIER.replace("gdevice x col x col 2e-6", "rdevice x col 500k")
    assert simulated_v2(tmp_path, resistor) == pytest.approx(noise.thermal[0, 0], rel=5e-3)


@pytest.mark.ngspice
def test_an_amplifier_s_own_noise(tmp_path):
    """In series with its input: an ideal copy of the column, moved by a resistor's noise of 50 nV/rtHz."""
    _, _, noise = squares(50e-9)
    ohm = (50e-9) ** 2 / (4 * BOLTZMANN * KELVIN)
    parts = AMPLIFIER.replace(f"xt col out tia_pole rf={FEEDBACK}", "xt sensed out tia_pole rf=1e30 offset=0")
    parts += f"rfeedback col out {FEEDBACK}\nrnoise n 0 {ohm}\nesense sensed 0 poly(2) col 0 n 0 0 1 1\n"
    expected_v2 = (noise.thermal + noise.amplifier)[0, 0]
    assert simulated_v2(tmp_path, parts) == pytest.approx(expected_v2, rel=5e-3)


@pytest.mark.ngspice
def test_capacitances_of_column_and_feedback_shape_it(tmp_path):
    """Thermal noise of the feedback, and the amplifier's own, which the column's capacitance lets through."""
    capacitances = {"column_f": 3e-13, "feedback_f": np.full(2, 1e-13)}
    _, _, noise = squares(50e-9, **capacitances)
    _, _, bare = squares(50e-9)
    assert noise.thermal[0, 0] < 0.9 * bare.thermal[0, 0]
    parts = AMPLIFIER.replace(f"xt col out tia_pole rf={FEEDBACK}", f"xt col out tia_pole rf={FEEDBACK} cf=1e-13")
    parts += "ccolumn col 0 3e-13\n"
    assert simulated_v2(tmp_path, parts) == pytest.approx(noise.thermal[0, 0], rel=5e-3)
    ohm = (50e-9) ** 2 / (4 * BOLTZMANN * KELVIN)
    own = parts.replace(f"xt col out tia_pole rf={FEEDBACK} cf=1e-13", "xt sensed out tia_pole rf=1e30 offset=0")
    own += f"rfeedback col out {FEEDBACK}\ncfeedback col out 1e-13\n"
    own += f"rnoise n 0 {ohm}\nesense sensed 0 poly(2) col 0 n 0 0 1 1\n"
    assert simulated_v2(tmp_path, own) == pytest.approx((noise.thermal + noise.amplifier)[0, 0], rel=5e-3)


def test_a_stage_s_noise_is_that_of_both_columns():
    design, solution, noise = squares(50e-9)
    (stage,) = stage_noises(design, solution, noise_v_per_rthz=50e-9, temperature_c=27.0)
    assert stage.rms_v == pytest.approx(np.sqrt(noise.square_v2.sum()))
    assert stage.thermal + stage.shot + stage.amplifier == pytest.approx(1.0)
    assert stage.bits is None


def test_bits_are_those_of_the_range():
    """A range of 2 V and a noise of 1 mV: log2(2 / 1e-3 / sqrt 12)."""
    design = one_column()
    inputs = np.linspace(0.0, 1.0, 11)[:, None]
    solution = solve("batched", design, inputs, "device", RunOptions(check_samples=0))
    (stage,) = stage_noises(design, solution, noise_v_per_rthz=0.0, temperature_c=27.0)
    range_v = float(np.ptp(solution.stage_v["l1.crossbar"]))
    assert stage.bits == pytest.approx(np.log2(range_v / stage.rms_v / np.sqrt(12)))
    assert stage.bits > 10
