"""Verify from Python: evidence that fits, limits that mean something, and reference checkpoints."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from circuits import LINE, PEAK, design_of, inputs_for, load_device, network, technology
from fake_ngspice import CUT, write_fake

from kanspice.base.errors import InputError
from kanspice.engine.options import RunOptions
from kanspice.engine.solution import Outcome
from kanspice.experiments.verify.run import Evidence, VerifyOptions, resolve_fidelity, verify
from kanspice.families import load, save
from kanspice.families.common import load_array, load_labels
from kanspice.families.common.following import reference_stages
from kanspice.families.common.network import DivergenceError
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import recipe, topology_from_edges
from kanspice.gap import Gap, Measurements, given, metric_values
from kanspice.gap.metric_table import limitable

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model():
    return network([3, 4, 3], [load_device("z21"), PEAK], input_stage="sigmoid")


@pytest.fixture(scope="module")
def loaded(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.pt"
    save(model, path)
    return load(path)


@pytest.fixture(scope="module")
def evidence(model):
    inputs = inputs_for(model, 10)
    outputs = list(reference_stages(model, inputs).values())[-1]
    return Evidence(inputs, outputs.argmax(axis=1), outputs, "inputs.npy")


# --- evidence ---


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"inputs": np.zeros((0, 3))}, "the inputs have no samples"),
        ({"inputs": np.zeros(3)}, "the inputs have no samples"),
        ({"inputs": np.array([[0.0, np.nan, 1.0]])}, "some inputs are NaN or infinite"),
        ({"inputs": np.array([[0.0, np.inf, 1.0]])}, "some inputs are NaN or infinite"),
        ({"inputs": np.zeros((2, 3)), "labels": np.zeros(3, int)}, "--labels: does not fit the inputs"),
        ({"inputs": np.zeros((2, 3)), "external": np.zeros((1, 3))}, "--reference: does not fit the inputs"),
    ],
)
def test_evidence_that_does_not_fit_together_is_refused(parts, message):
    with pytest.raises(InputError) as refused:
        Evidence(**parts)
    assert message in refused.value.message


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"inputs": np.zeros((2, 4))}, "the inputs do not fit the model"),
        ({"inputs": np.zeros((2, 3)), "labels": np.array([0, 3])}, "a label is not a class"),
        ({"inputs": np.zeros((2, 3)), "labels": np.array([-1, 0])}, "a label is not a class"),
        ({"inputs": np.zeros((2, 3)), "external": np.zeros((2, 2))}, "--reference: does not fit the outputs"),
    ],
)
def test_evidence_that_does_not_fit_the_model_is_refused(loaded, parts, message):
    with pytest.raises(InputError) as refused:
        verify(loaded, technology(), Evidence(**parts))
    assert message in refused.value.message


def test_a_limit_takes_the_first_samples_of_everything(evidence):
    few = evidence.limited(4)
    assert (len(few.inputs), len(few.labels), len(few.external)) == (4, 4, 4)
    np.testing.assert_array_equal(few.inputs, evidence.inputs[:4])
    assert evidence.limited(None) is evidence
    assert len(evidence.limited(1000).inputs) == 10


# --- limits ---


@pytest.mark.parametrize(
    ("metric", "labels", "message"),
    [
        ("relative_rms", True, "did you mean 'relative_rmse'?"),
        ("l1.norm.relative_rmse", True, "unknown metric 'l1.norm.relative_rmse'"),  # fused into the crossbar
        ("accuracy_drop", False, "an accuracy needs labels"),
    ],
)
def test_a_limit_that_means_nothing_is_refused_before_anything_runs(loaded, evidence, metric, labels, message):
    some = Evidence(evidence.inputs, evidence.labels if labels else None)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(InputError) as refused:
        patch.setenv("KANSPICE_NGSPICE", "/nowhere/ngspice")
        verify(loaded, technology(), some, VerifyOptions(limits=[(metric, 1.0)]))
    assert message in refused.value.message


@pytest.mark.ngspice
def test_every_metric_can_be_limited(loaded, evidence):
    names = limitable(
        given(labels=True, targets=False, generates=False), (stage.name for stage in design_of(loaded.model).stages)
    )
    result = verify(loaded, technology(), evidence, VerifyOptions(limits=[(name, 1e-6) for name in names]))
    assert [limit.metric for limit in result.limits] == names
    assert all(limit.passed for limit in result.limits)
    assert (result.passed, result.exit_code) == (True, 0)
    values = {limit.metric: limit.value for limit in result.limits}
    assert values["relative_rmse"] == result.gap.relative_rmse
    assert values["accuracy_drop"] == 0.0


@pytest.mark.ngspice
def test_a_limit_on_what_cannot_be_measured_is_no_success(loaded, evidence):
    """One sample has no standard deviation."""
    result = verify(loaded, technology(), Evidence(evidence.inputs[:1]), VerifyOptions(limits=[("relative_rmse", 1.0)]))
    assert result.gap.relative_rmse is None
    assert (result.passed, result.exit_code) == (False, 3)


@pytest.mark.ngspice
def test_fractions_of_samples_keep_the_limit_that_they_equal(loaded, evidence):
    """1 - 0.7 is more than 0.3 in floating point."""
    labels = evidence.labels.copy()
    labels[:3] = (labels[:3] + 1) % 3
    limits = [("accuracy_drop", 0.0), ("argmax_disagreement", 0.0)]
    result = verify(loaded, technology(), Evidence(evidence.inputs, labels), VerifyOptions(limits=limits))
    assert result.accuracy == {"reference": 0.7, "circuit": 0.7}
    assert [limit.value for limit in result.limits] == [0.0, 0.0]
    values = metric_values(
        Measurements(
            outputs=np.eye(2)[[0] * 48 + [1] * 2],
            reference=np.eye(2)[[0] * 49 + [1]],
            solved=np.ones(50, dtype=bool),
            gap=Gap(0, 0, 0, 0, 0.7),
            numerical=None,
            unstable_fraction=0.5,
            labels=np.zeros(50, dtype=np.int64),
        )
    )
    assert values["argmax_disagreement"] == 0.3
    assert values["unstable_fraction"] == 0.5
    assert values["accuracy_drop"] == 0.02


# --- results ---


def test_auto_takes_the_cheaper_circuit_only_where_it_is_the_same(model):
    ideal, real = design_of(model), design_of(model, None, "tia.gain=1e9")
    assert (resolve_fidelity(ideal, "auto"), resolve_fidelity(real, "auto")) == ("shared", "device")
    assert (resolve_fidelity(ideal, "device"), resolve_fidelity(real, "shared")) == ("device", "shared")


@pytest.mark.ngspice
@pytest.mark.parametrize("input_stage", ["PosHC", "NegHC", "sigmoid", "tanh", "None"])
@pytest.mark.parametrize("norm", ["batch", "layer", "none"])
def test_the_ideal_circuit_has_no_gap_at_any_scale(tmp_path, input_stage, norm):
    """Every input stage and norm, with units far from one volt and one microampere."""
    model = network([3, 3, 2], [load_device("z21"), LINE], input_stage=input_stage, norm=norm, seed=5)
    save(model, tmp_path / "model.pt")
    scale = technology("units.v_unit_v=0.02", "units.i_unit_a=3e-9", "tia.rail_v=0.7")
    for fidelity in ("shared", "device"):
        result = verify(load(tmp_path / "model.pt"), scale, Evidence(inputs_for(model, 6)), VerifyOptions(fidelity))
        assert result.failed == ()
        assert result.gap.relative_rmse is None or result.gap.relative_rmse < 1e-9
        assert result.gap.rmse < 1e-9 * (1 + np.abs(result.reference).max())
        assert all(stage.added.rmse < 1e-9 * (1 + np.abs(result.reference).max()) for stage in result.stages)


@pytest.mark.ngspice
def test_a_finite_gain_has_the_gap_that_bisection_finds(loaded, evidence):
    from circuits import crossbar_output

    result = verify(loaded, technology("tia.gain=300"), evidence)
    design = design_of(loaded.model, evidence.inputs, "tia.gain=300")
    first, second = design.crossbars
    expected = []
    for row in evidence.inputs:
        hidden = crossbar_output(design, first, 1 / (1 + np.exp(-row)))[1]
        output = crossbar_output(design, second, 1 / (1 + np.exp(-hidden / first.output_v_per_unit)))[1]
        expected.append(output / second.output_v_per_unit)
    np.testing.assert_allclose(result.outputs, expected, rtol=0, atol=1e-8 * np.abs(expected).max())
    rmse = np.sqrt(np.mean((np.array(expected) - result.reference) ** 2))
    assert result.gap.rmse == pytest.approx(rmse, rel=1e-6)
    assert result.numerical.rmse < 1e-6 * rmse
    assert result.weakest_stage.name in ("l1.crossbar", "l2.crossbar")
    assert result.external_gap.max_abs == 0.0
    assert result.external_circuit_gap.rmse == pytest.approx(rmse, rel=1e-6)


@pytest.mark.ngspice
def test_a_smaller_gain_has_a_larger_gap(loaded, evidence):
    gaps = [verify(loaded, technology(f"tia.gain={gain}"), evidence).gap.rmse for gain in ("1e6", "1e4", "1e2")]
    assert gaps[0] < gaps[1] < gaps[2]
    assert gaps[1] == pytest.approx(100 * gaps[0], rel=0.05)


@pytest.mark.ngspice
def test_lost_samples_are_counted_against_the_circuit(loaded, evidence, tmp_path, monkeypatch):
    monkeypatch.setenv("KANSPICE_NGSPICE", str(write_fake(tmp_path, CUT)))
    result = verify(loaded, technology(), evidence, VerifyOptions(limits=[("relative_rmse", 1.0)]))
    lost = len(result.failed)
    assert 0 < lost < 10
    assert result.exit_code == 3
    assert not result.passed
    assert result.gap.argmax_agreement == pytest.approx(1 - lost / 10)
    assert result.accuracy == {"reference": 1.0, "circuit": pytest.approx(1 - lost / 10)}
    assert np.isnan(result.outputs[[failure.index for failure in result.failed]]).all()


# --- reference checkpoints, written by the KANalogue authors' program ---

AUTHORS_FORMAT = ["mnist_batchnorm_3basis", "mnist_layernorm_2basis"]


def reference_checkpoint(reference_data, name, limit):
    folder = reference_data / "kanalogue" / name
    loaded = load(folder / "best.pth", folder / "config.json", reference_data / "kanalogue" / "iv")
    evidence = Evidence(
        load_array(folder / "inputs.npy", "the inputs"),
        load_labels(folder / "labels.npy"),
        load_array(folder / "logits.npy", "the logits"),
    )
    return loaded, evidence.limited(limit)


@pytest.mark.ngspice
@pytest.mark.reference_data
@pytest.mark.parametrize("fidelity", ["shared", "device"])
@pytest.mark.parametrize("name", AUTHORS_FORMAT)
def test_the_ideal_circuit_of_an_authors_checkpoint_has_no_gap(reference_data, name, fidelity):
    loaded, evidence = reference_checkpoint(reference_data, name, 2)
    result = verify(loaded, technology(), evidence, VerifyOptions(fidelity))
    assert result.failed == ()
    assert result.gap.relative_rmse <= 1e-9
    assert result.gap.argmax_agreement == 1
    assert result.external_gap.relative_rmse <= 1e-12
    assert result.external_circuit_gap.relative_rmse <= 1e-9
    assert result.numerical.relative_rmse <= 1e-9
    assert all(stage.added.relative_rmse <= 1e-9 for stage in result.stages)


@pytest.mark.ngspice
@pytest.mark.reference_data
def test_a_gain_of_1000_opens_a_gap_in_an_authors_checkpoint_and_names_the_stage(reference_data):
    from kanspice.experiments.verify.document import to_json

    loaded, evidence = reference_checkpoint(reference_data, "mnist_layernorm_2basis", 2)
    result = verify(loaded, technology("tia.gain=1000"), evidence)
    assert result.failed == ()
    assert 1e-3 < result.gap.relative_rmse < 1
    assert result.numerical.relative_rmse < 1e-6 * result.gap.relative_rmse
    added = {stage.name: stage.added.relative_rmse for stage in result.stages}
    assert added["l1.crossbar"] > 1e-4
    assert added["l1.input"] <= 1e-9
    assert added["l1.norm"] <= 1e-9
    assert result.weakest_stage.name in ("l1.crossbar", "l2.crossbar")
    assert f'"name": "{result.weakest_stage.name}"' in to_json(result)


@pytest.mark.ngspice
def test_a_limit_on_samples_leaves_the_circuit_as_it_is(loaded, evidence):
    whole = verify(loaded, technology("tia.gain=300"), evidence)
    part = verify(loaded, technology("tia.gain=300"), evidence.limited(2))
    np.testing.assert_allclose(part.outputs, whole.outputs[:2], rtol=1e-9)


def test_a_limit_on_a_circuit_known_to_be_wrong_is_refused(loaded, evidence):
    options = VerifyOptions("shared", limits=[("rmse", 1.0)])
    with pytest.raises(InputError, match="proves nothing"):
        verify(loaded, technology("tia.gain=300"), evidence, options)


@pytest.mark.ngspice
def test_inputs_in_any_memory_layout_are_taken(loaded, evidence):
    reverse = verify(loaded, technology(), Evidence(evidence.inputs[::-1]))
    np.testing.assert_allclose(reverse.outputs[::-1], verify(loaded, technology(), evidence).outputs, atol=1e-12)


# --- KirchhoffNets ---


@pytest.mark.ngspice
def test_a_kirchhoffnet_is_verified_period_by_period(tmp_path):
    torch.manual_seed(3)
    topology = recipe("_fully_connect", {"num_node": 3}, "x").build()
    model = KirchhoffNet([topology, topology], [0.5, 1.0], branch_function("ShiftTanh2", {}, "x"), readout="first2")
    save(model, tmp_path / "model.pt")
    evidence = Evidence(np.random.default_rng(0).normal(size=(6, 2)))
    result = verify(
        load(tmp_path / "model.pt"), technology(), evidence, VerifyOptions(limits=[("relative_rmse", 1e-3)])
    )
    assert [stage.name for stage in result.stages] == ["l1.period", "l2.period", "readout"]
    assert (result.passed, result.exit_code) == (True, 0)
    assert result.stages[0].gap.rmse == pytest.approx(result.stages[0].added.rmse, rel=1e-3)
    assert result.stages[-1].added.max_abs == 0.0
    assert result.numerical.samples == 6
    assert any("inference takes 1.5 µs" in note for note in result.notes)


@pytest.mark.ngspice
def test_the_circuits_waveforms_stay_near_to_the_odes(tmp_path):
    """Ideal branches add nothing; at the end the waveforms are what is compared as outputs."""
    torch.manual_seed(3)
    topology = recipe("_fully_connect", {"num_node": 4}, "x").build()
    model = KirchhoffNet(
        [topology, topology], [0.5, 1.0], branch_function("ShiftTanh2", {}, "x"), readout="last2", input_width=2
    )
    save(model, tmp_path / "model.pt")
    evidence = Evidence(np.random.default_rng(0).normal(size=(6, 2)))
    options = VerifyOptions(run=RunOptions(waveforms=2, steps=50))
    result = verify(load(tmp_path / "model.pt"), technology("units.v_unit_v=0.2"), evidence, options)
    assert [found.sample for found in result.waveforms] == [0, 1]
    for found in result.waveforms:
        assert found.outputs == (2, 3)
        assert (found.unit_v, found.unit_s) == pytest.approx((0.2, 0.2e-6))
        first, second = found.periods
        start_v = np.append(evidence.inputs[found.sample], 0.0) * 0.2
        for voltages in (first.circuit_v, first.reference_v):
            np.testing.assert_allclose(voltages[0], start_v, rtol=0, atol=1e-15)
        outputs = result.outputs[found.sample]  # extrapolated, where a waveform is one run's
        np.testing.assert_allclose(second.circuit_v[-1, 1:] / 0.2, outputs, rtol=0, atol=2e-5)
        np.testing.assert_allclose(second.reference_v[-1, 1:] / 0.2, result.reference[found.sample], rtol=0, atol=1e-6)
        for part in found.periods:
            apart = np.abs(part.circuit_v - part.reference_v).max() / 0.2
            assert 0 < apart <= 1e-4


@pytest.mark.ngspice
def test_waveforms_are_kept_only_where_they_are_asked_for(loaded, evidence):
    options = VerifyOptions(run=RunOptions(waveforms=2))
    assert verify(loaded, technology(), evidence, options).waveforms == ()


@pytest.mark.ngspice
@pytest.mark.reference_data
@pytest.mark.parametrize("name", ["twomoon", "circle", "potential2"])
def test_the_circuit_of_a_published_kirchhoffnet_follows_it(reference_data, name):
    """The gap of ideal behavioural branches is the integrator's error, which is measured beside it."""
    folder = reference_data / "kirchhoffnet" / name
    loaded = load(folder / "model.pth", folder / "config.yaml")
    outputs = load_array(folder / "outputs.npy", "the outputs")
    evidence = Evidence(load_array(folder / "inputs.npy", "the inputs"), external=outputs)
    result = verify(loaded, technology(), evidence.limited(3))
    assert result.failed == ()
    assert result.gap.relative_rmse <= 1e-3
    assert result.external_gap.relative_rmse <= 1e-5
    assert result.external_circuit_gap.relative_rmse <= 1e-3
    assert result.gap.rmse / 1.3 <= result.numerical.rmse <= 4 * result.gap.rmse


