"""Offsets of amplifiers whose transistors differ as the foundry says, and those that a macro-model draws."""

import numpy as np
import pytest
from circuits import inputs_for, network
from scipy.stats import ks_2samp, kstest

from kanspice.base.draws import Draw
from kanspice.circuit import Drivers
from kanspice.devices import load_device
from kanspice.experiments.api.characterise import characterise
from kanspice.families.compiling import compile_macro_model, sizing_of
from kanspice.families.loading import loaded_from
from kanspice.subcircuits.amplifier import own_netlist
from kanspice.technology import load_technology

pytestmark = [pytest.mark.ngspice, pytest.mark.pdk, pytest.mark.slow]
OPAMP = own_netlist("gf180", "opamp")


@pytest.fixture(scope="module")
def drawn():
    return characterise(OPAMP, process="gf180", draws=200, seed=1).figures_found


def test_both_are_of_one_distribution(drawn):
    """200 amplifiers of transistors against 1,000 that the macro-model draws from their sigma."""
    transistors = np.array(drawn.offset_draws_v)
    settings = [f"tia.offset_sigma_v={drawn.offset_sigma_v:.6g}", f"tia.offset_v={drawn.offset_v:.6g}"]
    model = network([1000, 1], [load_device("z21")])
    samples = inputs_for(model, 2)
    design = compile_macro_model(
        loaded_from(model), load_technology("gf180", settings), sizing_of(model, samples), Draw(5)
    )
    (drivers,) = (stage for stage in design.stages if isinstance(stage, Drivers))
    assert len(transistors) == 200
    assert len(drivers.offset_v) == 1000
    assert ks_2samp(transistors, drivers.offset_v).pvalue > 0.05
    assert kstest((transistors - drawn.offset_v) / drawn.offset_sigma_v, "norm").pvalue > 0.05


def test_the_same_seed_draws_the_same_to_the_last_bit():
    one, again, other = (
        characterise(OPAMP, process="gf180", draws=5, seed=seed).figures_found.offset_draws_v for seed in (1, 1, 2)
    )
    assert again == one
    assert set(other).isdisjoint(one)
