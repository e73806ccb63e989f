"""A sample's answer is its own: bytewise the same whatever is solved beside it, and whatever was solved before."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from circuits import PEAK, inputs_for, load_device, network, specimen_of
from periods import design_of_periods, period

from kanspice.base.draws import Draw
from kanspice.circuit.branch_laws import LAWS
from kanspice.circuit.specimens import draw_specimen
from kanspice.engine.batched import KnownRows, solve
from kanspice.engine.batched.wired import gmres
from kanspice.engine.options import RunOptions
from kanspice.families.kirchhoffnet.branches import BRANCHES
from kanspice.families.kirchhoffnet.circuit import compile_kirchhoffnet
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import Topology
from kanspice.technology import Technology

pytestmark = pytest.mark.slow

TECHNOLOGIES = [
    (),
    ("tia.gain=1000", "devices.area_sigma=0.05"),
    ("tia.gain=20", "tia.swing_v=0.8", "tia.offset_sigma_v=2e-3"),
    ("devices.shift_sigma_v=0.01", "tia.gain=300"),
    ("wires.row_ohm=20", "wires.column_ohm=20", "tia.gain=300"),
    ("wires.row_ohm=2e3", "wires.column_ohm=2e3", "wires.driver_ohm=100"),
    ("wires.row_ohm=20", "devices.shift_sigma_v=0.01"),
]


def tables(solution):
    return [*solution.stage_v.values(), *solution.column_v.values(), *solution.row_a.values()]


@pytest.fixture(scope="module")
def model():
    return network([9, 7, 3], [load_device("z21"), load_device("rtd"), PEAK])


@pytest.mark.parametrize("overrides", TECHNOLOGIES)
def test_blocks_do_not_matter_to_the_last_bit(model, overrides):
    inputs = inputs_for(model, 8)
    design = specimen_of(model, inputs, *overrides, "units.i_unit_a=1e-6", "tia.rail_v=50.0")
    whole = solve(design, inputs, "device", RunOptions(check_samples=0))
    assert whole.solved.any()
    for block in (1, 3, 7):
        parts = solve(design, inputs, "device", RunOptions(check_samples=0, block=block))
        assert parts.failed == whole.failed
        for found, expected in zip(tables(parts), tables(whole), strict=True):
            assert found.tobytes() == expected.tobytes()


def check_blocks(design, inputs, sizes=(1, 7)):
    whole = solve(design, inputs, "device", RunOptions(check_samples=0))
    assert whole.solved.any()
    for block in sizes:
        parts = solve(design, inputs, "device", RunOptions(check_samples=0, block=block))
        for found, expected in zip(tables(parts), tables(whole), strict=True):
            assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("law", ["ShiftRelu1", "ShiftTanh2", "Conductance", "Device2.silu", "Device1.hardtanh"])
@pytest.mark.parametrize("nodes", [1, 3, 40])
def test_periods_too(law, nodes):
    rng = np.random.default_rng(2)
    edges = [(first, second) for first in range(nodes + 1) for second in range(nodes + 1) if first != second]
    theta = rng.normal(size=(LAWS[law].rows, len(edges))) / nodes
    duration = 0.5 if nodes < 40 else 0.02
    check_blocks(design_of_periods(period(law, edges, theta, duration=duration)), rng.normal(size=(9, nodes)))


@pytest.mark.parametrize("leak_ohm", [1e3, 1e8])
def test_circuits_behind_switches_too(leak_ohm):
    edges = np.array([(1, 0), (1, 2), (2, 1), (1, 2), (0, 2)])
    rng = np.random.default_rng(3)
    branch = BRANCHES["ShiftRelu1"]()
    thetas = [torch.from_numpy(rng.normal(size=(branch.rows, len(edges)))) for _ in range(2)]
    topology = Topology(*edges.T, np.arange(len(edges)), 2)
    model = KirchhoffNet([topology] * 2, [0.5] * 2, branch, thetas=thetas).eval()
    technology = Technology(
        kirchhoffnet={"leak_ohm": leak_ohm, "supply_v": 0.8, "clamp_ohm": 3e4, "jitter_sigma_s": 1e-8},
        branches={"realisation": "schematic", "gain_sigma": 0.1},
        switches={"mode": "monolithic", "on_ohm": 1e4, "rise_s": 5e-9, "injected_c": 1e-14},
    )
    design = draw_specimen(compile_kirchhoffnet(model, technology), technology, Draw(1))
    check_blocks(design, rng.normal(size=(5, 2)), sizes=(1, 3))


def test_rows_that_are_known_change_nothing(model):
    inputs, known = inputs_for(model, 12), KnownRows()
    for seed in range(3):
        design = specimen_of(model, inputs, "tia.gain=300", "devices.area_sigma=0.05", "tia.rail_v=50.0", seed=seed)
        options = RunOptions(check_samples=0, block=5)
        again, alone = (solve(design, inputs, "device", options, known=rows) for rows in (known, None))
        for found, expected in zip(tables(again), tables(alone), strict=True):
            assert found.tobytes() == expected.tobytes()


def test_a_system_is_solved_as_far_as_it_would_be_alone():
    """One that needs a round more than its neighbours does not make them more exact."""
    rng = np.random.default_rng(0)
    matrices = np.eye(6) + np.array([1e-3, 0.3])[:, None, None] * rng.normal(size=(2, 6, 6))
    right = rng.normal(size=(2, 6))

    def apply(of):
        return lambda x: np.einsum("sij,sj->si", of, x)

    together = gmres(apply(matrices), right, 1e-5, 20)
    for place in range(2):
        alone = gmres(apply(matrices[place : place + 1]), right[place : place + 1], 1e-5, 20)
        assert together[place].tobytes() == alone[0].tobytes()
        left = matrices[place] @ together[place] - right[place]
        assert np.linalg.norm(left) < 1e-5 * np.linalg.norm(right[place])
