"""Banks of connections in ngspice: filters against closed forms, synapses against their implicit equations."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from circuits import technology
from connections import (
    FILTER_PARTS,
    SYNAPSE_PARTS,
    VARIANTS,
    inputs_for,
    memkan,
    memkan_design,
    phykan,
    phykan_design,
    surrogate_design,
    surrogate_memkan,
)

from kanspice.base.errors import InputError
from kanspice.circuit import Design, FilterBank, Limiter, SynapseBank
from kanspice.circuit.stages.synapse_bank import BAND_PASS, HIGH_PASS, LOW_PASS
from kanspice.engine import batched
from kanspice.engine.netlist import build_netlist, place_of
from kanspice.engine.ngspice import engine as ngspice
from kanspice.engine.options import RunOptions
from kanspice.families.common.following import reference_stages
from kanspice.families.memkan.memdiode import SynapseConstants, answers
from kanspice.families.phykan.bandpass import EARLIER_CONSTANTS
from kanspice.gap import measure, physical_cost

ONCE = RunOptions(check_samples=0)


def bank_design(bank, v_per_unit=1.0) -> Design:
    """A bank behind plain buffers."""
    rows = bank.rows
    buffers = Limiter("l1.input", "l1.input", rows, "none", -np.inf, np.inf, 1.0, v_per_unit, np.zeros(rows))
    return Design("memkan", technology().to_json(), (), rows, v_per_unit, "none", (buffers, bank))


def outputs(solution, design):
    assert not solution.failed, solution.failed
    return solution.stage_v[design.stages[-1].name] / design.stages[-1].output_v_per_unit


def difference(design, x, fidelity):
    """Largest difference of the engines' outputs, of the outputs' standard deviation."""
    ours = outputs(batched.solve(design, x, fidelity), design)
    theirs = outputs(ngspice.solve(design, x, fidelity, ONCE), design)
    return np.abs(theirs - ours).max() / ours.std()


def random_synapses(kind, count, seed=0) -> SynapseBank:
    """One row, and a column for each of `count` synapses of the published ranges."""
    rng = np.random.default_rng(seed)

    def drawn(low, high):
        return np.exp(rng.uniform(np.log(low), np.log(high), (1, count, 1)))

    return SynapseBank(
        name="l1.synapses",
        compares_to="l1.synapses",
        kind=np.full((1, count, 1), kind),
        gain=np.ones((1, count, 1)),
        load_ohm=drawn(100.0, 2000.0),
        input_ohm=drawn(3.75, 300.0),
        series_ohm=drawn(0.5, 10.0),
        alpha_per_v=drawn(10.0, 30.0),
        saturation_a=drawn(5e-7, 5e-6),
        input_bias_v=np.zeros((1, count, 1)),
        bias_v=np.zeros(count),
        reference_v=0.5,
        output_v_per_unit=1.0,
    )


def unbalanced(bank, volts, loads_v):
    """How far loads (samples, columns) are from the synapses' equations at volts (samples,), of the largest current."""
    parts = (bank.load_ohm, bank.input_ohm, bank.series_ohm, bank.alpha_per_v, bank.saturation_a)
    load, series_in, series, alpha, saturation = (part[0, :, 0] for part in parts)
    v, kind = volts[:, None], bank.kind[0, 0, 0]
    current = (v - loads_v) / series_in - loads_v / load if kind == BAND_PASS else loads_v / load
    drives = {LOW_PASS: bank.reference_v - v - loads_v, HIGH_PASS: v - loads_v, BAND_PASS: loads_v + v}
    carried = saturation * np.exp(alpha * (drives[kind] - current * series))
    return np.abs(carried - current).max() / np.abs(loads_v / load).max()


@pytest.mark.ngspice
@pytest.mark.parametrize("kind", [LOW_PASS, BAND_PASS, HIGH_PASS])
def test_transfer_curves_of_synapses_solve_their_implicit_equations(kind):
    """100 random parameter sets of each kind, over the whole range of voltages, to 1e-9."""
    bank = random_synapses(kind, 100)
    design, volts = bank_design(bank), np.linspace(0.0, 0.5, 21)
    ours = batched.solve(design, volts[:, None], "device").stage_v["l1.synapses"]
    theirs = ngspice.solve(design, volts[:, None], "device", ONCE).stage_v["l1.synapses"]
    assert np.abs(theirs - ours).max() <= 1e-9 * np.abs(ours).max()
    assert unbalanced(bank, volts, ours) < 1e-11


