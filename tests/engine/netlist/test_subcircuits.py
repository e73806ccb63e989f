"""Each shipped subcircuit alone in ngspice against its formula."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from circuits import PEAK, crossbar_design

from kanspice.base.errors import KanspiceError
from kanspice.base.resources import NETLISTS
from kanspice.engine.netlist import build_netlist
from kanspice.engine.netlist.library import library_text, subcircuit_text
from kanspice.engine.ngspice.process import RAW_FILE, run_deck
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.engine.simulators.raw import read_plots


def clamped(knee):
    design = crossbar_design([PEAK], [[[1.0]]])
    limiter = replace(design.stages[0], kind="clip", low_v=-0.5, high_v=1.0, knee_v=knee)
    return replace(design, stages=(limiter, *design.stages[1:]))


TESTED = {
    *("buffer", "clipper", "sigmoid_stage", "sigmoid_stage_limited", "tanh_stage", "column_sense"),
    *("tia_ideal", "tia_finite", "subtractor", "layernorm_lane", "bank_switch", "hold_cell", "branch_pole"),
    *("tia_real", "tia_resistive", "tia_pole", "tia_ideal_limited", "subtractor_limited", "clamp"),
    *("tone", "tone_clocked", "summer", "synapse", "synapse_band"),
    *("rectifier", "rectifier_ideal", "sigmoid_pair", "tanh_pair", "follower", "follower_limited"),
    *("operational", "band_pass", "band_pass_real", "oscillator", "peak_detector"),
}


def test_every_shipped_subcircuit_is_tested_here_and_documented():
    names = {path.stem for path in NETLISTS.glob("*.cir")}
    assert names == TESTED
    for name in names:
        text = subcircuit_text(name)
        assert text.startswith("* ")
        assert f".subckt {name} " in text
        assert f".ends {name}" in text


def test_a_subcircuit_that_is_not_there_is_named():
    with pytest.raises(KanspiceError, match="subcircuit missing") as raised:
        library_text(["tia_quantum"])
    assert raised.value.exit_code == 3
    assert "install kanspice again" in raised.value.message


@pytest.fixture
def sweep(tmp_path):
    """Runs cards around the subcircuits with a source `x` swept over values; returns node -> (points,) volts."""

    def run(cards: str, start: float, stop: float, step: float) -> dict[str, np.ndarray]:
        return simulate(f"{cards}\nvx x 0 0\n.dc vx {start} {stop} {step}", tmp_path)

    return run


def simulate(cards: str, folder) -> dict[str, np.ndarray]:
    """Node -> (points,) volts, and the scale, of one analysis with the subcircuits."""
    deck = f"* test\n{library_text(TESTED)}\n.options reltol=1e-12 vntol=1e-15 abstol=1e-21\n{cards}\n.end\n"
    (folder / "deck.cir").write_text(deck)
    result = run_deck(find_ngspice(), folder, "deck.cir")
    (plot,) = read_plots(folder / RAW_FILE)
    assert "singular" not in result.messages
    names = [name[2:-1] if name.startswith("v(") else name for name in plot.vectors]
    return {name: plot.table[:, index] for index, name in enumerate(names)}


def close(got, expected):
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.ngspice
@pytest.mark.parametrize(
    ("instance", "formula"),
    [
        ("buffer", lambda x: x),
        ("clipper low=-0.3 high=1.4", lambda x: np.clip(x, -0.3, 1.4)),
        ("column_sense reach=0.075", lambda x: np.clip(x, -0.075, 0.075)),
        ("sigmoid_stage in_unit=0.3 unit=0.4", lambda x: 0.4 / (1 + np.exp(-x / 0.3))),
        (
            "sigmoid_stage_limited in_unit=0.3 unit=0.4 reach=2.5",
            lambda x: 0.4 / (1 + np.exp(-np.clip(x / 0.3, -2.5, 2.5))),
        ),
        ("tanh_stage in_unit=0.3 unit=0.4", lambda x: 0.4 * np.tanh(x / 0.3)),
    ],
)
def test_one_input_one_output(sweep, instance, formula):
    name, _, parameters = instance.partition(" ")
    volts = sweep(f"x1 x out {name} {parameters}", -3.0, 3.0, 0.125)
    close(volts["out"], formula(volts["x"]))


@pytest.mark.ngspice
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("gain", [100.0, 1e5])
def test_a_rectifier_balances_what_its_diode_and_its_load_take(sweep, gain, sign):
    """The op-amp's output is gain (x + offset - out); the diode between it and `out` and the load carry one current."""
    knee = 1.38064852e-23 * 300.15 / 1.6021766208e-19
    parameters = f"level=0.2 gain={gain} offset=1e-3 sat=1e-12 n=1 load=1e5 sign={sign}"
    volts = sweep(f".options gmin=1e-21\nx1 x out rectifier {parameters}", -1.0, 1.0, 0.125)
    over = sign * (gain * (volts["x"] + 1e-3 - volts["out"]) - volts["out"])
    loaded = sign * (volts["out"] - 0.2) / 1e5
    on = loaded > 1e-9
    assert 0 < on.sum() < 17
    np.testing.assert_allclose(over[on], knee * np.log1p(loaded[on] / 1e-12), rtol=0, atol=3e-16 * gain + 1e-9)
    np.testing.assert_allclose(volts["out"][~on], 0.2, rtol=0, atol=2e-7)