# --- networks that cannot be followed, and samples that do not vary ---


@pytest.fixture
def explosive(tmp_path):
    """dv/dt = relu(2000 v): positive voltages grow beyond all numbers, others stay."""
    model = KirchhoffNet([topology_from_edges([(0, 1)])], [1.0], branch_function("ShiftRelu2", {}, "x"))
    model.layers[0].theta.data = torch.tensor([[0.0], [2000.0], [0.0]], dtype=torch.float64)
    save(model, tmp_path / "model.pt")
    return load(tmp_path / "model.pt")


@pytest.mark.ngspice
def test_a_sample_that_the_network_cannot_follow_is_named_and_the_others_kept(explosive):
    inputs = np.array([[-1.0], [0.5], [-2.0], [-0.25]])
    result = verify(explosive, technology(), Evidence(inputs, external=inputs))
    assert [(f.index, f.outcome.value) for f in result.failed] == [(1, "no reference")]
    assert "layer 1: the node voltages cannot be followed" in result.failed[0].advice
    assert result.exit_code == 3
    assert result.gap.max_abs <= 1e-9
    assert result.external_gap.max_abs <= 1e-9
    assert np.isnan(result.outputs[1]).all()


@pytest.mark.ngspice
def test_a_sample_without_reference_fails_in_every_trial_of_a_cause(explosive):
    """So that trials count the same samples, and a cause is not blamed for what the network cannot follow."""
    inputs = np.array([[-1.0], [0.5], [-2.0]])
    tech = technology("switches.mode='monolithic'", "switches.on_ohm=10.0", "switches.off_ohm=1e6")
    result = verify(explosive, tech, Evidence(inputs), VerifyOptions(attribute=True))
    assert [cause.alone.failed for cause in result.causes[:3]] == [1, 1, 1]
    assert [cause.without.failed for cause in result.causes[:2]] == [1, 1]
    assert result.attribution.samples == 2