@pytest.mark.ngspice
@pytest.mark.parametrize("fidelity", ["behavioural", "filter"])
def test_filters_agree_with_the_reference(fidelity):
    model = phykan()
    design, x = phykan_design(model), inputs_for(model)
    solution = ngspice.solve(design, x, fidelity)
    expected = reference_stages(model, x)
    for stage in design.stages:
        found = solution.stage_v[stage.name] / stage.output_v_per_unit
        np.testing.assert_allclose(found, expected[stage.compares_to], atol=2e-9)
    assert solution.numerical_error.max_abs_v < 1e-8


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("fidelity", ["behavioural", "filter"])
def test_filters_of_every_kind_of_network_agree_with_the_reference(variant, fidelity):
    """Inputs that are not squashed, sums that are normalised, values that are limited before they are squashed."""
    model = phykan(**VARIANTS[variant])
    design, x = phykan_design(model), inputs_for(model, 8)
    expected = reference_stages(model, x)
    for solution in (ngspice.solve(design, x, fidelity, ONCE), batched.solve(design, x, fidelity)):
        for stage in design.stages:
            found = solution.stage_v[stage.name] / stage.output_v_per_unit
            np.testing.assert_allclose(found, expected[stage.compares_to], atol=5e-9)


@pytest.mark.ngspice
def test_several_layers_of_large_gains_are_solved():
    """As the published networks of the earlier class: iterations pass by tones without bound, which overflowed."""
    model = phykan((4, 5, 5, 5, 1), filters=6, seed=2, constants=EARLIER_CONSTANTS)
    design, x = phykan_design(model), inputs_for(model, 5)
    found = outputs(ngspice.solve(design, x, "behavioural", ONCE), design)
    np.testing.assert_allclose(found, reference_stages(model, x)["l4.filters"], atol=1e-8)


@pytest.mark.ngspice
def test_unsquashed_inputs_of_any_size_have_the_same_answer_everywhere():
    model = phykan(input_sigmoid=False, constants=EARLIER_CONSTANTS)
    design, x = phykan_design(model), np.array([[0.2, 0.7], [1e4, 0.5], [-1e4, 0.5], [0.1, -3.0]])
    expected = reference_stages(model, x)["l2.filters"]
    for solution in (ngspice.solve(design, x, "behavioural", ONCE), batched.solve(design, x, "behavioural")):
        np.testing.assert_allclose(outputs(solution, design), expected, atol=5e-9)


@pytest.mark.slow
@pytest.mark.ngspice
def test_normalised_sums_over_time():
    model = phykan((1, 2, 1), filters=1, **VARIANTS["all"])
    for layer in model.band_layers():
        layer.threshold.data.zero_()
    design, x = phykan_design(model), np.array([[0.3], [0.9]])
    found = outputs(ngspice.solve(design, x, "transient", ONCE), design)
    assert np.abs(found - outputs(batched.solve(design, x, "behavioural"), design)).max() < 2e-3


def test_unsquashed_inputs_beyond_the_tones_cannot_be_followed_over_time():
    model = phykan((2, 2, 1), filters=1, input_sigmoid=False)
    x = model.layers[0].threshold.detach().numpy() + np.array([[0.5, 0.5], [0.5, 1.25]])
    with pytest.raises(InputError, match="sample 1, input 1") as raised:
        ngspice.solve(phykan_design(model), x, "transient", ONCE)
    assert raised.value.found == "1.25"


@pytest.mark.ngspice
@pytest.mark.parametrize("fidelity", ["behavioural", "filter"])
def test_imperfect_filters_are_the_same_in_both_engines(fidelity):
    """The RC networks with real amplifiers, analysed at their frequencies, obey the law that the solver evaluates."""
    model = phykan()
    assert difference(phykan_design(model, *FILTER_PARTS), inputs_for(model), fidelity) < 1e-8


@pytest.mark.ngspice
def test_imperfect_synapses_are_the_same_in_both_engines():
    model = memkan()
    assert difference(memkan_design(model, *SYNAPSE_PARTS), inputs_for(model), "device") < 1e-8


