"""The circuit without random parts, beside the specimen of it that is held against a measured chip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.draws import Highest, Lowest
from kanspice.circuit import Design
from kanspice.circuit.file import design_bytes
from kanspice.circuit.specimens import draw_specimen
from kanspice.engine.engines import engine_named
from kanspice.engine.fidelity import resolve_fidelity
from kanspice.engine.running import solve
from kanspice.experiments.followed import Followed
from kanspice.experiments.verify.options import VerifyOptions
from kanspice.families import compile_nominal
from kanspice.gap import decoded_outputs
from kanspice.technology import Technology

ENGINE = "batched"
"""What solves it: a figure beside the run's own, which is not to take as long."""


def nominal_notes(specimen: Design) -> Iterator[str]:
    """Why a measured chip is not held against the circuit without random parts, where that is not solved."""
    if _is_out_of_reach(specimen):
        yield (
            "the chip is not held against the circuit without random parts: the batched engine solves that, which has"
            " no subcircuits and transistors"
        )


def _is_out_of_reach(specimen: Design) -> bool:
    return specimen.realised is not None or specimen.transistors is not None


def nominal_outputs(
    reference: Followed, technology: Technology, options: VerifyOptions, specimen: Design
) -> Array | None:
    """(samples, outputs) in model units of the circuit without random parts; NaN for samples that were not measured.

    None where nothing was, where the specimen has no random parts, and where it is built of subcircuits or transistors,
    which this engine does not have.
    """
    chip = reference.evidence.measured
    if chip is None or _is_out_of_reach(specimen):
        return None
    undrawn = compile_nominal(reference.loaded, technology, reference.sizing)
    nominal, other = (draw_specimen(undrawn, technology, draw) for draw in (Lowest(), Highest()))
    if design_bytes(nominal) == design_bytes(other):
        return None
    nominal = replace(nominal, seed=specimen.seed)  # of the noise
    measured = np.asarray(np.isfinite(chip.outputs).any(axis=1))
    which = [index for index in reference.answered if measured[index]]
    outputs = np.full(chip.outputs.shape, np.nan)
    if which:
        fidelity = resolve_fidelity(nominal, "auto", engine_named(ENGINE).fidelities)
        run = replace(options.run, check_samples=0, waveforms=0)
        hints = {name: values[which] for name, values in reference.stages.items()}
        inputs = reference.evidence.inputs[which]
        outputs[which] = decoded_outputs(
            nominal, solve(ENGINE, nominal, inputs, fidelity, run, hints=hints, numbers=which)
        )
    return outputs
