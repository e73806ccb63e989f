"""Where branches, synapses and filters work on their laws: against each law by itself."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from connections import FILTER_PARTS, SYNAPSE_PARTS, inputs_for, memkan, memkan_design, phykan, phykan_design
from periods import design_of_periods, period
from scipy.optimize import brentq

from kanspice.circuit import FilterBank, SynapseBank
from kanspice.circuit.stages.synapse_bank import BAND_PASS, HIGH_PASS, KIND_NAMES, LOW_PASS, loads_v
from kanspice.engine.solution import FailedSample, Outcome, Solution, Waveform
from kanspice.gap.law_uses import law_uses

EDGES = [(1, 2), (2, 0), (0, 1)]
TANH = np.array([[0.5, -1.0, 0.0], [2.0, -3.0, 20.0]])
"""p0 and p1 of a difference's drive."""


def solved(stage_v, *failed, waveforms=()):
    lost = tuple(FailedSample(index, Outcome.DIVERGED) for index in failed)
    samples = len(next(iter(stage_v.values())))
    return Solution("test", "1", {}, samples, lost, stage_v, {}, {}, waveforms=waveforms)


def settled(design, inputs):
    """Every stage as its formula has it."""
    volts, found = inputs * design.input_v_per_unit, {}
    for stage in design.stages:
        volts = found[stage.name] = stage.ideal_v(design, volts)
    return solved(found)


def moving():
    """A period of three branches, and waveforms of sample 1."""
    stage = period("ShiftTanh1", EDGES, TANH)
    node_v = np.array([[0.1, 0.2], [0.3, -0.4], [0.5, 0.6], [0.0, 0.0]])
    waveform = Waveform(1, stage.name, np.array([0.0, 1e-7, 3e-7, 1e-6]), node_v)
    return design_of_periods(stage), node_v, waveform


def drives(node_v):
    volts = np.pad(node_v, ((0, 0), (1, 0)))
    source, destination = np.array(EDGES).T
    return 2 * (TANH[1] * (volts[:, source] - volts[:, destination]) + TANH[0])


def test_branches_work_at_the_moments_that_were_kept():
    design, node_v, waveform = moving()
    volts = {stage.name: np.zeros((2, 2)) for stage in design.stages}
    (use,) = law_uses(design, solved(volts, waveforms=(waveform,)), np.zeros((2, 2)))
    expected = drives(node_v)
    assert (use.name, use.kind, use.parts, use.points) == ("ShiftTanh1", "branch", 3, 4)
    assert (use.low, use.high) == pytest.approx((expected.min(), expected.max()))
    np.testing.assert_allclose(use.values, np.tanh(np.linspace(use.low, use.high, 121) / 2), rtol=1e-4)
    edges = np.linspace(use.low, use.high, len(use.shares) + 1)
    np.testing.assert_allclose(use.shares, np.histogram(expected, edges)[0] / expected.size, atol=1e-4)
    slopes = 0.5 / np.cosh(expected / 2) ** 2
    assert use.flat == np.mean(slopes < 0.05)
    assert use.falling == pytest.approx(1 / 3), "the branch whose slope is negative, at every moment"
    for each in use.examples:
        at = int(np.flatnonzero(waveform.time_s == each.moment_s)[0])
        assert (each.sample, each.stage) == (1, "l1.period")
        assert EDGES[each.part["branch"]] == (each.part["from node"], each.part["to node"])
        assert each.at == pytest.approx(expected[at, each.part["branch"]], rel=1e-4, abs=1e-12)
        assert each.of["current / A"] == pytest.approx(np.tanh(each.at / 2) * 1e-6, rel=1e-3)


def test_without_waveforms_a_periods_ends_are_known():
    design, node_v, _ = moving()
    volts = {stage.name: node_v + 1 for stage in design.stages}
    (use,) = law_uses(design, solved(volts, 3), node_v)
    expected = drives(np.concatenate([node_v[:3], node_v[:3] + 1]))
    assert use.points == 6
    assert (use.low, use.high) == pytest.approx((expected.min(), expected.max()))
    assert {each.moment_s for each in use.examples} == {None}
    assert 3 not in {each.sample for each in use.examples}


def test_nothing_solved_has_no_law():
    design, node_v, _ = moving()
    volts = {stage.name: node_v for stage in design.stages}
    assert law_uses(design, solved(volts, 0, 1, 2, 3), node_v) == ()


