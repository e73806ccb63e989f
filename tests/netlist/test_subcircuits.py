"""Each shipped subcircuit alone in ngspice against its formula."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from circuits import PEAK, crossbar_design

from kanspice.design.ideal import limited_v
from kanspice.errors import KanspiceError
from kanspice.netlist import build_netlist
from kanspice.netlist.library import library_text, subcircuit_text
from kanspice.ngspice.process import RAW_FILE, run_deck
from kanspice.ngspice.program import find_ngspice
from kanspice.ngspice.raw import read_plots
from kanspice.resources import NETLISTS


def clamped(knee):
    design = crossbar_design([PEAK], [[[1.0]]])
    limiter = replace(design.stages[0], kind="clip", low_v=-0.5, high_v=1.0, knee_v=knee)
    return replace(design, stages=(limiter, *design.stages[1:]))


TESTED = {
    *("buffer", "clipper", "sigmoid_stage", "tanh_stage", "column_sense"),
    *("tia_ideal", "tia_finite", "subtractor", "layernorm_lane", "bank_switch"),
    *("tia_real", "tia_pole", "tia_ideal_limited", "subtractor_limited", "clamp"),
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
        deck = f"* test\n{library_text(TESTED)}\n{cards}\nvx x 0 0\n.options reltol=1e-12 vntol=1e-15 abstol=1e-21\n"
        (tmp_path / "deck.cir").write_text(f"{deck}.dc vx {start} {stop} {step}\n.end\n")
        result = run_deck(find_ngspice(), tmp_path, "deck.cir")
        (plot,) = read_plots(tmp_path / RAW_FILE)
        assert "singular" not in result.messages
        return {name[2:-1]: plot.table[:, index] for index, name in enumerate(plot.vectors) if name.startswith("v(")}

    return run


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
        ("tanh_stage in_unit=0.3 unit=0.4", lambda x: 0.4 * np.tanh(x / 0.3)),
    ],
)
def test_one_input_one_output(sweep, instance, formula):
    name, _, parameters = instance.partition(" ")
    volts = sweep(f"x1 x out {name} {parameters}", -3.0, 3.0, 0.125)
    close(volts["out"], formula(volts["x"]))


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
def test_outputs_stop_at_their_swing(sweep):
    volts = sweep("r1 x col 1000\nx1 col out tia_ideal_limited rf=2000 offset=0.01 swing=1.5", -1.0, 1.0, 0.25)
    close(volts["out"], np.clip(0.01 - 2 * (volts["x"] - 0.01), -1.5, 1.5))
    close(volts["col"], np.full(9, 0.01))
    volts = sweep("vp p 0 0.3\nx1 p x out subtractor_limited gain=2.5 swing=2", -1.0, 1.0, 0.25)
    close(volts["out"], np.clip(2.5 * (volts["x"] - 0.3), -2, 2))


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
    np.testing.assert_allclose(out, limited_v(design.stages[0], volts["x"]), rtol=0, atol=1e-8)


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
def test_amplifiers_with_an_offset(sweep):
    """A conductance of 1 mS from x: the column sits at the offset, or where the gain puts it."""
    ideal = sweep("r1 x col 1000\nx1 col out tia_ideal rf=2000 offset=0.01", -1.0, 1.0, 0.25)
    close(ideal["col"], np.full(9, 0.01))
    close(ideal["out"], 0.01 - 2000 * (ideal["x"] - 0.01) / 1000)
    finite = sweep("r1 x col 1000\nx1 col out tia_finite rf=2000 gain=50 offset=0.01", -1.0, 1.0, 0.25)
    close(finite["out"], 50 * (0.01 - finite["col"]))
    close((finite["x"] - finite["col"]) / 1000, (finite["col"] - finite["out"]) / 2000)