def exact_outputs(model, x):
    """What the synapses that a surrogate stands for make of inputs, by their equations: (samples, outputs)."""
    values = torch.from_numpy(x)
    with torch.no_grad():
        for layer, synapses in zip(model.surrogate_layers(), model.synapses(), strict=True):
            volts = model.constants.squash(values)[:, :, None, None] + layer.bias
            loads = answers(volts, ["BP"] * model.units, synapses, SynapseConstants())[0]
            values = (loads * layer.gain).sum(dim=(1, 3))
    return values.numpy()


@pytest.mark.ngspice
def test_the_circuit_of_a_surrogate_is_the_synapses_that_it_stands_for():
    model = surrogate_memkan()
    design, x = surrogate_design(model), inputs_for(model)
    exact = exact_outputs(model, x)
    np.testing.assert_allclose(outputs(batched.solve(design, x, "device"), design), exact, rtol=0, atol=1e-13)
    np.testing.assert_allclose(outputs(ngspice.solve(design, x, "device", ONCE), design), exact, rtol=0, atol=1e-9)


@pytest.mark.ngspice
@pytest.mark.parametrize("kind", [LOW_PASS, BAND_PASS, HIGH_PASS])
def test_synapses_with_a_bias_at_their_input_are_the_same_in_both_engines(kind):
    bank = random_synapses(kind, 20)
    shifts_v = np.linspace(-0.2, 0.2, 20)[None, :, None]
    volts = np.linspace(0.0, 0.5, 7)
    design = bank_design(dataclasses.replace(bank, input_bias_v=shifts_v))
    ours = batched.solve(design, volts[:, None], "device").stage_v["l1.synapses"]
    theirs = ngspice.solve(design, volts[:, None], "device", ONCE).stage_v["l1.synapses"]
    assert np.abs(theirs - ours).max() <= 1e-9 * np.abs(ours).max()
    for column, shift_v in enumerate(shifts_v[0, :, 0]):
        moved = batched.solve(bank_design(bank), volts[:, None] + shift_v, "device").stage_v["l1.synapses"]
        np.testing.assert_allclose(ours[:, column], moved[:, column], rtol=1e-12)


def test_what_a_surrogate_s_stages_add_is_the_surrogate_s_error():
    model = surrogate_memkan()
    design, x = surrogate_design(model), inputs_for(model)
    solution, reference = batched.solve(design, x, "device"), reference_stages(model, x)
    first, second = (
        stage for stage in measure(design, solution, x, reference, laws=model.stage_laws) if "synapses" in stage.name
    )
    assert first.added.rmse == pytest.approx(first.gap.rmse)
    assert first.added.rmse > 0.1
    with torch.no_grad():
        squashed = torch.from_numpy(solution.stage_v["l2.input"])
        expected = model.layers[1](squashed, model.surrogate, model.constants).numpy()
    difference = solution.stage_v["l2.synapses"] - expected
    assert second.added.rmse == pytest.approx(np.sqrt(np.mean(difference**2)))


@pytest.mark.slow
@pytest.mark.ngspice
def test_filters_over_time_come_to_their_amplitudes():
    """Oscillators, filters and detectors: what they show when the slot is over is the law's answer to a few 1e-4."""
    model = phykan((1, 2, 1), filters=1)
    design, x = phykan_design(model), inputs_for(model, 2)
    solution = ngspice.solve(design, x, "transient", RunOptions(check_samples=1))
    expected = outputs(batched.solve(design, x, "behavioural"), design)
    assert np.abs(outputs(solution, design) - expected).max() < 1e-3
    assert 0 < solution.numerical_error.max_abs_v < 1e-3
    assert "inference takes" in solution.notes[0]
    assert physical_cost(design, solution, technology()).latency_s == pytest.approx(design.inference_s)


@pytest.mark.ngspice
def test_a_slot_that_is_too_short_shows():
    model = phykan((1, 2, 1), filters=1)
    x = inputs_for(model, 1)
    design = phykan_design(model, "filters.slot_s=5e-5")
    short = outputs(ngspice.solve(design, x, "transient", ONCE), design)
    assert np.abs(short - outputs(batched.solve(design, x, "behavioural"), design)).max() > 5e-3


