"""What a computer does for a sample of small networks, counted by hand, and what that amounts to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from circuits import LINE, PEAK, crossbar_design, design_of, inputs_for, network
from connections import memkan_design, phykan, phykan_design
from images import cnnkan, images_for
from images import design_of as image_design
from periods import design_of_periods, period
from synthetic_results import cost_of_filters

from kanspice.circuit import DigitalLayer, LayerNorm, Limiter
from kanspice.circuit.stages.synapse_bank import BAND_PASS
from kanspice.devices import load_device
from kanspice.experiments.verify.physical import blocks
from kanspice.families.memkan.network import MemKAN
from kanspice.gap.costs import DigitalEnergy, Operations, digital_cost
from kanspice.gap.costs.digital import operations_of
from kanspice.gap.costs.digital.energies import FLOAT32, INT8, MEMORIES, memory_for
from kanspice.gap.costs.digital.integration import evaluations_of

NO_PERIODS: dict[str, float] = {}


def whole(design, evaluations=NO_PERIODS):
    """Of all stages."""
    return sum(operations_of(design, evaluations).values(), Operations())


def test_a_crossbar_of_devices():
    """A product for each of five devices, three curves looked up (one for each row and type), one bias."""
    design = crossbar_design([PEAK, LINE], [[[1.0, 2.0], [3.0, 0.0]], [[0.0, 1.0], [0.5, 0.0]]], bias=[0.5, 0.0])
    assert whole(design) == Operations(
        multiplications=5 + 2, additions=5 + 2 + 1, functions=2, parameters=6, reads=6, moves=4
    )


def test_a_whole_kanalogue():
    """2-3-2 with two types: 24 devices, 10 curves, 5 biases, and two levels for each of 5 inputs."""
    model = network([2, 3, 2], [load_device("z21"), PEAK])
    design = design_of(model, inputs_for(model, 4))
    expected = Operations(24 + 10, 24 + 10 + 5 + 10, 10, 24 + 5, 24 + 5, 5 + 5)
    assert whole(design) == expected


def test_norms_limits_and_what_is_digital_anyway():
    norm = LayerNorm("l1.norm", "l1.norm", np.ones(3), np.zeros(3), 1e-5, 1.0)
    layer = DigitalLayer("projector", "projector", np.ones((3, 2)), np.zeros(2), 1.0)
    squash = Limiter("l1.input", "l1.input", 3, "tanh", -np.inf, np.inf, 1.0, 1.0, np.array([0.0, 0.1, 0.2]))
    design = crossbar_design([LINE], [[[1.0]]])
    found = operations_of(replace(design, stages=(squash, norm, layer)), NO_PERIODS)
    assert found["l1.input"] == Operations(3, 3 + 2, 3, 2, 2, 0)
    assert found["l1.norm"] == Operations(6 + 5 + 1, 6 + 7 + 1, 1, 6, 6, 6)
    assert found["projector"] == Operations(6, 6 + 2, 0, 8, 8, 5)


def test_filters():
    """Ten filters behind two rows, twelve behind three: five products, three sums and a root each, a tone to a row."""
    design = phykan_design(phykan())
    found = operations_of(design, NO_PERIODS)
    squashed = found["l1.input"]
    assert (squashed.functions, squashed.parameters) == (2, 2)
    assert found["l1.filters"] == Operations(50 + 2 + 12, 30 + 12, 12, 30, 30, 5)
    assert found["l2.filters"] == Operations(60 + 3 + 15, 36 + 15, 15, 36, 36, 5)


def test_synapses():
    """Two products and Wright's function each, one product more where a connection has a band-pass, and a bias."""
    design = memkan_design(MemKAN((2, 1)).eval())
    bank = design.banks[0]
    synapses, divided = bank.device_count, int((bank.kind == BAND_PASS).any(axis=2).sum())
    assert synapses > divided > 0
    found = operations_of(design, NO_PERIODS)["l1.synapses"]
    products, parameters = 3 * synapses + divided, 3 * synapses + divided + 1
    assert found == Operations(products, products + 1, synapses, parameters, parameters, 3)