def test_a_network_that_can_follow_nothing_is_an_error(explosive):
    with pytest.raises(DivergenceError, match="sample 0, layer 1: the node voltages cannot be followed"):
        verify(explosive, technology(), Evidence(np.array([[1.0], [2.0]])))


@pytest.mark.ngspice
def test_one_sample_is_measured_against_how_the_outputs_from_elsewhere_vary(loaded, evidence):
    alone = verify(loaded, technology(), Evidence(evidence.inputs[:1]))
    assert alone.gap.relative_rmse is None
    result = verify(loaded, technology("tia.gain=100"), evidence.limited(1))
    scale = np.sqrt(np.mean(np.var(evidence.external, axis=0)))
    assert result.gap.relative_rmse == pytest.approx(result.gap.rmse / scale)


@pytest.mark.ngspice
def test_the_causes_of_a_gap_are_measured_on_the_same_samples(tmp_path):
    torch.manual_seed(3)
    edges = topology_from_edges([(1, 2), (2, 1), (0, 1)])
    model = KirchhoffNet([edges, edges], [1.0, 0.5], branch_function("ShiftTanh2", {}, "x"))
    save(model, tmp_path / "model.pt")
    inputs = np.random.default_rng(0).normal(size=(6, 2))
    tech = technology("switches.mode='monolithic'", "switches.on_ohm=3e4", "switches.off_ohm=1e8")
    options = VerifyOptions(attribute=True)
    counted = []
    result = verify(load(tmp_path / "model.pt"), tech, Evidence(inputs), options, counted.append)
    done = sum(advance.samples for advance in counted if advance.side_run is None)
    assert done == pytest.approx(6 * options.solves(tech))
    assert options.solves(tech) == 4  # all, each of two, none
    on, off, none, numerical = result.causes
    assert {on.name, off.name} == {"switches.on_ohm", "switches.off_ohm"}
    assert (result.attribution.engine, result.attribution.trials) == ("ngspice", 4)
    assert sum(cause.share.fraction for cause in (on, off, none)) == pytest.approx(1.0)
    assert numerical.alone.gap.rmse == result.numerical.rmse
    assert numerical.share.fraction == pytest.approx((result.numerical.rmse / result.gap.rmse) ** 2)
    assert on.without == off.alone
    assert none.alone.gap.relative_rmse <= 2 * result.numerical.relative_rmse
    assert result.numerical.relative_rmse <= 0.15 * result.gap.relative_rmse
    assert on.alone.gap.relative_rmse > 10 * none.alone.gap.relative_rmse