@pytest.mark.ngspice
@pytest.mark.parametrize("masked", [0, 1])
def test_layers_without_any_filter_are_the_same_in_both_engines(masked):
    model = phykan()
    model.band_layers()[masked].mask.zero_()
    design, x = phykan_design(model), inputs_for(model, 2)
    ours = batched.solve(design, x, "filter").stage_v["l2.filters"]
    theirs = ngspice.solve(design, x, "filter", RunOptions(check_samples=1))
    assert not theirs.failed
    np.testing.assert_allclose(theirs.stage_v["l2.filters"], ours, rtol=0, atol=1e-12)


def test_what_filters_do_not_see_does_not_change_them():
    """A detector that forgets slowly shows less of slow tones; amplifiers that are slow, less of fast ones."""
    model = phykan((1, 2), filters=1)
    x = np.array([[-3.0], [3.0]])
    ideal = batched.solve(phykan_design(model), x, "behavioural").stage_v["l1.filters"][:, 0]

    def ratio(override):
        return batched.solve(phykan_design(model, override), x, "behavioural").stage_v["l1.filters"][:, 0] / ideal

    slow, fast = ratio("filters.hold_s=1e-3")
    assert slow < fast < 1
    slow, fast = ratio("filters.amplifier_hz=1e6")
    assert fast < slow < 1


def test_read_noise_is_drawn_per_sample_whatever_is_solved_with_it():
    model = memkan()
    design, x = memkan_design(model, "synapses.read_noise_v=0.01"), np.zeros((4, 2))
    together = batched.solve(design, x, "device").stage_v["l2.synapses"]
    alone = batched.solve(design, x[2:3], "device", numbers=[2]).stage_v["l2.synapses"]
    np.testing.assert_array_equal(together[2:3], alone)
    assert np.ptp(together[:, 0]) > 0


@pytest.mark.parametrize(
    ("design", "fidelity", "expected"),
    [
        (phykan_design(phykan()), "device", "behavioural or filter or transient"),
        (memkan_design(memkan()), "filter", "device"),
        (memkan_design(memkan()), "shared", "device"),
    ],
)
def test_a_fidelity_that_a_circuit_does_not_have(design, fidelity, expected):
    inputs = np.zeros((1, design.input_width))
    for tried in (build_netlist, lambda *known: batched.solve(known[0], inputs, known[1])):
        with pytest.raises(InputError) as raised:
            tried(design, fidelity)
        assert raised.value.expected == expected


def test_the_batched_engine_has_no_transient_of_filters():
    with pytest.raises(InputError, match="over time"):
        batched.solve(phykan_design(phykan()), np.zeros((1, 2)), "transient")


@pytest.mark.parametrize(
    ("message", "place"),
    [
        ("singular matrix: check node xl2_k5_0_1.out", "layer 2, input 5, output 0, connection 1"),
        ("check node l1_a0_3_2", "layer 1, input 0, output 3, connection 2"),
        ("check node l2_s4", "layer 2, output 4"),
        ("check node l1_o2", "layer 1, input 2"),
    ],
)
def test_messages_lead_to_connections(message, place):
    assert place_of(message) == place


@pytest.mark.parametrize("bank", ["filters", "synapses"])
def test_a_connection_without_gain_is_not_built(bank):
    design = phykan_design(phykan()) if bank == "filters" else memkan_design(memkan())
    stage = design.banks[0]
    empty = dataclasses.replace(stage, gain=np.zeros_like(stage.gain))
    text = build_netlist(dataclasses.replace(design, stages=(design.stages[0], empty)), _first(stage)).text(
        "devices.lib"
    )
    assert "k0_0_0" not in text
    assert empty.device_count == 0


def _first(bank):
    return "behavioural" if isinstance(bank, FilterBank) else "device"


@pytest.mark.ngspice
def test_the_numerical_error_of_synapses_is_measured():
    """Tolerances that rounding of steep exponentials does not reach would leave it unknown."""
    model = memkan((2, 8, 2), seed=3)
    solution = ngspice.solve(memkan_design(model), inputs_for(model, 40), "device", RunOptions(check_samples=20))
    assert len(solution.numerical_error.samples) == 20
    assert solution.numerical_error.max_abs_v < 1e-8
