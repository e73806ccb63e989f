"""A loaded model of any family -> Design: the one way in, whatever the network is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import assert_never

import numpy as np
import numpy.typing as npt

from kanspice.compile.converters import add_converters
from kanspice.compile.kanalogue import compile_kanalogue, technology_for_kanalogue
from kanspice.compile.kirchhoffnet import compile_kirchhoffnet, technology_for_kirchhoffnet
from kanspice.compile.memkan import (
    compile_memkan,
    compile_surrogate,
    technology_for_memkan,
    technology_for_surrogate,
)
from kanspice.compile.phykan import compile_phykan, technology_for_phykan
from kanspice.compile.specimens import draw_specimen
from kanspice.design import Design
from kanspice.draws import Draw
from kanspice.models import KANalogue, KirchhoffNet, LoadedModel, MemKAN, PhyKAN, SurrogateMemKAN
from kanspice.models.places import errors_at
from kanspice.technology import Technology

Array = npt.NDArray[np.float64]
Stages = Callable[[], Mapping[str, Array]]
"""What the network makes of the inputs that a circuit is sized for, by stage."""


def compile_model(
    loaded: LoadedModel,
    technology: Technology,
    sample_inputs: Array | None = None,
    draw: Draw | None = None,
    sample_stages: Stages | None = None,
) -> Design:
    """The circuit of a loaded model, or rather the specimen of it that `draw` draws (that of seed 0 if None)."""
    return draw_specimen(compile_nominal(loaded, technology, sample_inputs, sample_stages), technology, draw or Draw())


def technology_for(loaded: LoadedModel, technology: Technology) -> Technology:
    """What of a general technology the model's circuit can have. InputError for another that has more."""
    model = loaded.model
    with errors_at(loaded.path):
        match model:
            case KANalogue():
                return technology_for_kanalogue(model, technology)
            case KirchhoffNet():
                return technology_for_kirchhoffnet(model, technology)
            case PhyKAN():
                return technology_for_phykan(technology)
            case MemKAN():
                return technology_for_memkan(technology)
            case SurrogateMemKAN():
                return technology_for_surrogate(technology)
            case _:
                assert_never(model)


def compile_nominal(
    loaded: LoadedModel,
    technology: Technology,
    sample_inputs: Array | None = None,
    sample_stages: Stages | None = None,
) -> Design:
    """The circuit of a loaded model before anything random happens to it: many specimens can be `made` of it.

    Amplifier swings are taken from the sample inputs (samples, inputs), if given. sample_stages gives what the network
    makes of them, where that is known: only converters ask for it.
    """
    model = loaded.model
    match model:
        case KANalogue():
            design = compile_kanalogue(model, technology, model_sha256=loaded.sha256, sample_inputs=sample_inputs)
        case KirchhoffNet():
            with errors_at(loaded.path):
                design = compile_kirchhoffnet(model, technology, model_sha256=loaded.sha256)
        case PhyKAN():
            design = compile_phykan(model, technology, model_sha256=loaded.sha256)
        case MemKAN():
            design = compile_memkan(model, technology, model_sha256=loaded.sha256)
        case SurrogateMemKAN():
            design = compile_surrogate(model, technology, model_sha256=loaded.sha256)
        case _:
            assert_never(model)
    return add_converters(design, technology, model, sample_inputs, sample_stages)