@pytest.mark.parametrize(
    ("law", "theta", "products", "sums", "functions"),
    [
        ("Conductance", [[1.0, 1.0]], 1, 1, 0),
        ("ShiftRelu1", [[0.1, 0.1], [1.0, 1.0]], 1, 3, 0),
        ("ShiftLeakyRelu1", [[0.1, 0.1], [1.0, 1.0]], 2, 3, 0),
        ("ShiftTanh2", [[0.1, 0.1], [1.0, 1.0], [0.0, 0.0]], 2, 2, 1),
    ],
)
def test_periods(law, theta, products, sums, functions):
    """Two alike whose three ends are no ground; 12 evaluations are two steps of 26 multiply-adds to a node."""
    design = design_of_periods(period(law, [(1, 2), (2, 0)], theta))
    steps, each = 2 * 26 * 2, 12 * 2
    rows = len(theta)
    assert whole(design, {"l1.period": 12.0}) == Operations(
        steps + each * (products + functions),
        steps + each * (sums + functions) + 12 * 3,
        each * functions,
        rows,
        each * rows,
        12 * 2 * 2,
    )


def test_branches_that_share_parameters_keep_them_once():
    """Both are read at every evaluation all the same."""
    found = whole(design_of_periods(period("ShiftRelu1", [(1, 2), (2, 0)], [[0.1, 0.1], [1.0, 1.0]])), {"l1.period": 6})
    assert (found.parameters, found.reads) == (2, 6 * 4)


def test_a_convolution_skips_what_is_beyond_its_image():
    """One channel of 2 x 2 pixels, windows of 3 x 3 with a border: four of nine weights each; weights are kept once."""
    model = cnnkan((1, 2, 2), (1,), devices=(PEAK,), kernel=3, stride=1, padding=1)
    design = image_design(model, images_for(model))
    found = operations_of(design, NO_PERIODS)
    assert found["l1.tiles"] == Operations(16, 16, 0, 9, 9, 4 + 4)
    assert found["l2.tiles"] == Operations(4 + 4, 4 + 4 + 4, 4, 2, 2, 4 + 4)
    assert found["l3.average"] == Operations(1, 3, 0, 0, 0, 5)


def test_energies_are_counts_times_what_each_takes():
    """2 x 2 devices of one bent type: 4 products and 2 curves, in the smallest memory."""
    design = crossbar_design([PEAK], [[[1.0], [2.0]], [[0.5], [1.0]]])
    cost = digital_cost(design, np.zeros((1, 2)))
    int8, float32 = cost.energies
    assert (int8.arithmetic, float32.arithmetic, int8.memory) == ("int8", "float32", "SRAM of 8 kB")
    assert int8.parts_j == pytest.approx(
        {
            "multiplications": 6 * 0.2e-12,
            "additions": 6 * 0.1e-12,
            "tables": 2 * 2 * 1.25e-12,
            "parameters": 4 * 1.25e-12,
            "activations": 4 * 1.25e-12,
        }
    )
    assert float32.parts_j == pytest.approx(
        {
            "multiplications": 6 * 3.7e-12,
            "additions": 6 * 0.9e-12,
            "tables": 2 * 2 * 5e-12,
            "parameters": 4 * 5e-12,
            "activations": 4 * 5e-12,
        }
    )
    assert float32.energy_j == pytest.approx(sum(float32.parts_j.values()))
    for chip in cost.chips:
        assert chip.energy_j == pytest.approx(12 / chip.operations_per_j)
    assert any("Horowitz" in line for line in cost.assumptions)


def test_parameters_are_in_the_smallest_memory_that_holds_them():
    assert [memory_for(size).name for size in (8192, 8193, 2**20, 2**20 + 1)] == [
        "SRAM of 8 kB",
        "SRAM of 32 kB",
        "SRAM of 1 MB",
        "DRAM",
    ]
    assert [memory.byte_j * 8e12 for memory in MEMORIES] == pytest.approx([10, 20, 100, 1300])
    assert INT8.number_bytes == FLOAT32.number_bytes / 4 == 1


def test_how_often_a_period_is_evaluated():
    """A decay by 1 % of a time constant takes one step; one that lasts is followed in several."""
    short, long = (
        evaluations_of(design_of_periods(period("Conductance", [(1, 0)], [[1.0]], duration=duration)), np.ones((2, 1)))[
            "l1.period"
        ]
        for duration in (0.01, 10.0)
    )
    assert short == 8  # two to choose the first step, and the six of one
    assert long > 30


def test_what_cannot_be_integrated_has_no_digital_cost():
    design = design_of_periods(period("Conductance", [(1, 0)], [[-1e4]], duration=1.0))
    assert digital_cost(design, np.ones((1, 1))) is None


def test_nothing_is_compared_with_no_energy():
    """As a stranger's report may have it."""
    cost = cost_of_filters()
    free = replace(cost.digital, energies=(DigitalEnergy("int8", "SRAM of 8 kB", {}), cost.digital.energies[1]))
    facts = dict(blocks(replace(cost, digital=free))[0].rows)
    assert facts["against digital"] == "the circuit's energy is 0.00858 times that of float32"
