"""Every circuit is of one sort, which says what it can be written as."""

from __future__ import annotations

from pathlib import Path

import pytest
from circuits import PEAK, network

import kanspice
from kanspice.circuit import Sort
from kanspice.engine.fidelity import fidelities

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SORTS = {
    Sort.CROSSBARS: (network([2, 2], [PEAK]), ("device", "shared")),
    Sort.PERIODS: (EXAMPLES / "02_kirchhoffnet_moons" / "model.pt", ("device", "merged")),
    Sort.FILTERS: (EXAMPLES / "04_phykan_arm" / "model.pt", ("behavioural", "filter", "transient")),
    Sort.SYNAPSES: (EXAMPLES / "06_memkan_kinematics" / "model.pt", ("device",)),
}


@pytest.mark.parametrize("sort", Sort)
def test_a_circuit_is_of_one_sort(sort):
    model, known = SORTS[sort]
    design = kanspice.compile(model).design
    assert design.sort is sort
    assert fidelities(design) == known
    assert design.is_timed == (sort is Sort.PERIODS)
