"""PhyKANs and MemKANs as designs: what is built, what can be imperfect, what cannot, and their files."""

from __future__ import annotations

import numpy as np
import pytest
from circuits import technology
from connections import (
    FILTER_PARTS,
    SYNAPSE_PARTS,
    VARIANTS,
    memkan,
    memkan_design,
    phykan,
    phykan_design,
    surrogate_design,
    surrogate_memkan,
)
from test_design_file import equal

from kanspice.base.errors import InputError
from kanspice.circuit import load_design, save_design
from kanspice.families.memkan.circuit import compile_memkan
from kanspice.families.phykan.arrays import filter_arrays
from kanspice.families.phykan.bandpass import FilterGrid
from kanspice.families.phykan.circuit import compile_phykan
from kanspice.technology import load_technology

LOW_HZ, HIGH_HZ = [6e3, 2e4, 1e5], [5e3, 5e4]


@pytest.mark.parametrize(
    "design",
    [
        phykan_design(phykan()),
        phykan_design(phykan(), *FILTER_PARTS),
        phykan_design(phykan(**VARIANTS["all"])),
        memkan_design(memkan()),
        memkan_design(memkan(), *SYNAPSE_PARTS),
        surrogate_design(surrogate_memkan(), "synapses.current_sigma=0.05"),
    ],
)
def test_designs_of_connections_read_back_as_they_were(design, tmp_path):
    save_design(design, tmp_path / "design.npz")
    equal(load_design(tmp_path / "design.npz"), design)


def test_sums_of_filters_stay_within_the_rails():
    design = phykan_design(phykan((5, 4, 2), filters=4), "tia.rail_v=2.0", "tia.headroom=0.5")
    for bank in design.banks:
        largest = np.abs(bank.gain).sum(axis=(0, 2)).max() * bank.sine_v * bank.sum_gain
        assert largest == pytest.approx(1.0)


def test_normalised_sums_of_filters_stay_within_the_rails():
    model = phykan((5, 4, 2), filters=4, normalised=True)
    for bank in phykan_design(model, "tia.rail_v=2.0", "tia.headroom=0.5").banks:
        added = np.abs(bank.gain).sum(axis=(0, 2)) * bank.sine_v * bank.sum_gain
        assert (np.abs(bank.scale) * added + np.abs(bank.bias_v)).max() == pytest.approx(1.0)


def test_an_array_s_cut_offs_and_steps_are_those_of_the_discrete_network():
    model = phykan()
    snapped = model.discrete(LOW_HZ, HIGH_HZ, 0.05)
    lists = [f"filters.low_cutoffs_hz={LOW_HZ}", f"filters.high_cutoffs_hz={HIGH_HZ}", "filters.gain_step=0.05"]
    built, wanted = phykan_design(model, *lists), phykan_design(snapped)
    for bank, other in zip(built.banks, wanted.banks, strict=True):
        np.testing.assert_allclose(bank.gain, other.gain, atol=1e-15)
        np.testing.assert_allclose(bank.low_ohm, other.low_ohm, rtol=1e-15)
        np.testing.assert_allclose(bank.high_ohm, other.high_ohm, rtol=1e-15)


def test_cut_offs_may_be_in_files_beside_the_technology(tmp_path):
    np.save(tmp_path / "low.npy", np.array(LOW_HZ))
    (tmp_path / "high.csv").write_text("5e3\n5e4\n")
    (tmp_path / "array.toml").write_text('[filters]\nlow_cutoffs_hz = "low.npy"\nhigh_cutoffs_hz = "high.csv"\n')
    found = load_technology(tmp_path / "array.toml").filters
    assert found.low_cutoffs_hz == tuple(LOW_HZ)
    assert found.high_cutoffs_hz == tuple(HIGH_HZ)


@pytest.mark.parametrize("values", [[-1.0, 2.0], [0.0]])
def test_cut_offs_that_are_none(values, tmp_path):
    np.save(tmp_path / "low.npy", np.array(values))
    with pytest.raises(InputError, match="low_cutoffs_hz"):
        load_technology(None, [f"filters.low_cutoffs_hz={tmp_path / 'low.npy'}"])


def test_a_list_of_cut_offs_that_is_not_there_names_its_key(tmp_path):
    (tmp_path / "array.toml").write_text('[filters]\nhigh_cutoffs_hz = "gone.csv"\n')
    with pytest.raises(InputError, match=r"^filters\.high_cutoffs_hz, .*gone\.csv: "):
        load_technology(tmp_path / "array.toml")


def test_cut_offs_are_the_model_s_own_where_it_is_discrete():
    model = phykan(grid=FilterGrid(LOW_HZ, HIGH_HZ, 0.05))
    cutoffs = np.unique(filter_arrays(model)[0].low_hz)
    assert set(cutoffs.tolist()) <= set(LOW_HZ)


@pytest.mark.parametrize(
    ("build", "override"),
    [
        (lambda t: compile_phykan(phykan(), t), "tia.gain=1000"),
        (lambda t: compile_phykan(phykan(), t), "synapses.alpha_sigma=0.1"),
        (lambda t: compile_memkan(memkan(), t), "filters.hold_s=1e-3"),
        (lambda t: compile_memkan(memkan(), t), "references.current_sigma=0.1"),
        (lambda t: compile_memkan(memkan(), t), "units.v_unit_v=0.5"),
    ],
)
def test_what_a_circuit_has_no_part_for_is_refused(build, override):
    with pytest.raises(InputError):
        build(technology(override))


@pytest.mark.parametrize("name", ["typical", "pessimistic"])
def test_general_technologies_fit(name):
    for design in (
        compile_phykan(phykan(), load_technology(name)),
        compile_memkan(memkan(), load_technology(name)),
    ):
        assert design.banks


def test_specimens_differ_by_seed_and_keep_their_signs():
    first, second = (memkan_design(memkan(), *SYNAPSE_PARTS, seed=seed).banks[0] for seed in (1, 2))
    assert not np.array_equal(first.alpha_per_v, second.alpha_per_v)
    np.testing.assert_array_equal(np.sign(first.gain), np.sign(second.gain))
