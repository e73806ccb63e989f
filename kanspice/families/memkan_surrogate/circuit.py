"""A MemKAN that was trained with a surrogate -> Design: per layer, squashing stages and a bank of synapses."""

from __future__ import annotations

import numpy as np

from kanspice.circuit import Design, Stage
from kanspice.circuit.compile import Sizing
from kanspice.circuit.compile.effects import fitting
from kanspice.circuit.compile.inputs import input_stage
from kanspice.families.memkan.circuit import check_units, synapse_bank, synapse_design
from kanspice.families.memkan_surrogate.arrays import surrogate_arrays
from kanspice.families.memkan_surrogate.network import SurrogateMemKAN
from kanspice.technology import Technology


def technology_for_surrogate(_model: SurrogateMemKAN, technology: Technology) -> Technology:
    """What of a general technology the network's circuit can have. InputError for another that has more."""
    return fitting(technology, "the circuit of a MemKAN with squashed values", ("pairs", "synapses", "parts", "supply"))


def compile_surrogate(model: SurrogateMemKAN, technology: Technology, _sizing: Sizing | None = None) -> Design:
    """The nominal circuit of the synapses that a surrogate stands for: `l<m>.input` and `l<m>.synapses` for each layer.

    Raises InputError as `compile_memkan`.
    """
    technology = technology_for_surrogate(model, technology)
    check_units(technology)
    stages = list[Stage]()
    for index, layer in enumerate(surrogate_arrays(model), start=1):
        squash = input_stage(
            index,
            technology,
            np.zeros(len(layer.gain)),
            (-np.inf, np.inf),
            kind="sigmoid",
            input_v_per_unit=model.constants.sigma,
        )
        stages += [squash, synapse_bank(technology, layer, index)]
    return synapse_design(model, technology, stages, input_v_per_unit=1.0)
