"""A loaded model of any family -> Design: the one way in, whatever the network is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw
from kanspice.base.errors import errors_at
from kanspice.circuit import Design, Sort
from kanspice.circuit.compile import Sizing, add_converters
from kanspice.circuit.compile.card_spread import with_card_spread
from kanspice.circuit.compile.realised import realised_parts
from kanspice.circuit.specimens import draw_specimen
from kanspice.families.common.following import followed_stages
from kanspice.families.common.network import Network
from kanspice.families.loading import LoadedModel
from kanspice.families.table import family_of
from kanspice.technology import Technology


@dataclass(frozen=True)
class Compiled:
    """The specimen of a circuit, and the same circuit without imperfections, which it is compared with."""

    specimen: Design
    ideal: Design


def compile_model(
    loaded: LoadedModel,
    technology: Technology,
    sizing: Sizing | None = None,
    draw: Draw | None = None,
) -> Design:
    """The circuit of a loaded model, or rather the specimen of it that `draw` draws (that of seed 0 if None).

    Raises InputError for imperfections that it cannot have, or that contradict each other.
    """
    return draw_specimen(compile_nominal(loaded, technology, sizing), technology, draw or Draw())


def compile_macro_model(
    loaded: LoadedModel, technology: Technology, sizing: Sizing | None = None, draw: Draw | None = None
) -> Design:
    """`compile_model`, with every amplifier as the technology's figures have it, whatever subcircuit it is."""
    return draw_specimen(_nominal(loaded, technology, sizing), technology, draw or Draw())


def compile_both(
    loaded: LoadedModel, technology: Technology, sizing: Sizing | None = None, draw: Draw | None = None
) -> Compiled:
    """`compile_model`, and the circuit without any of the technology's imperfections."""
    specimen = compile_model(loaded, technology, sizing, draw)
    causes = technology.causes
    if not causes:
        return Compiled(specimen, specimen.macro_model)
    return Compiled(specimen, compile_macro_model(loaded, technology.without(causes), sizing))


def technology_for(loaded: LoadedModel, technology: Technology) -> Technology:
    """What of a general technology the model's circuit can have, with the mismatch on its devices' cards.

    Raises InputError for a technology that is not general and has more.
    """
    with errors_at(loaded.path):
        fitting = family_of(loaded.model).technology(loaded.model, technology)
    return with_card_spread(fitting, loaded.model.curves)


def compile_nominal(loaded: LoadedModel, technology: Technology, sizing: Sizing | None = None) -> Design:
    """The circuit of a loaded model before anything random happens to it: many specimens can be drawn of it.

    sizing: `sizing_for` gives what it needs. Raises as `compile_model`.
    """
    design = _nominal(loaded, technology, sizing)
    if design.sort is not Sort.CROSSBARS or design.tiles:
        return design
    return replace(design, realised=realised_parts(technology))


def _nominal(loaded: LoadedModel, technology: Technology, sizing: Sizing | None) -> Design:
    """The same, with every part as the technology's numbers have it."""
    with errors_at(loaded.path):
        design = family_of(loaded.model).circuit(loaded.model, technology, sizing)
    return add_converters(replace(design, model_sha256=loaded.sha256), technology, sizing)


def sizing_for(
    loaded: LoadedModel, technology: Technology, inputs: Array | None, timeout_s: float | None = None
) -> Sizing | None:
    """What a circuit is sized for, given samples (samples, inputs): with the network's stages where it needs them.

    timeout_s: how long it may be integrated. Raises as `sizing_of`.
    """
    if inputs is None or len(inputs) == 0:
        return None
    return sizing_of(loaded.model, inputs, timeout_s) if _needs_stages(loaded, technology) else Sizing(inputs)


def is_sized_by_samples(loaded: LoadedModel, technology: Technology) -> bool:
    """Whether a circuit depends on the samples that it is sized for."""
    return _needs_stages(loaded, technology) or technology.converters.dac_bits > 0


def _needs_stages(loaded: LoadedModel, technology: Technology) -> bool:
    if family_of(loaded.model).sized_by_stages or technology.converters.adc_bits > 0:
        return True
    return technology.branches.realisation == "transistor"


def sizing_of(model: Network, inputs: Array, timeout_s: float | None = None) -> Sizing:
    """Samples (samples, inputs), and the stages of the network for them, which may be integrated for `timeout_s`.

    Raises DivergenceError if it has no answer for any of them, LateError without time for one.
    """
    return Sizing(inputs, followed_stages(model, inputs, timeout_s)[0])
