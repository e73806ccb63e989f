"""MemKAN -> Design: per layer, what keeps voltages in the synapses' range, and a bank of synapses.

That is clippers, or, of networks that were trained with a surrogate, squashing stages.
"""

from __future__ import annotations

import numpy as np

from kanspice.compile.effects import Foreign, fitting
from kanspice.compile.inputs import input_stage
from kanspice.design import Design, Stage, SynapseBank
from kanspice.design.stages.synapse_bank import BAND_PASS, HIGH_PASS, LOW_PASS
from kanspice.errors import InputError
from kanspice.models import MemKAN, SurrogateMemKAN
from kanspice.models.reference import SynapseArrays, surrogate_arrays, synapse_arrays
from kanspice.technology import Technology, Units

_SYNAPSES = "what a MemKAN's circuit has: synapses, clippers, references, converters"
_SQUASHED = "what the circuit of a MemKAN with squashed values has: synapses, converters"
_CODES = {"LP": LOW_PASS, "BP": BAND_PASS, "HP": HIGH_PASS}


def technology_for_memkan(technology: Technology) -> Technology:
    """What of a general technology the network's circuit can have. InputError for another that has more."""
    sections = ("tia", "devices", "wires", "supply", "kirchhoffnet", "branches", "switches", "filters")
    foreign = [Foreign(section, _SYNAPSES) for section in sections]
    foreign.append(Foreign("references", "clip levels: synapses have no reference currents", only=["current_sigma"]))
    return fitting(technology, foreign)


def technology_for_surrogate(technology: Technology) -> Technology:
    """The same for a network that was trained with a surrogate, whose circuit has no clippers."""
    foreign = [Foreign(section, _SQUASHED) for section in ("clippers", "references")]
    return technology_for_memkan(fitting(technology, foreign))


def compile_surrogate(model: SurrogateMemKAN, technology: Technology, *, model_sha256: str = "") -> Design:
    """The nominal circuit of the synapses that a surrogate stands for: `l<m>.input` and `l<m>.synapses` for each layer.

    Raises InputError as `compile_memkan`.
    """
    technology = technology_for_surrogate(technology)
    _check_units(technology)
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
        stages += [squash, _bank(technology, layer, index)]
    return _design(model, technology, stages, input_v_per_unit=1.0, model_sha256=model_sha256)


def compile_memkan(model: MemKAN, technology: Technology, *, model_sha256: str = "") -> Design:
    """The nominal circuit of a trained MemKAN: `l<m>.input` and `l<m>.synapses` for each layer.

    Raises InputError for imperfections that the circuit cannot have, and for another unit of voltage than its own.
    """
    technology = technology_for_memkan(technology)
    _check_units(technology)
    constants, stages = model.constants, list[Stage]()
    levels_v = constants.low_v, constants.high_v
    for index, layer in enumerate(synapse_arrays(model), start=1):
        offset_v = constants.input_offset_v if index == 1 else 0.0
        clipper = input_stage(index, technology, np.full(len(layer.gain), -offset_v), levels_v)
        stages += [clipper, _bank(technology, layer, index, constants.reference_v)]
    return _design(model, technology, stages, input_v_per_unit=constants.input_v_per_unit, model_sha256=model_sha256)


def _check_units(technology: Technology) -> None:
    if technology.units != Units(i_unit_a=technology.units.i_unit_a):
        raise InputError(
            "memdiodes are trained in volts",
            where="units.v_unit_v",
            expected="1, or nothing",
            found=f"{technology.units.v_unit_v:g}",
        )


def _design(
    model: MemKAN | SurrogateMemKAN,
    technology: Technology,
    stages: list[Stage],
    *,
    input_v_per_unit: float,
    model_sha256: str,
) -> Design:
    return Design(
        family="memkan",
        model_sha256=model_sha256,
        technology_json=technology.to_json(),
        devices=(),
        input_width=model.input_width,
        input_v_per_unit=input_v_per_unit,
        swing_basis="none: synapses have volts of their own",
        stages=tuple(stages),
    )


def _bank(technology: Technology, layer: SynapseArrays, index: int, reference_v: float = 0.0) -> SynapseBank:
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