@pytest.mark.ngspice
@pytest.mark.parametrize("sign", [1, -1])
def test_a_rectifier_without_a_drop(sweep, sign):
    volts = sweep(f"x1 x out rectifier_ideal level=-0.2 ratio=0.9 offset=0.01 sign={sign}", -1.0, 1.0, 0.125)
    close(volts["out"], sign * np.maximum(sign * 0.9 * (volts["x"] + 0.01), sign * -0.2))


@pytest.mark.ngspice
@pytest.mark.parametrize("name", ["sigmoid_pair", "tanh_pair"])
def test_pairs_of_transistors_that_need_no_base_current(sweep, name):
    """1 V is divided to VT or 2 VT, so that the argument of either function is x."""
    knees = 1.0 if name == "sigmoid_pair" else 2.0
    part = knees * 1.38064852e-23 * 300.15 / 1.6021766208e-19
    divider = f"upper={1000 / part!r} lower={1000 / (1 - part)!r} source=1000"
    cards = f".options gmin=1e-21\nx1 x out {name} {divider} tail=1e-4 load=5000 rail=5 beta=1e15"
    volts = sweep(cards, -4.0, 4.0, 0.5)
    x = volts["x"]
    np.testing.assert_allclose(volts["out"], 0.5 * np.tanh(x) if knees == 2 else 0.5 / (1 + np.exp(-x)), atol=1e-10)


@pytest.mark.ngspice
@pytest.mark.parametrize("stage", ["sigmoid_stage", "tanh_stage"])
def test_squashing_stages_do_not_overflow(sweep, stage):
    out = sweep(f"x1 x out {stage} unit=1", -5000.0, 5000.0, 5000.0)["out"]
    close(out, [0.0 if stage == "sigmoid_stage" else -1.0, 0.5 if stage == "sigmoid_stage" else 0.0, 1.0])


@pytest.mark.ngspice
def test_an_ideal_transimpedance_amplifier_holds_its_input_at_ground(sweep):
    """V(out) = -R I, with I = x * 1 mA flowing in."""
    volts = sweep("g1 0 col x 0 1m\nx1 col out tia_ideal rf=12345.678901234567", -2.0, 2.0, 0.5)
    close(volts["out"], -12345.678901234567 * 1e-3 * volts["x"])
    assert np.all(volts["col"] == 0)


@pytest.mark.ngspice
@pytest.mark.parametrize("gain", [1.5, 100.0, 1e7])
def test_a_transimpedance_amplifier_of_finite_gain(sweep, gain):
    """out = -A col and I = (col - out) / R, so col = R I / (1 + A) and out = -R I A / (1 + A)."""
    volts = sweep(f"g1 0 col x 0 1m\nx1 col out tia_finite rf=4700 gain={gain}", -2.0, 2.0, 0.5)
    drop = 4.7 * volts["x"]
    close(volts["out"], -drop * gain / (1 + gain))
    close(volts["col"], drop / (1 + gain))


