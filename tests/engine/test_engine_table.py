"""An engine is a record: a third one, which nobody but its record knows, solves, checks and is checked."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from circuits import PEAK, inputs_for, network

from kanspice.base.errors import InputError, SimulatorError
from kanspice.engine.engines import engine_named
from kanspice.engine.names import HOMES
from kanspice.engine.running import judge_of
from kanspice.experiments.evidence import Evidence
from kanspice.experiments.verify.run import VerifyOptions, verify
from kanspice.families import load, save
from kanspice.technology import load_technology


@pytest.fixture
def third(monkeypatch):
    """An engine of another name, that is off by a part of what the batched one finds."""
    off = {"by": 0.0}

    def solve(design, *arguments, **options):
        found = batched.solve(design, *arguments, **options)
        stages = {name: volts * (1 + off["by"]) for name, volts in found.stage_v.items()}
        return replace(found, engine="third", stage_v=stages)

    batched = engine_named("batched")
    home = ModuleType("third_engine")
    home.ENGINE = replace(batched, name="third", solve=solve, checked_by="batched")
    monkeypatch.setitem(sys.modules, "third_engine", home)
    monkeypatch.setitem(HOMES, "third", "third_engine")
    return off


@pytest.fixture
def loaded(tmp_path):
    save(network([2, 3, 2], [PEAK]), tmp_path / "model.pt")
    return load(tmp_path / "model.pt")


def measured(loaded, **options):
    technology = load_technology(None, ["tia.gain=1000.0", "tia.rail_v=50.0"])
    return verify(loaded, technology, Evidence(inputs_for(loaded.model, 5)), VerifyOptions(**options))


def test_it_solves_and_is_checked_by_the_engine_that_its_record_names(third, loaded):
    result = measured(loaded, engine="third", cross_check=3)
    assert (result.engine.name, result.cross_check.engine) == ("third", "batched")
    assert result.cross_check.passed


def test_it_checks_where_it_is_asked_to_and_is_believed(third, loaded):
    checked = measured(loaded, engine="batched", cross_check=3, judge="third").cross_check
    assert (checked.engine, checked.passed) == ("third", True)
    third["by"] = 1e-3
    assert not measured(loaded, engine="batched", cross_check=3, judge="third").cross_check.passed


def test_it_makes_the_trials_of_an_engine_that_solves_one_by_one_if_both_agree(third, loaded, monkeypatch):
    one_by_one = replace(engine_named("third"), solves_together=False, name="slow", checked_by="batched")
    home = ModuleType("slow_engine")
    home.ENGINE = one_by_one
    monkeypatch.setitem(sys.modules, "slow_engine", home)
    monkeypatch.setitem(HOMES, "slow", "slow_engine")
    assert measured(loaded, engine="slow", cross_check=2, attribute=True).attribution.engine == "batched"
    third["by"] = 1e-3
    assert measured(loaded, engine="slow", cross_check=2, attribute=True).attribution.engine == "slow"


def test_names_that_there_are_not_are_refused(loaded):
    with pytest.raises(InputError, match="unknown engine 'bathced'"):
        measured(loaded, engine="bathced")
    with pytest.raises(InputError, match="cannot check itself"):
        judge_of("ngspice", "ngspice")


def test_a_solution_s_figures_are_the_batched_engine_s_own(third, loaded):
    np.testing.assert_array_equal(measured(loaded, engine="third").outputs, measured(loaded, engine="batched").outputs)


def test_every_engine_says_where_it_is_not_installed(monkeypatch):
    monkeypatch.setenv("KANSPICE_NGSPICE", "/nowhere/ngspice")
    engine_named("batched").find()
    with pytest.raises(SimulatorError):
        engine_named("ngspice").find()
