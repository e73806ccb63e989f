"""`kanspice.compile`: the circuit of a trained network."""

from __future__ import annotations

from pathlib import Path

from kanspice.base.draws import Draw
from kanspice.base.files import check_outputs
from kanspice.base.files.array_files import Given, load_array
from kanspice.circuit.compile import Sizing
from kanspice.circuit.compile.card_spread import spread_notes
from kanspice.circuit.specimens import draw_specimen
from kanspice.engine.fidelity import FidelityChoice, resolve_fidelity
from kanspice.experiments.api.arguments import Model, Overrides, Tech, model_of, technology_of
from kanspice.experiments.api.specimens import SpecimenOrFile, drawn, specimen_of
from kanspice.experiments.compile.circuit import Circuit
from kanspice.experiments.numbers import check_numbers, plain_numbers
from kanspice.experiments.sizing import SizingSamples, check_is_sized
from kanspice.families import compile_nominal, sizing_for, technology_for
from kanspice.technology.loading import Realisation


@plain_numbers
def compile(
    model: Model,
    output: str | Path | None = None,
    *,
    inputs: Given | None = None,
    sized_for: Given | None = None,
    config: str | Path | None = None,
    curves: str | Path | None = None,
    tech: Tech = None,
    set: Overrides = (),
    realisation: Realisation | None = None,
    fidelity: FidelityChoice = "auto",
    seed: int = 0,
    specimen: SpecimenOrFile | None = None,
    specimen_out: str | Path | None = None,
) -> Circuit:
    """The circuit of a trained network; also written to the folder `output`, if one is named.

    inputs: samples (samples, inputs) that amplifiers are sized with; the worst case over all inputs if None. sized_for:
    samples that they are sized with instead: of the inputs the bench then has the first, and nothing else. seed: draws
    random imperfections. specimen: these by their numbers, in place of those that the seed draws. specimen_out: a file
    for the numbers of this specimen.
    Raises InputError for a network or a technology that cannot be used, and for a folder that is in the way.
    """
    check_numbers(seed=seed)
    asked, loaded = technology_of(tech, set, realisation), model_of(model, config, curves)
    technology = technology_for(loaded, asked)
    samples = None if inputs is None else load_array(inputs, "the inputs", loaded.input_width, loaded.model.input_axes)
    apart = SizingSamples.read(loaded, sized_for)
    if apart is not None:
        check_is_sized(loaded, technology)
    sizing: Sizing | None = sizing_for(loaded, technology, samples if apart is None else apart.inputs)
    nominal = compile_nominal(loaded, technology, sizing)
    draw, said = Draw(seed), tuple[str, ...]()
    if specimen is not None:
        given = specimen_of(specimen)
        given.check_fits(nominal, technology)
        draw, said = given.draw(seed), given.notes(nominal, technology)
    design = draw_specimen(nominal, technology, draw)
    spread = spread_notes(loaded.model.curves, technology.devices)
    circuit = Circuit(design, resolve_fidelity(design, fidelity), notes=(*loaded.notes, *spread, *said))
    if specimen_out is not None:
        numbers = drawn(draw, nominal, technology)
        check_outputs([specimen_out])
    if output is not None:
        circuit = circuit.write(output, samples)
    if specimen_out is not None:
        numbers.write(specimen_out)
    return circuit
