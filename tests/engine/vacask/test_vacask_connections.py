"""Synapses, filters, tiles and averages in VACASK: to the last digits what the batched engine says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from connections import (
    FILTER_PARTS,
    SYNAPSE_PARTS,
    VARIANTS,
    inputs_for,
    memkan,
    memkan_design,
    phykan,
    phykan_design,
    surrogate_design,
    surrogate_memkan,
)
from images import cnnkan, design_of, images_for

from kanspice.base.errors import InputError
from kanspice.circuit import Average, FilterBank, Tiles
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve

pytestmark = [pytest.mark.slow, pytest.mark.vacask]

FEW = RunOptions(check_samples=2, timeout_s=60)


@pytest.fixture(autouse=True, scope="module")
def modules(module_cache):
    """Of all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(module_cache))
        yield


def assert_alike(design, inputs, fidelity, bound=1e-12):
    """Every stage, of every sample, to so much of its spread."""
    one, other = (solve(engine, design, inputs, fidelity, FEW) for engine in ("vacask", "batched"))
    assert one.failed == other.failed == ()
    for name, expected in other.stage_v.items():
        np.testing.assert_allclose(one.stage_v[name], expected, rtol=0, atol=bound * expected.std(), err_msg=name)
    return one


@pytest.mark.parametrize("overrides", [(), SYNAPSE_PARTS], ids=["ideal", "parts"])
@pytest.mark.parametrize("network", ["memkan", "surrogate"])
def test_synapses_are_theirs(network, overrides):
    if network == "memkan":
        model, design_of_it = memkan(), memkan_design
    else:  # whose inputs are squashed
        model, design_of_it = surrogate_memkan(), surrogate_design
        overrides = tuple(override for override in overrides if "clippers" not in override)
    assert_alike(design_of_it(model, *overrides), inputs_for(model, 6), "device")


@pytest.mark.parametrize("fidelity", ["behavioural", "filter"])
@pytest.mark.parametrize("name", ["plain", *VARIANTS])
def test_filters_are_theirs(name, fidelity):
    model = phykan(**VARIANTS.get(name, {}))
    design = phykan_design(model, *(FILTER_PARTS if name == "plain" else ()))
    if name == "plain":
        clocked = [replace(stage, clock_hz=4e5) if isinstance(stage, FilterBank) else stage for stage in design.stages]
        design = replace(design, stages=tuple(clocked))
    assert_alike(design, inputs_for(model, 6), fidelity, 1e-11)


def test_filters_over_time_are_refused_by_name():
    model = phykan()
    with pytest.raises(InputError, match=r"(?s)VACASK does not solve this.*fidelity transient"):
        solve("vacask", phykan_design(model), inputs_for(model, 1), "transient", FEW)


@pytest.mark.parametrize("layout", ["reused", "unrolled"])
def test_tiles_and_averages_are_theirs(layout):
    model = cnnkan((1, 2, 2), (2,), seed=1)
    inputs = images_for(model, samples=2)
    parts = "tia.gain=1000", "tia.offset_sigma_v=1e-3", "devices.area_sigma=0.1", "wires.driver_ohm=200"
    design = design_of(model, inputs, *parts, "convolution.average_sigma=0.05", f"convolution.layout={layout}", seed=5)
    assert {Tiles, Average} <= {type(stage) for stage in design.stages}
    found = assert_alike(design, inputs, "device", 1e-10)
    assert found.numerical_error.max_abs_v < 1e-8