@pytest.mark.ngspice
@pytest.mark.parametrize("swing", [1.0, 1e30])
def test_a_transimpedance_amplifier_drives_through_its_own_resistance_as_far_as_it_goes(sweep, swing):
    """The driven voltage e = A (V0 - col), limited, and the output is what R and the output's resistance divide."""
    parameters = f"rf=4700 gain=200 offset=0.01 rout=300 swing={swing}"
    volts = sweep(f"g1 0 col x 0 1m\nx1 col out tia_real {parameters}", -2.0, 2.0, 0.5)
    driven = np.clip(200 * (0.01 - volts["col"]), -swing, swing)
    close(volts["col"], driven + 5000 * 1e-3 * volts["x"])
    close(volts["out"], volts["col"] - 4.7 * volts["x"])
    assert (np.abs(driven) == swing).any() == (swing == 1.0)


@pytest.mark.ngspice
def test_a_transimpedance_amplifier_without_a_limit_is_the_one_that_comes_to_none(sweep):
    parameters = "rf=4700 gain=200 offset=0.01 rout=300"
    volts = sweep(f"g1 0 col x 0 1m\nx1 col out tia_resistive {parameters}", -2.0, 2.0, 0.5)
    limited = sweep(f"g1 0 col x 0 1m\nx1 col out tia_real {parameters} swing=1e30", -2.0, 2.0, 0.5)
    close(volts["out"], limited["out"])
    close(volts["col"], limited["col"])


@pytest.mark.ngspice
def test_outputs_stop_at_their_swing(sweep):
    volts = sweep("r1 x col 1000\nx1 col out tia_ideal_limited rf=2000 offset=0.01 swing=1.5", -1.0, 1.0, 0.25)
    close(volts["out"], np.clip(0.01 - 2 * (volts["x"] - 0.01), -1.5, 1.5))
    close(volts["col"], np.full(9, 0.01))
    volts = sweep("vp p 0 0.3\nx1 p x out subtractor_limited gain=2.5 swing=2", -1.0, 1.0, 0.25)
    close(volts["out"], np.clip(2.5 * (volts["x"] - 0.3), -2, 2))


@pytest.mark.ngspice
def test_followers_are_a_little_less_than_1(sweep):
    """To the last digits of their gain: an amplifier of 100,000 is one part in so many away."""
    ratio = 1 / (1 + 1e-5)
    volts = sweep(f"x1 x out follower offset=2e-3 ratio={ratio!r}", -1.0, 1.0, 0.25)
    close(volts["out"], ratio * (volts["x"] + 2e-3))
    volts = sweep(f"x1 x out follower_limited offset=2e-3 ratio={ratio!r} swing=0.6", -1.0, 1.0, 0.25)
    close(volts["out"], np.clip(ratio * (volts["x"] + 2e-3), -0.6, 0.6))
    volts = sweep("vp p 0 0.3\nx1 p x out subtractor_limited gain=2.5 offset=0.01 swing=2", -1.0, 1.0, 0.25)
    close(volts["out"], np.clip(2.5 * (volts["x"] - 0.3) + 0.01, -2, 2))


@pytest.mark.ngspice
@pytest.mark.parametrize("knee", [0.01, 0.026, 0.1])
def test_a_clamp_loses_a_knee_at_its_levels(sweep, knee):
    """in - out = knee (exp((out - 1) / knee) - exp((-0.5 - out) / knee)), the levels at -0.5 V and 1 V."""
    design = clamped(knee)
    cards = build_netlist(design, "device").text("circuit.cir")
    instance = next(line for line in cards.splitlines() if line.lower().startswith("xl1_in0"))
    parameters = instance.split("clamp", 1)[1]
    volts = sweep(f"x1 x out clamp {parameters}", -3.0, 3.0, 0.25)
    out = volts["out"]
    np.testing.assert_allclose(
        volts["x"], out + knee * (np.exp((out - 1) / knee) - np.exp((-0.5 - out) / knee)), rtol=0, atol=1e-8
    )
    np.testing.assert_allclose(out, design.stages[0].ideal_v(design, volts["x"]), rtol=0, atol=1e-8)


