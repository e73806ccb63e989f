"""What filters and synapses take, against phasors, waveforms and equations that are solved here by other means."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from circuits import technology
from connections import inputs_for, memkan, memkan_design, phykan, phykan_design, surrogate_design, surrogate_memkan
from scipy.optimize import brentq

from kanspice.base.errors import InputError
from kanspice.circuit.stages.synapse_bank import BAND_PASS, HIGH_PASS, LOW_PASS, SynapseBank
from kanspice.engine.batched.engine import solve
from kanspice.gap import physical_cost
from kanspice.gap.costs.filter_bank import signal_powers as filters_w
from kanspice.gap.costs.synapse_bank import amplifier_count
from kanspice.gap.costs.synapse_bank import signal_powers as synapses_w

TURN = 2 * np.pi * (np.arange(100_000) + 0.5) / 100_000


def mean_size(phasor):
    """Of a sine's magnitude, over a turn."""
    return float(np.abs(np.abs(phasor) * np.sin(TURN)).mean())


def one_filter(**parts):
    """A bank of one filter, and its tone."""
    model = phykan((1, 1), filters=1)
    bank = phykan_design(model).filter_banks[0]
    shape = bank.gain.shape
    given = {"gain": -1.5, "high_ohm": 2e7, "high_f": 1e-12, "low_ohm": 5e6, "low_f": 2e-12, "offset_v": 0.0} | parts
    arrays = {name: np.full(shape, value) for name, value in given.items()}
    return replace(bank, **arrays, decade=4.0, decades=1.0, clock_hz=np.inf, gain_ohm=1e5, sine_v=2.0)


@pytest.mark.parametrize("gbw_hz", [np.inf, 3e5])
def test_a_filter_takes_what_its_phasors_say(gbw_hz):
    """A tone of 10^4.5 Hz through both passes, the inverting amplifier, the detector and the sum."""
    bank, hz = replace(one_filter(), amplifier_hz=gbw_hz), 10**4.5
    turning = 2j * np.pi * hz
    high_a = 2.0 / (2e7 + 1 / (turning * 1e-12))
    follower = 1 / (1 + 1j * hz / gbw_hz)
    passed_v = high_a * 2e7 * follower
    low_a = passed_v / (5e6 + 1 / (turning * 2e-12))
    inner_v = low_a / (turning * 2e-12) * follower
    gain_a, peak_v = inner_v / 1e5, 1.5 * inner_v / (1 + 1j * hz * 2.5 / gbw_hz)
    sum_a = abs(peak_v) / 1e5
    heat_w = abs(high_a) ** 2 * 2e7 / 2 + abs(low_a) ** 2 * 5e6 / 2 + abs(gain_a) ** 2 * 1e5 / 2
    heat_w += abs(peak_v) * abs(gain_a) / 2 + sum_a**2 * 1e5
    drawn_a = mean_size(high_a) + mean_size(low_a) + 2 * mean_size(gain_a) + 2 * sum_a
    found_w, found_a = filters_w(bank, np.array([[0.5 * bank.control_v]]))
    assert found_w == pytest.approx([heat_w], rel=1e-9)
    assert found_a == pytest.approx([drawn_a], rel=1e-6)


def test_filters_of_one_row_are_driven_together():
    """Currents ahead of the voltage and in phase with it add up before anybody takes their magnitude."""
    one = one_filter()
    two = replace(
        one,
        **{
            name: np.concatenate([getattr(one, name), getattr(one_filter(high_ohm=1e3), name)], axis=2)
            for name in ("gain", "high_ohm", "high_f", "low_ohm", "low_f", "offset_v")
        },
    )
    rows_v, turning = np.array([[0.0]]), 2j * np.pi * 1e4
    apart_w, apart_a = np.sum([filters_w(bank, rows_v) for bank in (one, one_filter(high_ohm=1e3))], axis=0)
    together_w, together_a = filters_w(two, rows_v)
    high_a = [2.0 / (ohm + 1 / (turning * 1e-12)) for ohm in (2e7, 1e3)]
    assert together_w == pytest.approx(apart_w)
    assert apart_a - together_a == pytest.approx(2 / np.pi * (sum(map(abs, high_a)) - abs(sum(high_a))), rel=1e-6)


def test_the_parts_of_a_phykan_and_its_energy():
    """Five amplifiers to a filter and its detector and one to a sum; all are on for both slots."""
    model = phykan()
    settings = "supply.quiescent_a=2e-6", "filters.oscillator_a=1e-5", "filters.slot_s=1e-3", "converters.dac_j=1e-12"
    design, x = phykan_design(model, *settings), inputs_for(model)
    cost = physical_cost(design, solve(design, x, "behavioural"), technology(*settings))
    first, second = cost.stages
    assert (first.amplifiers, second.amplifiers) == (5 * (2 * 6 - 2) + 3, 5 * 12 + 2)
    assert first.parts_w["quiescent"] == pytest.approx(2 * 5 * 2e-6 * 53)
    assert first.parts_w["oscillators"] == pytest.approx(2 * 5 * 1e-5 * 2)
    assert second.parts_w["oscillators"] == pytest.approx(2 * 5 * 1e-5 * 3)
    assert cost.latency_s == pytest.approx(2e-3)
    assert cost.power_w == pytest.approx(sum(cost.parts_w.values()))
    assert cost.energy_j == pytest.approx(2e-3 * cost.power_w + 2 * 1e-12)
    assert cost.parts_j["converters"] == pytest.approx(2e-12)
    assert sum(cost.parts_j.values()) == pytest.approx(cost.energy_j)


