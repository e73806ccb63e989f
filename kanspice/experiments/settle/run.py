"""How fast a network's circuit answers: compiled, followed from each sample to the next, and told."""

from __future__ import annotations

from dataclasses import replace

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw
from kanspice.base.errors import InputError, SimulatorError
from kanspice.base.threads import fitting_threads
from kanspice.circuit import Design
from kanspice.engine.progress import Advance, Progress, SideRun
from kanspice.engine.running import check_mismatch
from kanspice.experiments.facts import InputsFacts, versions
from kanspice.experiments.notes import device_notes, speed_notes
from kanspice.experiments.settle.settling import Settling
from kanspice.experiments.settle.transients import SettleOptions, Transients, at_rest
from kanspice.experiments.sizing import SizingSamples, check_is_sized, sha256_of
from kanspice.families import LoadedModel, compile_model, sizing_for, technology_for
from kanspice.families.common.following import followed_stages
from kanspice.gap.noise import stage_noises
from kanspice.technology import Technology


def settle(
    loaded: LoadedModel,
    technology: Technology,
    inputs: Array,
    options: SettleOptions | None = None,
    *,
    population: Array | None = None,
    sized_for: SizingSamples | None = None,
    source: str = "",
    progress: Progress | None = None,
) -> Settling:
    """Follows the samples (samples, inputs), in model units, one after the other, once around.

    population: (samples, inputs) that the circuit is sized for, if it is made for more than those that are followed;
    sized_for: for others, in place of these. source: where the samples are from, "" for Python. progress: told of every
    sample that was followed; what was done is taken back where all of them get more time.
    Raises InputError for a network or a technology without anything that takes time, SimulatorError where the operating
    points or the transient cannot be solved.
    """
    options = options or SettleOptions()
    if sized_for is not None:
        check_is_sized(loaded, technology)
        population = sized_for.inputs
    technology = technology_for(loaded, technology)
    sizing = sizing_for(loaded, technology, inputs if population is None else population)
    design = compile_model(loaded, technology, sizing, Draw(options.seed))
    check_mismatch(design, options.engine)
    expected = expected_outputs(loaded, design, inputs)
    rest = at_rest(design, inputs, options.seed, options.engine)
    if rest.failed:
        first = rest.failed[0]
        problem = f"{len(rest.failed)} of {len(inputs)} samples have no operating point to settle to"
        seen = f"sample {first.index}: {first.outcome.value}: {first.advice}"
        raise SimulatorError(problem, found=seen, hint="measure them with `kanspice verify`, or leave them out")
    if progress is not None:
        progress(Advance(len(inputs), side_run=SideRun("operating points", len(inputs))))
    with fitting_threads(design.device_count):
        found = Transients(design, inputs, rest, expected, options, technology.supply.quiescent_a, progress).settling()
    if found.is_lost:
        first = found.failed[0]
        hint = "columns without capacitance can jump: set wires.column_f, or leave tia.feedback_f to kanspice"
        seen = f"{first.outcome.value}: {first.advice}"
        raise SimulatorError("no transient came to its end", found=seen, hint=hint)
    noise = stage_noises(
        design,
        rest,
        noise_v_per_rthz=technology.tia.noise_v_per_rthz,
        temperature_c=technology.devices.temperature_c,
    )
    notes = (*loaded.notes, *device_notes(loaded, design), *speed_notes(design, options.engine), *found.notes)
    return replace(
        found,
        noise=noise,
        engine=options.engine,
        model=str(loaded.path),
        technology=technology.name,
        notes=notes,
        sized_for=None if sized_for is None else sized_for.facts,
        model_sha256=loaded.sha256,
        inputs=InputsFacts(source, sha256_of(inputs)),
        technology_values=technology.model_dump(),
        versions=versions(),
    )


def expected_outputs(loaded: LoadedModel, design: Design, inputs: Array) -> Array:
    """(samples, outputs) of the network, in model units, for a circuit that takes time.

    Raises InputError for one that does not, SimulatorError where the network has no answer.
    """
    if not design.crossbars:
        expected = "a network of crossbars: a KirchhoffNet answers after its inference_s"
        raise InputError("only crossbars settle", where=loaded.path, expected=expected, found=loaded.family)
    if design.tiles:
        expected = "a circuit that stays as it is while it answers"
        found = "convolutions, whose parts follow each other" if design.tiles[0].is_reused else "convolutions"
        raise InputError(
            "circuits of convolutions are not followed over time", where=loaded.path, expected=expected, found=found
        )
    if not any(crossbar.takes_time for crossbar in design.crossbars):
        expected = "tia.gbw_hz, devices.junction_f, wires.row_f or wires.column_f"
        raise InputError("nothing in this circuit takes time", where="technology", expected=expected, found="none set")
    if len(inputs) < 2:
        raise InputError("one sample is no step", where="--inputs", expected="two samples or more", found="1")
    stages, without = followed_stages(loaded.model, inputs)
    if without:
        seen = next(f"sample {index}: {why}" for index, why in without.items())
        raise SimulatorError(f"{len(without)} of {len(inputs)} samples have no answer of the network", found=seen)
    return stages[design.stages[-1].compares_to]