@pytest.mark.ngspice
def test_trials_of_an_agreeing_cross_check_are_the_batched_engines(loaded, evidence):
    tech = technology("tia.gain=1000", "devices.area_sigma=0.05", "converters.dac_bits=5")
    some, counted = evidence.limited(6), []
    slow = verify(loaded, tech, some, VerifyOptions(attribute=True))
    options = VerifyOptions(attribute=True, cross_check=3)
    quick = verify(loaded, tech, some, options, counted.append)
    done = sum(advance.samples for advance in counted if advance.side_run is None)
    assert done == pytest.approx(6 * options.solves(tech)) == 6 * 9
    assert (slow.attribution.engine, quick.attribution.engine) == ("ngspice", "batched")
    assert [cause.name for cause in quick.causes] == [cause.name for cause in slow.causes]
    for one, other in zip(quick.causes[:3], slow.causes[:3], strict=True):
        assert one.share.fraction == pytest.approx(other.share.fraction, abs=1e-6)
        assert one.alone.gap.rmse == pytest.approx(other.alone.gap.rmse, rel=1e-6)


def test_shares_are_of_the_samples_that_no_trial_failed(loaded, evidence):
    """Feedback resistors that came out too large drive one sample's amplifiers beyond their rails."""
    tech = technology("tia.feedback_sigma=0.2", "tia.gain=30", "tia.headroom=1.0", "tia.rail_v=0.3")
    result = verify(loaded, tech, evidence, VerifyOptions(attribute=True, engine="batched"))
    feedback = next(cause for cause in result.causes if cause.name == "tia.feedback_sigma")
    assert (len(result.failed), feedback.alone.failed, feedback.without.failed) == (1, 1, 0)
    assert result.attribution.samples == 9
    assert sum(cause.share.fraction for cause in result.causes[:3]) == pytest.approx(1.0)