def test_a_circuit_without_supply_currents_says_that_only_signals_are_counted():
    for design, model, fidelity in ((phykan_design, phykan(), "behavioural"), (memkan_design, memkan(), "device")):
        made, x = design(model), inputs_for(model)
        cost = physical_cost(made, solve(made, x, fidelity), technology())
        assert cost.power_w > 0
        assert cost.parts_w["quiescent"] == 0
        assert any("only the power of signals is counted" in line for line in cost.assumptions)


def one_synapse(kind, bias_v=0.0, gain=2.0):
    """A bank of one synapse."""
    parts = {"load_ohm": 1e3, "input_ohm": 400.0, "series_ohm": 50.0, "alpha_per_v": 18.0, "saturation_a": 2e-6}
    arrays = {name: np.full((1, 1, 1), value) for name, value in parts.items()}
    return SynapseBank(
        name="l1.synapses",
        compares_to="l1.synapses",
        kind=np.full((1, 1, 1), kind),
        gain=np.full((1, 1, 1), gain),
        input_bias_v=np.full((1, 1, 1), bias_v),
        bias_v=np.zeros(1),
        reference_v=0.7,
        output_v_per_unit=1.0,
        **arrays,
    )


@pytest.mark.parametrize("kind", [LOW_PASS, BAND_PASS, HIGH_PASS])
@pytest.mark.parametrize("bias_v", [0.0, 0.1])
def test_what_is_delivered_to_a_synapse_becomes_heat(kind, bias_v):
    """Bisection finds its current; heat is that of load, series and input resistance, and of the memdiode."""
    volts = 0.3 + bias_v

    def load_v(amps):
        return 1e3 * amps if kind != BAND_PASS else (volts / 400 - amps) / (1 / 400 + 1 / 1e3)

    def across_v(amps):
        drive = {LOW_PASS: 0.7 - volts - load_v(amps), HIGH_PASS: volts - load_v(amps)}.get(kind, volts + load_v(amps))
        return drive - 50 * amps

    amps = brentq(lambda amps: amps - 2e-6 * np.exp(18.0 * across_v(amps)), 0.0, 0.1, xtol=1e-18, rtol=1e-14)
    heat_w = load_v(amps) ** 2 / 1e3 + 50 * amps**2 + across_v(amps) * amps
    through_input = (volts - load_v(amps)) / 400 if kind == BAND_PASS else 0.0
    heat_w += 400 * through_input**2
    delivered_w, driven_a, added_a = synapses_w(one_synapse(kind, bias_v), np.array([[0.3]]), 1e5)
    assert delivered_w == pytest.approx([heat_w], rel=1e-9)
    assert driven_a == pytest.approx([amps + abs(through_input)], rel=1e-9)
    assert added_a == pytest.approx([2 * 2 * abs(load_v(amps)) / 1e5], rel=1e-9)


def test_synapses_share_what_drives_them_unless_they_have_a_bias():
    """A row's driver, one for its low-passes, one for its band-passes; gain stages, and a sum."""
    kinds = np.array([[[LOW_PASS, LOW_PASS, BAND_PASS, HIGH_PASS]]])
    one = one_synapse(LOW_PASS)
    arrays = ("load_ohm", "input_ohm", "series_ohm", "alpha_per_v", "saturation_a", "gain", "input_bias_v")
    bank = replace(one, kind=kinds, **{name: np.repeat(getattr(one, name), 4, axis=2) for name in arrays})
    assert amplifier_count(bank) == 4 + 1 + 1 + 2
    own = replace(bank, input_bias_v=np.full((1, 1, 4), 0.1))
    assert amplifier_count(own) == 4 + 1 + 1 + 4 + 3
    rows_v = np.array([[0.3]])
    assert synapses_w(own, rows_v, 1e5)[1] > synapses_w(bank, rows_v, 1e5)[1]


@pytest.mark.parametrize(("model", "design"), [(memkan, memkan_design), (surrogate_memkan, surrogate_design)])
def test_the_power_of_a_memkan_is_the_sum_of_its_parts(model, design):
    network, settings = model(), ("supply.quiescent_a=1e-6", "synapses.gain_ohm=1e6")
    made, x = design(network, *settings), inputs_for(network)
    cost = physical_cost(made, solve(made, x, "device"), technology(*settings))
    assert cost.power_w == pytest.approx(sum(cost.parts_w.values()))
    assert cost.parts_w["quiescent"] == pytest.approx(2 * 5 * 1e-6 * cost.amplifiers)
    assert cost.latency_s is cost.energy_j is None
    fewer = physical_cost(made, solve(made, x, "device"), technology(*settings[:1], "synapses.gain_ohm=1e7"))
    assert fewer.parts_w["amplifiers"] == pytest.approx(cost.parts_w["amplifiers"] / 10)


def test_a_resistor_that_nothing_is_added_through_is_refused():
    with pytest.raises(InputError, match="gain_ohm"):
        technology("filters.gain_ohm=0.0")
