"""Training: what is drawn is disjoint, what is kept is the best, and what has no answer is counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from circuits import PEAK, inputs_for, network

from kanspice import InputError
from kanspice.base.traced import UntraceableError, is_tracing
from kanspice.circuit.compile import Sizing
from kanspice.experiments.ensemble.variations import seed_of
from kanspice.families import compile_macro_model
from kanspice.nn.module import CircuitModule
from kanspice.nn.training import Noisy, Plain, Samples, Schedule, ThroughCircuit, _Course, train, validated
from kanspice.technology import Technology

TIGHT = Technology.model_validate({"tia": {"gain": 10.0, "rail_v": 0.2}})
GAIN = Technology.model_validate({"tia": {"gain": 10.0}, "devices": {"area_sigma": 0.1}})


@pytest.fixture
def model():
    return network([3, 4, 2], [PEAK], seed=2)


@pytest.fixture
def samples(model):
    inputs = inputs_for(model, 96)
    with torch.no_grad():
        return Samples(inputs, targets=model(torch.from_numpy(inputs)).numpy())


def parts(samples):
    return samples.chosen(np.arange(64)), samples.chosen(np.arange(64, 96))


def test_no_specimen_is_drawn_for_two_purposes():
    schedule = Schedule(seed=3, specimens=50)
    training = {schedule.training_seed(step) for step in range(2000)}
    validation = set(schedule.validation_seeds)
    measured = {seed_of(seed, trial) for seed in range(3) for trial in range(1000)}
    assert (len(training), len(validation)) == (2000, 50)
    assert max(measured) < min(training)
    assert max(training) < min(validation)


def test_through_the_circuit_the_gap_falls_and_the_best_network_is_kept(model, samples):
    schedule, kept, told = Schedule(epochs=6, rate=0.05), [], []
    answers = ThroughCircuit(model, [GAIN], samples.inputs, schedule)
    found = train(answers, *parts(samples), schedule, progress=told.append, keep=kept.append)
    assert found.course.losses[found.course.best] == min(found.course.losses)
    assert found.course.losses[found.course.best] < 0.5 * found.course.losses[0]
    assert found.course.steps == 6
    assert sum(advance.samples for advance in told) == 6
    again = ThroughCircuit(found.network, [GAIN], samples.inputs, schedule)
    fresh = train(again, *parts(samples), replace(schedule, rate=0.0, epochs=1))
    assert fresh.course.losses[0] == found.course.losses[found.course.best]
    for last, best in zip(kept[-1].parameters(), found.network.parameters(), strict=True):
        assert torch.equal(last, best)


def test_the_same_seed_gives_the_same_network(model, samples):
    schedule = Schedule(epochs=2, input_noise=0.01, seed=5)
    state = model.state_dict()
    found = []
    for _ in range(2):
        fresh = network([3, 4, 2], [PEAK], seed=2)
        fresh.load_state_dict(state)
        found.append(train(ThroughCircuit(fresh, [GAIN], samples.inputs, schedule), *parts(samples), schedule))
    assert found[0].course.losses == found[1].course.losses


def test_steps_have_the_sizes_of_all_samples(model):
    """By the few samples that sizes come from, which are looked for anew as the network changes."""
    inputs = inputs_for(model, 600)
    answers = ThroughCircuit(model, [TIGHT], inputs, Schedule())
    answers.at(0, torch.from_numpy(inputs[:4]))
    found, whole = answers._last.design(), CircuitModule(model, TIGHT, inputs).design()
    assert len(answers._last.sizing_inputs) < 200
    assert (
        whole.crossbars[0].feedback_ohm[0]
        < CircuitModule(model, TIGHT, inputs[:20]).design().crossbars[0].feedback_ohm[0]
    )
    for mine, all_of_them in zip(found.crossbars, whole.crossbars, strict=True):
        assert np.array_equal(mine.feedback_ohm, all_of_them.feedback_ohm)
        assert mine.output_v_per_unit == all_of_them.output_v_per_unit
    before = answers._last.sizing_inputs
    with torch.no_grad():
        for each in model.parameters():
            each.neg_()
    answers.at(1, torch.from_numpy(inputs[:4]))
    assert answers._last.sizing_inputs is before
    answers.at(20, torch.from_numpy(inputs[:4]))
    assert not np.array_equal(answers._last.sizing_inputs, before)


def test_sizes_come_from_the_extremes_of_every_stage():
    inputs = np.array([[0.0, 1.0], [5.0, 1.0], [2.0, -3.0], [2.0, 2.0], [1.0, 1.0]])
    stage = np.array([[1.0], [1.0], [1.0], [0.0], [np.nan]])
    assert Sizing(inputs).extreme(1).tolist() == [1, 2]
    assert Sizing(inputs[2:], {"l1": stage[2:]}).extreme(1).tolist() == [0, 1]
    assert Sizing(inputs, {"l1": stage}).extreme(5).tolist() == [0, 1, 2, 3, 4]
    assert Sizing(inputs[:0]).extreme(1).tolist() == []


def test_normalisation_keeps_its_statistics(model, samples):
    before = {name: tensor.clone() for name, tensor in model.state_dict().items() if "running" in name}
    schedule = Schedule(epochs=1)
    train(ThroughCircuit(model, [GAIN], samples.inputs, schedule), *parts(samples), schedule)
    assert before
    assert all(torch.equal(model.state_dict()[name], tensor) for name, tensor in before.items())


def test_noise_is_on_weights_and_named_by_its_step(model, samples):
    answers, inputs = Noisy(model, 0.3, Schedule()), torch.from_numpy(samples.inputs)
    with torch.no_grad():
        assert torch.equal(answers.at(3, inputs), answers.at(3, inputs))
        assert not torch.equal(answers.at(3, inputs), answers.at(4, inputs))
        for name, each in model.named_parameters():
            if each.ndim > 1:
                each.zero_()
                assert name.endswith("coeffs")
        assert torch.equal(answers.at(3, inputs), model(inputs))


def test_a_network_that_is_best_as_it_was_stays(model, samples):
    """Its own outputs are its targets: there is nothing to learn."""
    before = [each.detach().clone() for each in model.parameters()]
    found = train(Plain(model), *parts(samples), Schedule(epochs=2))
    assert (found.course.best, found.course.losses[0]) == (0, 0.0)
    assert all(torch.equal(one, other) for one, other in zip(before, found.network.parameters(), strict=True))


def test_training_ends_with_patience_and_with_the_time(model, samples):
    """With patience in its last fifth only: large steps make a network worse before small ones make it better."""
    patient = train(Plain(model), *parts(samples), Schedule(epochs=20, patience=3))
    assert len(patient.course.losses) == 1 + 15 + 3
    short = train(Plain(model), *parts(samples), Schedule(epochs=100_000, patience=10**6, seconds=0.05))
    assert short.course.steps < 100_000


@pytest.mark.parametrize(
    ("losses", "best"),
    [
        ([(5, 5), (1, 2), (1.5, 1.6)], 2),  # worse by 0.05, of which the standard error is 0.45
        ([(5, 5), (1, 2), (1.5, 2.5)], 1),
        ([(5, 5), (1, 2), (1.5, 1.6), (0.4, 3.0)], 3),
        ([(5, 5), (5, 6), (4, 7)], 0),
        ([(5,), (4,), (4.1,), (3.9,)], 3),
        ([(5,), (4,), (4.1,)], 1),
    ],
)
def test_the_last_within_an_error_of_the_lowest_is_kept(model, samples, losses, best, monkeypatch):
    """Of the difference, specimen by specimen; and what is no better than the network as it was, is not."""
    course = _Course(Plain(model), samples, samples, Schedule(), None)
    for found in losses:
        monkeypatch.setattr(course.answers, "validated", lambda _, found=found: found)
        monkeypatch.setattr(course, "_mean_loss", lambda loss, _: loss)
        course.note()
    assert course.best == best


def test_samples_without_a_result_have_no_part(model, samples):
    class Lossy(Plain):
        def at(self, step, inputs):
            outputs = super().at(step, inputs)
            return torch.where(torch.arange(len(inputs))[:, None] < 8, torch.nan, outputs)

    moved = Samples(samples.inputs, targets=samples.targets + 1.0)
    found = train(Lossy(model), *parts(moved), Schedule(epochs=2))
    assert all(np.isfinite(found.course.losses))
    assert all(torch.isfinite(each).all() for each in found.network.parameters())
    all_lost = Samples(samples.inputs[:8], targets=samples.targets[:8])
    assert train(Lossy(model), moved, all_lost, Schedule(epochs=1)).course.losses[0] == 1.0


def test_a_network_without_trained_numbers(model, samples):
    model.requires_grad_(False)
    with pytest.raises(InputError, match="nothing to train"):
        train(Plain(model), *parts(samples), Schedule())


def test_a_network_that_no_gradient_reaches(model, samples):
    for name, each in model.named_parameters():
        each.requires_grad_("crossbars.0" in name)
        if "crossbars.1" in name:
            with torch.no_grad():
                each.zero_()
    schedule = Schedule(epochs=1)
    with pytest.raises(InputError, match="no gradient"):
        train(ThroughCircuit(model, [GAIN], samples.inputs, schedule), *parts(samples), schedule)


def test_targets_that_do_not_vary(model, samples):
    constant = Samples(samples.inputs, targets=np.ones_like(samples.targets))
    with pytest.raises(InputError, match="same for all"):
        train(Plain(model), *parts(constant), Schedule())


def test_a_circuit_that_no_gradient_is_known_of(model, samples, monkeypatch):
    def untraceable(*arguments):
        if is_tracing():
            raise UntraceableError("a number would lose its gradient here")
        return compile_macro_model(*arguments)

    monkeypatch.setattr("kanspice.nn.module.compile_macro_model", untraceable)
    schedule = Schedule(epochs=1)
    with pytest.raises(InputError, match="no gradient is known by what the network was trained to"):
        train(ThroughCircuit(model, [GAIN], samples.inputs, schedule), *parts(samples), schedule)


def test_what_tells_how_far_it_is_is_the_same_for_a_seed(samples):
    many = Samples(np.arange(900.0).reshape(300, 3), targets=np.zeros((300, 1)))
    some = validated(many, 4)
    assert len(some) == 200
    assert np.array_equal(some.inputs, validated(many, 4).inputs)
    assert validated(samples, 4) is samples
