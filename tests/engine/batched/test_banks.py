"""Currents of whole banks: against the branches one by one, and against schematics worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from periods import period
from schematics import EDGES, SCHEMATIC, SCHEMATICS, VOLTS, parameters

from kanspice.circuit import Schematic
from kanspice.circuit.branch_laws import LAWS, SCHEMATIC_LAWS
from kanspice.engine.batched.branch_banks import CompiledBank, DenseBank, PairBank, PiecewiseBank, bank_of

IDEAL = Schematic(1e-9, math.inf, 1e15, 1.0, math.inf)


def into_nodes(function, theta, edges=EDGES):
    """(samples, nodes) of branch currents function(source, destination, theta)."""
    volts, into = np.pad(VOLTS, ((0, 0), (1, 0))), np.zeros((len(VOLTS), 3))
    for edge, (source, destination) in enumerate(edges):
        current = function(volts[:, source], volts[:, destination], theta[:, edge])
        into[:, destination] += current
        into[:, source] -= current
    return into[:, 1:]


def every_way(bank):
    """The bank, in every kind that its branches can have."""
    piecewise = [PiecewiseBank(bank.branches)] if bank.branches.is_piecewise else []
    compiled = [CompiledBank(bank.branches)] if bank.branches.shape != "activation" else []
    return [PairBank(bank.branches), DenseBank(bank.branches), *compiled, *piecewise]


@pytest.mark.parametrize("law", LAWS)
def test_a_bank_carries_what_its_branches_carry(law):
    theta = parameters(law)
    expected = into_nodes(lambda s, d, p: LAWS[law].currents(s, d, p[:, None])[..., :], theta)
    for bank in every_way(bank_of(period(law, EDGES, theta, v_unit=0.3))):
        np.testing.assert_allclose(bank.into_nodes(VOLTS), expected, rtol=0, atol=1e-13 * np.abs(expected).max())


@pytest.mark.parametrize("law", SCHEMATIC_LAWS)
def test_a_schematic_carries_what_its_parts_let_it(law):
    theta = parameters(law)
    expected = into_nodes(SCHEMATICS[law], theta)
    for bank in every_way(bank_of(period(law, EDGES, theta), SCHEMATIC)):
        np.testing.assert_allclose(bank.into_nodes(VOLTS), expected, rtol=0, atol=1e-13 * np.abs(expected).max())


@pytest.mark.slow
@pytest.mark.parametrize("law", SCHEMATIC_LAWS)
def test_a_schematic_of_ideal_parts_is_the_law(law):
    of_law, of_parts = (bank_of(period(law, EDGES, parameters(law)), parts) for parts in (None, IDEAL))
    np.testing.assert_allclose(of_parts.into_nodes(VOLTS), of_law.into_nodes(VOLTS), rtol=0, atol=1e-12)


def test_linear_branches_become_one_per_pair():
    edges = [(1, 2), (2, 1), (1, 2), (2, 0)]
    bank = bank_of(period("Conductance", edges, [[1.0, 2.0, 4.0, 3.0]]))
    assert len(bank.branches.weight) == 2
    np.testing.assert_allclose(bank.into_nodes(np.array([[1.0, 0.5]])), [[-3.5, 3.5 - 1.5]])


@pytest.mark.parametrize(("law", "kind"), [("ShiftRelu1", PiecewiseBank), ("ShiftRelu2", PairBank)])
def test_many_branches_are_looked_up_pair_by_pair(law, kind):
    edges = [(i, j) for i in range(40) for j in range(40) if i != j]
    theta = np.random.default_rng(0).normal(size=(LAWS[law].rows, len(edges)))
    volts = np.random.default_rng(1).normal(size=(3, 39))
    bank = bank_of(period(law, edges, theta))
    assert isinstance(bank, kind)
    np.testing.assert_allclose(bank.into_nodes(volts), DenseBank(bank.branches).into_nodes(volts), atol=1e-12)


def test_many_branches_of_few_pairs_are_compiled():
    edges = [(0, 1), (2, 1), (1, 0)] * 10
    theta = np.random.default_rng(0).normal(size=(LAWS["ShiftTanh2"].rows, len(edges)))
    bank = bank_of(period("ShiftTanh2", edges, theta))
    assert isinstance(bank, CompiledBank)
    expected = into_nodes(lambda s, d, p: LAWS["ShiftTanh2"].currents(s, d, p[:, None])[..., :], theta, edges)
    np.testing.assert_allclose(bank.into_nodes(VOLTS), expected, rtol=0, atol=1e-13 * np.abs(expected).max())
    assert np.isnan(bank.into_nodes(np.array([[np.nan, 0.0]]))).any()