@pytest.mark.ngspice
def test_a_regressions_loss_is_that_of_network_and_circuit(loaded, evidence):
    targets = evidence.external + 0.5
    result = verify(loaded, technology(), Evidence(evidence.inputs, targets=targets).limited(6))
    assert result.loss == pytest.approx({"reference": 0.25, "circuit": 0.25})
    assert verify(loaded, technology(), evidence.limited(1)).loss is None
    with pytest.raises(InputError, match="--targets: does not fit the outputs"):
        verify(loaded, technology(), Evidence(evidence.inputs, targets=targets[:, :1]))


SLOW = ("tia.gain=1e4", "tia.gbw_hz=1e4", "wires.column_f=1e-15")


@pytest.mark.parametrize("engine", ["batched", pytest.param("ngspice", marks=pytest.mark.ngspice)])
def test_operating_points_on_paper_only_are_samples_without_a_result(loaded, evidence, engine):
    """Without feedback capacitors; those that are chosen hold every sample, and move none."""
    limits = [("unstable_fraction", 0.0)]
    options = VerifyOptions(engine=engine, limits=limits)
    bare, held, fast = (
        verify(loaded, technology(*overrides), evidence, options)
        for overrides in ((*SLOW, "tia.feedback_f=0"), SLOW, SLOW[:1])
    )
    assert {failure.outcome for failure in bare.failed} == {Outcome.UNSTABLE}
    assert all("would hold it" in failure.detail for failure in bare.failed)
    assert 0 < bare.unstable_fraction == len(bare.failed) / bare.samples == bare.limits[0].value
    assert (bare.exit_code, bare.passed) == (3, False)
    lost = [failure.index for failure in bare.failed]
    assert np.isnan(bare.outputs[lost]).all()
    assert np.isfinite(np.delete(bare.outputs, lost, axis=0)).all()
    assert (held.failed, held.exit_code, held.unstable_fraction) == ((), 0, 0.0)
    np.testing.assert_allclose(held.outputs, fast.outputs, atol=1e-9)
    assert all(swing.feedback_f > 0 for swing in held.design.swing)
    assert any("feedback capacitors hold" in note for note in held.notes)