def balance(bank, place, kind, volts, log_amps):
    """ln I less what the memdiode's law makes it, for a current of e^log_amps through one synapse."""
    amps, series, load = np.exp(log_amps), bank.series_ohm[place], bank.load_ohm[place]
    divider = bank.input_ohm[place]
    drive = {
        LOW_PASS: bank.reference_v - volts - amps * (load + series),
        HIGH_PASS: volts - amps * (load + series),
        BAND_PASS: volts - amps * series + (volts / divider - amps) / (1 / load + 1 / divider),
    }[kind]
    return log_amps - np.log(bank.saturation_a[place]) - bank.alpha_per_v[place] * drive


def test_memdiodes_solve_their_equation():
    model = memkan()
    design, inputs = memkan_design(model, *SYNAPSE_PARTS), inputs_for(model)
    uses = law_uses(design, settled(design, inputs), inputs)
    banks = {stage.name: stage for stage in design.stages if isinstance(stage, SynapseBank)}
    assert [use.name for use in uses] == [f"{name} synapses" for name in KIND_NAMES]
    for kind, use in enumerate(uses):
        assert use.parts == sum(int(((bank.kind == kind) & (bank.gain != 0)).sum()) for bank in banks.values())
        for each in use.examples:
            bank, place = banks[each.stage], tuple(each.part.values())
            found = brentq(partial(balance, bank, place, kind, each.of["input / V"]), -100, 10)
            assert each.of["current / A"] == pytest.approx(np.exp(found), rel=1e-3)
            assert each.gives + np.log(each.gives) == pytest.approx(each.at, rel=1e-3, abs=1e-3)
    low, band, high = (use.falling for use in uses)
    assert (low, high) == (1.0, 0.0)
    assert 0 < band < 1


def test_band_pass_outputs_fall_where_they_do():
    model = memkan(widths=(1, 4))
    design = memkan_design(model)
    bank = next(stage for stage in design.stages if isinstance(stage, SynapseBank))
    inputs = np.linspace(-1, 1, 41)[:, None]
    use = next(use for use in law_uses(design, settled(design, inputs), inputs) if use.name.startswith("band"))
    rows_v = design.stages[0].ideal_v(design, inputs * design.input_v_per_unit)
    band = (bank.kind == BAND_PASS) & (bank.gain != 0)
    slopes = (loads_v(bank, rows_v + 1e-6) - loads_v(bank, rows_v - 1e-6))[:, band]
    assert use.falling == pytest.approx(np.mean(slopes < 0), abs=1e-9)


def test_filters_pass_what_their_corners_leave():
    model = phykan()
    design, inputs = phykan_design(model, *FILTER_PARTS), inputs_for(model)
    high, low, detector = law_uses(design, settled(design, inputs), inputs)
    banks = {stage.name: stage for stage in design.stages if isinstance(stage, FilterBank)}
    assert [use.kind for use in (high, low, detector)] == ["high-pass", "low-pass", "detector"]
    assert high.parts == low.parts == detector.parts == sum(bank.device_count for bank in banks.values())
    assert (high.falling, low.falling, detector.falling, detector.flat) == (0.0, 1.0, 0.0, 0.0)
    for use, ohm, farad, sign in ((high, "high_ohm", "high_f", 1), (low, "low_ohm", "low_f", -1)):
        for each in use.examples:
            bank, place = banks[each.stage], tuple(each.part.values())
            corner = 1 / (2 * np.pi * getattr(bank, ohm)[place] * getattr(bank, farad)[place])
            assert each.at == pytest.approx(np.log10(each.of["tone / Hz"] / corner), rel=1e-3, abs=1e-4)
            assert each.gives == pytest.approx((1 + (corner / each.of["tone / Hz"]) ** (2 * sign)) ** -0.5, rel=1e-3)
    for each in detector.examples:
        bank, place = banks[each.stage], tuple(each.part.values())
        assert each.at <= bank.sine_v * abs(bank.gain[place])
        assert each.at == each.of["detector / V"]


def test_a_circuit_without_such_stages_has_none():
    design, node_v, _ = moving()
    assert law_uses(replace(design, stages=()), solved({"x": node_v}), node_v) == ()


def test_filters_without_a_gain_work_nowhere():
    model = phykan()
    design, inputs = phykan_design(model, "filters.gain_step=1e6"), inputs_for(model)
    assert not any(np.any(stage.gain) for stage in design.stages if isinstance(stage, FilterBank))
    assert law_uses(design, settled(design, inputs), inputs) == ()
