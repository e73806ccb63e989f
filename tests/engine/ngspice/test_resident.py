"""A circuit that stays loaded in ngspice: the same answers as `solve`, and what it does where there is none."""

from __future__ import annotations

import time

import numpy as np
import pytest
from circuits import PEAK, inputs_for, load_device, network, specimen_of
from fake_ngspice import REAL, write_fake

from kanspice.engine.ngspice import resident as module
from kanspice.engine.ngspice.conversation import Conversation
from kanspice.engine.ngspice.engine import solve
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.engine.options import RunOptions
from kanspice.engine.running import open_session
from kanspice.engine.solution import Outcome

pytestmark = pytest.mark.ngspice

ALONE = RunOptions(check_samples=0)


@pytest.fixture(scope="module")
def circuit():
    """A small network's circuit with real amplifiers, inputs, and what `solve` says of them."""
    model = network([3, 4, 2], [load_device("z21"), PEAK], input_stage="sigmoid")
    inputs = inputs_for(model, 6)
    design = specimen_of(model, inputs, "tia.gain=1000", "tia.offset_sigma_v=1e-3", "converters.input_noise_v=1e-3")
    return design, inputs, solve(design, inputs, "device", ALONE)


def session(design, engine="ngspice", timeout_s=20.0):
    return open_session(engine, design, "device", RunOptions(), sample_timeout_s=timeout_s)


@pytest.mark.parametrize("engine", ["ngspice", "batched"])
def test_it_says_what_solve_says_whatever_came_before(circuit, engine):
    design, inputs, expected = circuit
    numbers = range(len(inputs))
    with session(design, engine) as kept:
        for order in (numbers, [5, 0, 3]):
            found = kept.solve(inputs[list(order)], list(order))
            assert found.failed == expected.failed == ()
            for name, volts in expected.stage_v.items():
                assert found.stage_v[name] == pytest.approx(volts[list(order)], abs=1e-9)
            for name, volts in expected.column_v.items():
                assert found.column_v[name] == pytest.approx(volts[list(order)], abs=1e-9)


def test_a_process_is_replaced_after_many_points(circuit, monkeypatch):
    design, inputs, expected = circuit
    monkeypatch.setattr(module, "_POINTS_OF_ONE", 2)
    with session(design) as kept:
        found = kept.solve(inputs)
    assert found.stage_v["l2.crossbar"] == pytest.approx(expected.stage_v["l2.crossbar"], abs=1e-9)


@pytest.mark.slow
def test_a_process_that_ended_is_started_again(circuit, tmp_path, monkeypatch):
    """Twelve lines: it is told to load, and solves one sample, before it ends in the middle of the next."""
    design, inputs, expected = circuit
    ends = 'if [ "$2" = -p ]; then sed -u 12q | ' + REAL.replace('"$@"\n', '"$@"; exit; fi\n') + REAL
    monkeypatch.setenv("KANSPICE_NGSPICE", str(write_fake(tmp_path, ends)))
    with session(design) as kept:
        found = kept.solve(inputs)
    assert found.failed == ()
    assert found.stage_v["l2.crossbar"] == pytest.approx(expected.stage_v["l2.crossbar"], abs=1e-9)


def test_a_program_that_crashes_is_an_outcome_of_every_sample(circuit, tmp_path, monkeypatch):
    design, inputs, _ = circuit
    monkeypatch.setenv("KANSPICE_NGSPICE", str(write_fake(tmp_path, "kill -SEGV $$\n")))
    with session(design) as kept:
        found = kept.solve(inputs[:2])
    assert [failure.outcome for failure in found.failed] == [Outcome.CRASHED] * 2
    assert np.isnan(found.stage_v["l2.crossbar"]).all()


@pytest.mark.slow
def test_a_program_that_hangs_is_ended_and_the_next_sample_has_another(circuit, tmp_path, monkeypatch):
    design, inputs, _ = circuit
    monkeypatch.setattr(module, "_LOADING_S", 0.1)
    monkeypatch.setenv("KANSPICE_NGSPICE", str(write_fake(tmp_path, "sleep 60\n")))
    started = time.monotonic()
    with session(design, timeout_s=0.1) as kept:
        found = kept.solve(inputs[:2])
    assert [failure.outcome for failure in found.failed] == [Outcome.TIMED_OUT] * 2
    assert time.monotonic() - started < 30


def test_a_sample_in_doubt_is_solved_again_by_itself(circuit, monkeypatch):
    design, inputs, expected = circuit
    followed = []
    monkeypatch.setattr(module.Resident, "_point", lambda self, volts: Outcome.DIVERGED)
    options = {"sample_timeout_s": 20.0, "follow": lambda one: followed.append(one) or {}}
    with open_session("ngspice", design, "device", RunOptions(), **options) as kept:
        if not isinstance(kept.session, module.Resident):
            pytest.skip("this ngspice is not to be talked to without a display")
        found = kept.solve(inputs[2:3], [2])
    assert found.failed == ()
    assert np.array_equal(followed[0], inputs[2:3])
    assert found.stage_v["l2.crossbar"] == pytest.approx(expected.stage_v["l2.crossbar"][2:3], abs=1e-9)


@pytest.mark.slow
def test_a_sample_beyond_the_rail_fails_as_in_solve(circuit):
    model = network([3, 4, 2], [load_device("z21"), PEAK], input_stage="sigmoid")
    inputs = inputs_for(model, 6)
    design = specimen_of(model, inputs[:1] * 0, "tia.gain=1000", "tia.headroom=1.0", "tia.rail_v=0.5")
    expected = solve(design, inputs, "device", ALONE)
    with session(design) as kept:
        found = kept.solve(inputs)
    assert {failure.outcome for failure in found.failed} == {Outcome.BEYOND_RAIL}
    assert [vars(failure) for failure in found.failed] == [vars(failure) for failure in expected.failed]


def test_a_program_that_is_not_to_be_talked_to_is_started_for_every_sample(circuit, tmp_path, monkeypatch):
    """As ngspice 44 with X11 where there is no display."""
    silent = 'if [ "$2" = -p ]; then exit 1; fi\n' + REAL
    monkeypatch.setenv("KANSPICE_NGSPICE", str(write_fake(tmp_path, silent)))
    design, inputs, expected = circuit
    with session(design) as kept:
        found = kept.solve(inputs[:2], [0, 1])
    assert found.stage_v["l2.crossbar"] == pytest.approx(expected.stage_v["l2.crossbar"][:2], abs=1e-9)


@pytest.mark.slow
def test_more_commands_than_a_pipe_holds_are_told_while_its_answers_are_heard(tmp_path):
    said = Conversation(find_ngspice(), tmp_path)
    try:
        lines = said.ask([f"echo {'x' * 100} {number}" for number in range(3000)], 30.0).splitlines()
        if said.has_ended and len(lines) < 10:
            pytest.skip("this ngspice is not to be talked to without a display")
        assert [line.rpartition(" ")[2] for line in lines[-3000:]] == [str(number) for number in range(3000)]
        assert not said.timed_out
    finally:
        said.close()
