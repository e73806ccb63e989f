"""Engine `auto`: VACASK where it is installed and solves the circuit, else ngspice, and never both sides of a check."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import ModuleType

import pytest
from circuits import PEAK, inputs_for, network, specimen_of

from kanspice.base.errors import InputError, SimulatorError
from kanspice.engine.engines import engine_named
from kanspice.engine.names import HOMES
from kanspice.engine.options import RunOptions
from kanspice.engine.running import judge_of, open_session, solve


def missing():
    raise SimulatorError("it is not installed")


def refuse(_design):
    raise InputError("it does not solve this")


@pytest.fixture
def simulators(monkeypatch):
    """Both simulators, played by the batched engine: a call replaces something of VACASK's record."""

    def play(name, **changed):
        batched = engine_named("batched")

        def solved(*arguments, **named):
            return replace(batched.solve(*arguments, **named), engine=name)

        home = ModuleType(f"{name}_player")
        home.ENGINE = replace(batched, **({"name": name, "solve": solved} | changed))
        monkeypatch.setitem(sys.modules, home.__name__, home)
        monkeypatch.setitem(HOMES, name, home.__name__)

    play("ngspice")
    play("vacask")
    return lambda **changed: play("vacask", **changed)


def solved_by(fidelity="device"):
    model = network([2, 2], [PEAK])
    inputs = inputs_for(model, 2)
    return solve("auto", specimen_of(model, inputs), inputs, fidelity, RunOptions()).engine


def test_it_is_vacask_where_that_solves_the_circuit(simulators):
    assert solved_by() == "vacask"


@pytest.mark.parametrize(
    "changed", [{"find": missing}, {"check_design": refuse}, {"fidelities": frozenset({"merged"})}]
)
def test_it_is_ngspice_elsewhere(simulators, changed):
    simulators(**changed)
    assert solved_by() == "ngspice"


def test_one_of_both_has_to_be_installed(simulators, monkeypatch):
    simulators(find=missing)
    engine_named("auto").find()
    monkeypatch.setenv("KANSPICE_NGSPICE", "/nowhere/ngspice")
    monkeypatch.setitem(HOMES, "ngspice", "kanspice.engine.ngspice.record")
    with pytest.raises(SimulatorError):
        engine_named("auto").find()


def test_its_sessions_are_that_simulator_s(simulators):
    model = network([2, 2], [PEAK])
    inputs = inputs_for(model, 2)
    design = specimen_of(model, inputs)
    with open_session("auto", design, "device", RunOptions(), sample_timeout_s=9.0) as session:
        assert session.solve(inputs).failed == ()


@pytest.mark.parametrize(("engine", "judge"), [("auto", "ngspice"), ("ngspice", "auto"), ("vacask", "auto")])
def test_it_does_not_check_what_it_may_be(engine, judge):
    with pytest.raises(InputError, match="may be the other engine itself"):
        judge_of(engine, judge)


def test_it_checks_the_batched_engine_and_is_checked_by_it():
    assert judge_of("batched", "auto") == "auto"
    assert judge_of("auto") == "batched"
