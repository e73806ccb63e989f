"""An answer in which currents do not add up is not believed, and a solver that gave it is not asked again."""

from __future__ import annotations

import numpy as np
import pytest
from circuits import LINE, crossbar_design, inputs_for, network, specimen_of

from kanspice.devices import load_device
from kanspice.engine.acceptance import Volts
from kanspice.engine.balance import unbalanced
from kanspice.engine.ngspice import engine, resident
from kanspice.engine.ngspice.program import NgspiceProgram
from kanspice.engine.options import RunOptions
from kanspice.engine.running import open_session, solve
from kanspice.engine.solution import FailedSample, Outcome

FEW = RunOptions(check_samples=0)
WIRES = ("wires.row_ohm=300", "wires.column_ohm=200")


def solved_by(name, *overrides, samples=4):
    model = network([4, 3, 2], [load_device("z15"), load_device("z21")])
    inputs = inputs_for(model, samples)
    design = specimen_of(model, inputs, "tia.gain=300", "devices.shift_sigma_v=0.01", *overrides)
    return design, inputs, solve(name, design, inputs, "device", FEW)


def checked(design, inputs, found):
    volts = Volts(found.stage_v, found.column_v, {}, found.row_a, found.amplifier_a)
    return unbalanced(design, design.inputs_v(inputs), volts, reltol=1e-9, devices_see_columns=True)


@pytest.mark.parametrize("overrides", [(), WIRES])
def test_what_the_batched_engine_finds_is_in_balance(overrides):
    assert checked(*solved_by("batched", *overrides)) == {}


@pytest.mark.parametrize(("overrides", "kind"), [((), "column_v"), ((), "amplifier_a"), (WIRES, "row_a")])
def test_one_wrong_number_of_one_sample_is_seen(overrides, kind):
    design, inputs, found = solved_by("batched", *overrides)
    numbers = getattr(found, kind)["l2.crossbar"]
    numbers[2, 1] += 1e-2 * np.abs(numbers).max()
    (failure,) = checked(design, inputs, found).values()
    assert (failure.index, failure.outcome) == (2, Outcome.UNBALANCED)
    assert "l2.crossbar" in failure.detail


def test_currents_of_next_to_nothing_are_in_balance():
    """ngspice 44 left 5e-23 A over where all inputs and all currents were 0."""
    design, inputs = crossbar_design([LINE], [[[1.0]]]), np.zeros((1, 1))
    found = solve("batched", design, inputs, "device", FEW)
    found.amplifier_a["l1.crossbar"][:] += 1e-22
    assert checked(design, inputs, found) == {}


@pytest.fixture
def klu(monkeypatch):
    """An ngspice that has KLU, whether it has or not, and is wrong about sample 1 while it uses it."""
    decks = []
    sweep_deck = engine.sweep_deck

    def noted(*arguments, klu, **others):
        decks.append(klu)
        return sweep_deck(*arguments, klu=klu, **others)

    monkeypatch.setattr(NgspiceProgram, "has_klu", True)
    monkeypatch.setattr(engine, "sweep_deck", noted)
    return decks


@pytest.mark.ngspice
def test_what_klu_is_wrong_about_is_solved_again_with_sparse(monkeypatch, klu):
    failure = FailedSample(1, Outcome.UNBALANCED, "l1.crossbar: column 0: 1 A are left over")
    monkeypatch.setattr(engine, "unbalanced", lambda *_a, **_k: {1: failure} if klu[-1] else {})
    design, inputs, expected = solved_by("batched")
    found = solve("ngspice", design, inputs, "device", FEW)
    assert klu == [True, False]
    assert found.failed == ()
    assert "1 samples solved again with Sparse" in " ".join(found.notes)
    np.testing.assert_allclose(found.stage_v["l2.crossbar"], expected.stage_v["l2.crossbar"], atol=1e-8)


@pytest.mark.ngspice
def test_what_does_not_converge_with_klu_is_tried_with_sparse(monkeypatch, klu):
    """ngspice 44 and 47 find no operating point of some synapses with KLU, and all of them with Sparse."""
    failure, doubt_in = FailedSample(0, Outcome.DIVERGED, "gmin stepping failed"), engine.doubt_in
    monkeypatch.setattr(engine, "doubt_in", lambda *arguments: failure if klu[-1] else doubt_in(*arguments))
    design, inputs, expected = solved_by("batched", samples=2)
    found = solve("ngspice", design, inputs, "device", FEW)
    assert (found.failed, klu) == ((), [True, True, False, True, False])
    np.testing.assert_allclose(found.stage_v["l2.crossbar"], expected.stage_v["l2.crossbar"], atol=1e-8)


@pytest.mark.ngspice
def test_a_resident_circuit_is_held_against_the_law_too(monkeypatch):
    asked = []
    for module in (resident, engine):  # the latter where an ngspice is started for every sample
        monkeypatch.setattr(module, "unbalanced", lambda *_a, **_k: asked.append(0) or {})
    design, inputs, _ = solved_by("batched", samples=2)
    with open_session("ngspice", design, "device", FEW, sample_timeout_s=20.0) as kept:
        assert kept.solve(inputs).failed == ()
    assert asked


@pytest.mark.ngspice
def test_what_sparse_is_wrong_about_too_has_failed(monkeypatch, klu):
    failure = FailedSample(1, Outcome.UNBALANCED, "l1.crossbar: column 0: 1 A are left over")
    monkeypatch.setattr(engine, "unbalanced", lambda *_a, **_k: {1: failure})
    design, inputs, _ = solved_by("batched")
    found = solve("ngspice", design, inputs, "device", FEW)
    assert [(each.index, each.outcome) for each in found.failed] == [(1, Outcome.UNBALANCED)]
    assert klu == [True, False]
