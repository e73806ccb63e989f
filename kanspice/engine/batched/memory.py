"""What solving will take, counted before it begins: upper bounds, a few times what is found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kanspice.circuit import Crossbar, Design
from kanspice.circuit.state_search import SEARCHED_NUMBERS
from kanspice.devices import Curve, PiecewisePolynomial, is_resistance
from kanspice.engine.batched.branch_banks import Bank, DenseBank, PairBank
from kanspice.engine.batched.states import TESTED_NUMBERS
from kanspice.engine.batched.wired import MOST_ROUNDS

_BYTES = 8
_TABLES = 5
"""Of areas: as they are, by column, by device, a product's copy, and what is computed of them for all columns."""
_PER_ROW = 30
"""Numbers for a sample's row and device type: two cubics, each twice, and where they end."""
_PER_CROSSING = 15
"""Numbers for each breakpoint that such a device can be taken across."""
_PER_COLUMN = 40
"""Numbers for a sample's column: two cubics, and what a search keeps."""
_PER_DEVICE = 20
"""Numbers for a device, or a crosspoint without wires, that is looked at by itself."""
_PER_CROSSPOINT, _PER_SOLVED = 10, 60
"""Numbers for a sample's crosspoint behind wires, and for one of a linear system: all rounds that it may take."""
_PER_SEARCHED = 8
"""Numbers for a voltage, of those that are tried together, at which a column could settle as well."""
_PER_TESTED = 100
"""Numbers for a crosspoint behind wires of which it is tested whether its state would stay: see `least_eigenvalue`."""
_PER_SYSTEM = 4 * (MOST_ROUNDS + 1) ** 2
"""Numbers for what a sample's crosspoints are projected to by a linear system."""
_PER_PAIR_OF_ROWS = 12
"""Numbers where resistances are eliminated: matrices between rows, for all samples together."""
_MATRICES = 6
"""Of nodes times branches, where a bank is some."""
_PER_BRANCH, _PER_NODE, _PER_BRANCH_OF_MATRIX, _PER_PAIR = 30, 40, 4, 12
"""Numbers for a branch whatever the samples, and for a sample's node, branch of a matrix, and pair of nodes."""


def crossbar_bytes(
    crossbar: Crossbar,
    curves: Sequence[Curve],
    reach_v: float,
    samples: int,
    *,
    at_a_time: int,
    solved_at_a_time: int,
) -> int:
    """For blocks of so many samples, of which so many devices, or crosspoints behind wires, are looked at at a time.

    solved_at_a_time: crosspoints behind wires of which linear systems are solved together.

    curves: of its devices, in volts; reach_v: how far columns go from 0 V.
    """
    crosspoints, areas = 2 * crossbar.rows * crossbar.width, 2 * crossbar.area.size
    of_rows = _PER_ROW * len(curves) + _PER_CROSSING * sum(most_crossings(curve, reach_v) for curve in curves)
    numbers = _TABLES * areas + samples * (of_rows * crossbar.rows + _PER_COLUMN * 2 * crossbar.width)
    if crossbar.has_wires:
        resistances = all(map(is_resistance, curves))
        together = min(max(at_a_time // crosspoints, 1), samples)
        solved = min(max(solved_at_a_time // crosspoints, 1), samples)
        tested = 0 if resistances else min(max(TESTED_NUMBERS // crosspoints, 1), samples)
        numbers += _PER_CROSSPOINT * crosspoints * together + (_PER_SOLVED * crosspoints + _PER_SYSTEM) * solved
        numbers += _PER_TESTED * crosspoints * tested + _PER_PAIR_OF_ROWS * crossbar.rows**2 * resistances
    else:
        numbers += _PER_DEVICE * min(at_a_time, samples * areas) + _PER_SEARCHED * SEARCHED_NUMBERS
    return _BYTES * numbers


def most_crossings(curve: Curve, reach_v: float) -> int:
    """How many of a curve's breakpoints are within reach of any voltage, at most."""
    if not isinstance(curve, PiecewisePolynomial):
        return 0
    knots = curve.breakpoints
    within = np.searchsorted(knots, knots + 2 * reach_v, side="right") - np.arange(len(knots))
    return int(within.max())


def bank_bytes(bank: Bank, samples: int, states_per_node: int = 1) -> tuple[int, int]:
    """For the branches of a period: what is kept of them, and what blocks of so many samples take besides."""
    branches, nodes = len(bank.branches.weight), bank.branches.nodes
    kept, per_sample = _PER_BRANCH * branches, _PER_NODE * nodes * states_per_node
    if isinstance(bank, DenseBank):
        kept, per_sample = kept + _MATRICES * nodes * branches, per_sample + _PER_BRANCH_OF_MATRIX * branches
    elif isinstance(bank, PairBank):
        pairs = np.unique(bank.branches.first * (nodes + 1) + bank.branches.second)
        per_sample += _PER_PAIR * len(pairs)
    return _BYTES * kept, _BYTES * samples * per_sample


def results_bytes(design: Design, samples: int) -> int:
    """For all that is kept of so many samples: outputs, columns, what amplifiers draw, and rows."""
    kept = sum(stage.width for stage in design.stages)
    kept += sum(4 * crossbar.width + crossbar.rows for crossbar in design.crossbars)
    return _BYTES * samples * kept