@pytest.mark.ngspice
def test_the_subtractor_takes_the_positive_column_from_the_negative_one(sweep):
    volts = sweep("vp p 0 0.3\nx1 p x out subtractor gain=2.5", -1.0, 1.0, 0.25)
    close(volts["out"], 2.5 * (volts["x"] - 0.3))


@pytest.mark.ngspice
def test_lanes_of_a_layer_norm_share_mean_and_variance(sweep):
    gains, offsets, eps = [1.7, -0.4, 2.0], [0.1, 0.0, -3.0], 1e-5
    lanes = "\n".join(
        f"xl{i} {node} out{i} mean var layernorm_lane n=3 gain={g} offset={o} eps={eps}"
        for i, (node, g, o) in enumerate(zip(["x", "b", "c"], gains, offsets, strict=True))
    )
    volts = sweep(f"vb b 0 1.25\nvc c 0 -0.5\nrm mean 0 1\nrv var 0 1\n{lanes}", -4.0, 4.0, 0.5)
    lanes_v = np.stack([volts["x"], volts["b"], volts["c"]], axis=1)
    mean, variance = lanes_v.mean(axis=1), lanes_v.var(axis=1)
    close(volts["mean"], mean)
    for i, (gain, offset) in enumerate(zip(gains, offsets, strict=True)):
        close(volts[f"out{i}"], gain * (lanes_v[:, i] - mean) / np.sqrt(variance + eps) + offset)


@pytest.mark.ngspice
@pytest.mark.parametrize("clock", [0.0, 0.25, 1.0])
def test_a_bank_switch_lets_the_clocks_part_of_the_banks_current_through(sweep, clock):
    """A bank of 1 mS behind 500 ohm takes v / 1500 of the node; off, 1 uS of the switch leaks instead."""
    volts = sweep(f"vc c 0 {clock}\nrn x n 1000\nrb b 0 1000\nx1 n b c bank_switch on=500 leak=1e-6", -2.0, 2.0, 0.25)
    close(volts["b"], volts["n"] * 1000 / 1500)
    close((volts["x"] - volts["n"]) / 1000, volts["n"] * (clock / 1500 + (1 - clock) * 1e-6))


@pytest.mark.ngspice
@pytest.mark.parametrize("clock", [0.25, 1.0])
def test_a_held_voltage_follows_its_node_with_the_clocks_part_of_a_conductance(sweep, clock):
    """At rest, divided by a load."""
    loaded = f"vc c 0 {clock}\nx1 x h c hold_cell siemens=1e-3 farads=1e-12\nrl h 0 1000"
    volts = sweep(loaded, -2.0, 2.0, 0.25)
    close(volts["h"], volts["x"] * clock / (clock + 1))


@pytest.mark.ngspice
@pytest.mark.parametrize(("clock", "part"), [(0.0, 1.0), (1e-3, 0.5), (1.0, 0.5)])
def test_branches_behind_a_pole_carry_their_current_in_the_end_unless_they_are_idle(sweep, clock, part):
    """1 kohm from a node to ground, behind a pole, and another from the source to the node."""
    loaded = f"vc c 0 {clock}\nrn x n 1000\nrb b 0 1000\nx1 n b c branch_pole ohm=1e6 farads=1e-15"
    volts = sweep(loaded, -2.0, 2.0, 0.25)
    close(volts["n"], part * volts["x"])
    close(volts["b"], volts["n"])


@pytest.mark.ngspice
def test_amplifiers_with_an_offset(sweep):
    """A conductance of 1 mS from x: the column sits at the offset, or where the gain puts it."""
    ideal = sweep("r1 x col 1000\nx1 col out tia_ideal rf=2000 offset=0.01", -1.0, 1.0, 0.25)
    close(ideal["col"], np.full(9, 0.01))
    close(ideal["out"], 0.01 - 2000 * (ideal["x"] - 0.01) / 1000)
    finite = sweep("r1 x col 1000\nx1 col out tia_finite rf=2000 gain=50 offset=0.01", -1.0, 1.0, 0.25)
    close(finite["out"], 50 * (0.01 - finite["col"]))
    close((finite["x"] - finite["col"]) / 1000, (finite["col"] - finite["out"]) / 2000)


