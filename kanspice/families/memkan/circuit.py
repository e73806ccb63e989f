"""MemKAN -> Design: per layer, clippers that keep voltages in the synapses' range, and a bank of synapses."""

from __future__ import annotations

import numpy as np

from kanspice.base.errors import InputError
from kanspice.circuit import Design, Stage, SynapseBank
from kanspice.circuit.compile import Sizing
from kanspice.circuit.compile.effects import Foreign, fitting
from kanspice.circuit.compile.inputs import input_stage
from kanspice.circuit.stages.synapse_bank import BAND_PASS, HIGH_PASS, LOW_PASS
from kanspice.families.common.network import Network
from kanspice.families.memkan.arrays import SynapseArrays, synapse_arrays
from kanspice.families.memkan.network import MemKAN
from kanspice.technology import Technology, Units

_CODES = {"LP": LOW_PASS, "BP": BAND_PASS, "HP": HIGH_PASS}


def technology_for_memkan(_model: MemKAN, technology: Technology) -> Technology:
    """What of a general technology the network's circuit can have. InputError for another that has more."""
    foreign = Foreign("references", "clip levels: synapses have no reference currents", only=["current_sigma"])
    return fitting(
        technology, "a MemKAN's circuit", ("synapses", "clippers", "references", "parts", "supply"), [foreign]
    )


def compile_memkan(model: MemKAN, technology: Technology, _sizing: Sizing | None = None) -> Design:
    """The nominal circuit of a trained MemKAN: `l<m>.input` and `l<m>.synapses` for each layer.

    Raises InputError for imperfections that the circuit cannot have, and for another unit of voltage than its own.
    """
    technology = technology_for_memkan(model, technology)
    check_units(technology)
    constants, stages = model.constants, list[Stage]()
    levels_v = constants.low_v, constants.high_v
    for index, layer in enumerate(synapse_arrays(model), start=1):
        offset_v = constants.input_offset_v if index == 1 else 0.0
        clipper = input_stage(index, technology, np.full(len(layer.gain), -offset_v), levels_v)
        stages += [clipper, synapse_bank(technology, layer, index, constants.reference_v)]
    return synapse_design(model, technology, stages, input_v_per_unit=constants.input_v_per_unit)


def check_units(technology: Technology) -> None:
    """Raises InputError unless a model unit is a volt."""
    if technology.units != Units(i_unit_a=technology.units.i_unit_a):
        raise InputError(
            "memdiodes are trained in volts",
            where="units.v_unit_v",
            expected="1, or nothing",
            found=f"{technology.units.v_unit_v:g}",
        )


def synapse_design(model: Network, technology: Technology, stages: list[Stage], *, input_v_per_unit: float) -> Design:
    """A chain of clippers or squashing stages, and banks."""
    return Design(
        family="memkan",
        technology_json=technology.to_json(),
        devices=(),
        input_width=model.input_width,
        input_v_per_unit=input_v_per_unit,
        swing_basis="none: synapses have volts of their own",
        stages=tuple(stages),
    )


def synapse_bank(technology: Technology, layer: SynapseArrays, index: int, reference_v: float = 0.0) -> SynapseBank:
    """The synapses of a layer, from 1. reference_v: what the inputs of low-pass ones are subtracted from."""
    return SynapseBank(
        name=f"l{index}.synapses",
        compares_to=f"l{index}.synapses",
        kind=np.vectorize(_CODES.__getitem__, otypes=[np.int64])(layer.kind),
        gain=layer.gain,
        load_ohm=layer.load_ohm,
        input_ohm=layer.divider_ohm,
        series_ohm=layer.series_ohm,
        alpha_per_v=layer.alpha_per_v,
        saturation_a=layer.saturation_a,
        input_bias_v=layer.input_bias,
        bias_v=layer.bias,
        reference_v=reference_v,
        output_v_per_unit=1.0,
        read_noise_v=technology.synapses.read_noise_v,
    )
