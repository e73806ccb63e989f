"""`kanspice.compile`: the circuit of a trained network."""

from __future__ import annotations

from pathlib import Path

from kanspice.base.files.array_files import Given, load_array
from kanspice.circuit.compile import Sizing
from kanspice.engine.fidelity import FidelityChoice, resolve_fidelity
from kanspice.experiments.api.arguments import Model, Overrides, Tech, model_of, technology_of
from kanspice.experiments.compile.circuit import Circuit
from kanspice.families import compile_model, sizing_for
from kanspice.technology.loading import Realisation


def compile(
    model: Model,
    output: str | Path | None = None,
    *,
    inputs: Given | None = None,
    config: str | Path | None = None,
    curves: str | Path | None = None,
    tech: Tech = None,
    set: Overrides = (),
    realisation: Realisation | None = None,
    fidelity: FidelityChoice = "auto",
) -> Circuit:
    """The circuit of a trained network; also written to the folder `output`, if one is named.

    inputs: samples (samples, inputs) that amplifiers are sized with; the worst case over all inputs if None.
    Raises InputError for a network or a technology that cannot be used, and for a folder that is in the way.
    """
    technology, loaded = technology_of(tech, set, realisation), model_of(model, config, curves)
    samples = None if inputs is None else load_array(inputs, "the inputs", loaded.input_width, loaded.model.input_axes)
    sizing: Sizing | None = sizing_for(loaded, technology, samples)
    design = compile_model(loaded, technology, sizing)
    circuit = Circuit(design, resolve_fidelity(design, fidelity), notes=loaded.notes)
    return circuit if output is None else circuit.write(output, samples)