@pytest.mark.ngspice
@pytest.mark.parametrize("clock", [None, 4e6])
def test_tones(sweep, clock):
    name = "tone" if clock is None else f"tone_clocked clock={clock}"
    wanted = 10 ** (3.65 + 1.5 * np.linspace(0, 1, 5))
    hertz = wanted if clock is None else clock / np.pi * np.arctan(np.pi * wanted / clock)
    # ngspice keeps 11 digits of the numbers in an expression
    np.testing.assert_allclose(sweep(f"x1 x out {name}", 0.0, 1.0, 0.25)["out"], hertz, rtol=1e-9)


@pytest.mark.ngspice
def test_a_summer_adds_currents_and_its_bias(sweep):
    volts = sweep("g1 0 col x 0 2\ng2 0 col x 0 -0.5\nx1 col out summer gain=3 bias=0.25", -1.0, 1.0, 0.5)
    close(volts["out"], 4.5 * volts["x"] + 0.25)
    assert np.all(volts["col"] == 0)


@pytest.mark.ngspice
def test_synapses_balance(sweep):
    """What flows into the load is what the memdiode carries at the voltage that is left across it."""
    parts = "load=700 series=3 alpha=18 sat=3u gain=1"
    u = sweep(f"x1 x col synapse {parts}\nvcol col 0 0", 0.0, 0.5, 0.05)
    loads, x = u["x1.out"], u["x"]
    np.testing.assert_allclose(loads / 700, 3e-6 * np.exp(18 * (x - loads - 3 * loads / 700)), rtol=1e-9)
    u = sweep(f"em minus 0 x 0 -1\nx1 x minus col synapse_band input=40 {parts}\nvcol col 0 0", 0.0, 0.5, 0.05)
    loads = u["x1.out"]
    current = (u["x"] - loads) / 40 - loads / 700
    np.testing.assert_allclose(current, 3e-6 * np.exp(18 * (u["x"] + loads - 3 * current)), rtol=1e-7)


@pytest.mark.ngspice
def test_filters_pass_a_band(tmp_path):
    parts = "highr=2meg highc=3p lowr=1meg lowc=2p gain=1.4"
    cards = f"""vx x 0 dc 0 ac 1
x1 x out band_pass {parts}
x2 x real band_pass_real {parts} gbw=2e6
x3 x follows follows operational gbw=2e6
.ac dec 5 1e3 1e6"""
    found = simulate(cards, tmp_path)
    hertz = found["frequency"].real
    high, low = 2j * np.pi * hertz * 6e-6, 2j * np.pi * hertz * 2e-6
    ideal = -1.4 * high / (1 + high) / (1 + low)
    np.testing.assert_allclose(found["out"], ideal, rtol=1e-12)
    slow = 1j * hertz / 2e6
    np.testing.assert_allclose(found["real"], ideal / (1 + slow) ** 2 / (1 + 2.4 * slow), rtol=1e-9)
    np.testing.assert_allclose(found["follows"], 1 / (1 + slow), rtol=1e-9)


@pytest.mark.slow
@pytest.mark.ngspice
def test_a_detector_holds_the_peak_of_an_oscillator(tmp_path):
    """At 10 kHz for 0.5 ms: the sine is where its phase says; the detector is empty, then at 0.8 V, then forgets."""
    cards = """vh h 0 10k
vr r 0 pwl(0 1 0.2m 1 0.2001m 0)
x1 h sine oscillator amplitude=0.8
x2 sine peak r peak_detector attack=100n
x3 sine droops r peak_detector attack=100n forget=1000
.tran 0.2u 0.5m 0 0.2u uic"""
    found = simulate(cards, tmp_path)
    time = found["time"]
    np.testing.assert_allclose(found["sine"], 0.8 * np.sin(2 * np.pi * 1e4 * time), atol=1e-4)
    assert np.abs(found["peak"][time < 0.19e-3]).max() < 1e-6
    assert found["peak"][-1] == pytest.approx(0.8, rel=1e-4)
    held = time > 0.3e-3
    passed = 0.5 / 1e4 / 1e-3
    assert found["droops"][held].mean() == pytest.approx(0.8 * -np.expm1(-passed) / passed, rel=5e-3)
