"""Random technologies of a small KirchhoffNet, behavioural and as schematics: the batched engine against ngspice."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kanspice.base.draws import Draw
from kanspice.circuit.branch_laws import SCHEMATIC_LAWS
from kanspice.circuit.specimens import draw_specimen
from kanspice.engine import batched
from kanspice.engine.ngspice import engine as ngspice
from kanspice.engine.options import RunOptions
from kanspice.families.kirchhoffnet.branches import BRANCHES
from kanspice.families.kirchhoffnet.circuit import compile_kirchhoffnet, technology_for_kirchhoffnet
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import Topology
from kanspice.technology import Technology

pytestmark = pytest.mark.slow

SECTIONS = "kirchhoffnet", "branches", "switches"
IMPERFECTIONS = {
    "kirchhoffnet.capacitor_sigma": (0.01, 0.1),
    "kirchhoffnet.leak_ohm": (1e6, 1e8),
    "kirchhoffnet.supply_v": (0.4, 1.5),
    "kirchhoffnet.jitter_sigma_s": (1e-9, 1e-8),
    "kirchhoffnet.noise_k": (100.0, 1000.0),
    "kirchhoffnet.parasitic_f": (1e-14, 2e-13),
    "kirchhoffnet.clock_s": (1e-9, 3e-8),
    "branches.gain_sigma": (0.01, 0.2),
    "branches.parasitic_f": (1e-15, 2e-14),
    "branches.bandwidth_hz": (3e6, 3e9),
    "branches.offset_sigma_v": (0.001, 0.1),
    "branches.switch_on_ohm": (1e3, 5e4),
    "branches.switch_off_ohm": (1e7, 1e9),
    "branches.source_ohm": (2e6, 1e8),
    "branches.pair_saturation": (0.7, 1.5),
    "branches.pair_sigma": (0.01, 0.2),
    "branches.vccs_saturation": (1.0, 5.0),
    "switches.on_ohm": (1e2, 2e4),
    "switches.off_ohm": (1e6, 1e9),
    "switches.hold_s": (1e-8, 1e-7),
    "switches.skew_s": (1e-9, 2e-8),
    "switches.injected_c": (-3e-14, 3e-14),
    "switches.injected_sigma_c": (1e-15, 2e-14),
}
"""Everything that capacitors, branches and switches can be afflicted with, at 1 pF, 1 uA, 1 V and periods of 0.5 us."""
FIXED = {"kirchhoffnet": {"clamp_ohm": 3e4}, "switches": {"rise_s": 5e-9}}
"""What is no imperfection by itself, but what some are felt through."""
EDGES = np.array([(1, 0), (1, 2), (2, 1), (1, 2), (0, 2)])


@st.composite
def technologies(draw, realisation):
    """About half of the imperfections, each somewhere in its range; what a law has no part for is left out later."""
    tables = {section: {} for section in SECTIONS}
    for name, (low, high) in IMPERFECTIONS.items():
        section, _, key = name.partition(".")
        if draw(st.booleans()):
            tables[section][key] = draw(st.floats(low, high))
    if "supply_v" in tables["kirchhoffnet"]:
        tables["kirchhoffnet"] |= FIXED["kirchhoffnet"]
    tables["branches"]["realisation"] = realisation
    tables["switches"] |= {"mode": draw(st.sampled_from(("phased", "monolithic")))} | FIXED["switches"]
    return Technology(general=True, **tables)


def network(law, seed):
    """Two nodes, two periods, random parameters."""
    generator = torch.Generator().manual_seed(seed)
    topology, branch = Topology(*EDGES.T, np.arange(len(EDGES)), 2), BRANCHES[law]()
    thetas = [torch.randn(branch.rows, len(EDGES), generator=generator, dtype=torch.float64) for _ in range(2)]
    return KirchhoffNet([topology] * 2, [0.5] * 2, branch, thetas=thetas).eval()


def test_no_imperfection_is_left_out():
    everything = {
        f"{section}.{key}"
        for section in SECTIONS
        for key in type(getattr(Technology(), section)).model_fields
        if key not in ("capacitance_f", "clamp_ohm", "realisation", "references", "mode", "rise_s", "gate_j")
    }
    assert everything == set(IMPERFECTIONS)


@pytest.mark.ngspice
@pytest.mark.parametrize("realisation", ["behavioural", "schematic"])
@settings(max_examples=6, deadline=None, derandomize=True)
@given(data=st.data(), law=st.sampled_from(SCHEMATIC_LAWS), seed=st.integers(0, 999))
def test_ngspice_agrees_on_random_technologies(realisation, data, law, seed):
    model = network(law, seed)
    technology = technology_for_kirchhoffnet(model, data.draw(technologies(realisation)))
    design = draw_specimen(compile_kirchhoffnet(model, technology), technology, Draw(seed))
    inputs = np.random.default_rng(seed).normal(0, 0.8, (4, 2))
    found = batched.solve(design, inputs, "device")
    judge = ngspice.solve(design, inputs, "device", RunOptions(check_samples=0, steps=400))
    assert found.failed == judge.failed == ()
    for name, volts in judge.stage_v.items():
        np.testing.assert_allclose(found.stage_v[name], volts, rtol=0, atol=1e-4 * np.abs(volts).max())
