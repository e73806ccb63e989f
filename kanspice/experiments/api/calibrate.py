"""`kanspice.calibrate`: what to set on one chip that was measured."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw
from kanspice.base.errors import InputError
from kanspice.base.files import check_outputs, inputs_spared, write_bytes
from kanspice.base.files.array_files import Given
from kanspice.circuit import Design
from kanspice.engine.engines import engine_named
from kanspice.engine.fidelity import resolve_fidelity
from kanspice.engine.options import RunOptions
from kanspice.engine.running import check_design, solve
from kanspice.experiments.api.arguments import Model, Overrides, Tech, model_of, technology_of
from kanspice.experiments.calibrate.result import CalibrationResult, Candidate, TwinFit
from kanspice.experiments.calibrate.run import Asked, calibrated, check_counts, check_trims
from kanspice.experiments.calibrate.trims import Trim, parse_trims
from kanspice.experiments.chip import MeasuredChip
from kanspice.experiments.evidence import read_evidence
from kanspice.experiments.followed import Followed
from kanspice.experiments.identify.twin import Twin, parse_keys
from kanspice.experiments.numbers import check_numbers, plain_numbers
from kanspice.families import LoadedModel, compile_macro_model, technology_for
from kanspice.gap import accuracy, decoded_outputs
from kanspice.report.progress_bar import Bar, bar_of
from kanspice.technology import Technology

TRIMS = ("outputs", "columns", "columns+areas")
"""What is tried, unless something else is asked for."""
_MEASURED = 50
"""Samples of a chip that is simulated, unless something else is said."""


@inputs_spared()
@plain_numbers
def calibrate(
    model: Model,
    inputs: Given,
    *,
    measured: Given | None = None,
    chip: int | None = None,
    engine: str = "ngspice",
    measurements: Sequence[int] = (),
    trims: Sequence[str] = TRIMS,
    area_fraction: float = 0.05,
    bits: int = 8,
    unknown: Sequence[str] = (),
    config: str | Path | None = None,
    curves: str | Path | None = None,
    labels: Given | None = None,
    limit: int | None = None,
    sized_for: Given | None = None,
    tech: Tech = None,
    set: Overrides = (),
    output: str | Path | None = None,
    progress: bool | Bar = False,
) -> CalibrationResult:
    """What to set on one chip, from what it gave for some of the inputs (samples, inputs), and the gap that is left.

    measured: its outputs (samples, outputs) in model units, NaN where nothing was measured. chip: instead, the seed of
    one that is simulated, by `engine`: the calibration is told the outputs of as many samples as it measures, and the
    others say what is left. measurements: how many samples to measure, several to compare; all that were, or 50, if
    none. trims: what can be set, each tried by itself: `outputs`, `columns`, `clips`, `references`, `areas`, several
    together as in `columns+areas`. area_fraction: of the devices that may be programmed again. bits: that trims are set
    with. unknown: `SECTION.KEY=FACTOR` of the technology that are not known, but within a factor, either way. limit:
    the first so many samples, of a circuit that is sized for all. sized_for: samples (samples, inputs) that it is
    sized for instead. output: a `.npz` for what to set, which has no
    arrays where nothing helps.
    Raises InputError for measured outputs that are not this network's, for too few of them for the trims, and for
    a technology in which nothing is unknown; SimulatorError without a simulator.
    """
    check_numbers(seed=chip, limit=limit)
    _check(area_fraction, bits)
    candidates, keys = parse_trims(list(trims)), parse_keys(unknown)
    if (measured is None) == (chip is None):
        hint = "--measured F.npy has what a chip gave; --chip SEED simulates one"
        raise InputError("a calibration is of one chip", expected="--measured or --chip, and not both", hint=hint)
    technology, loaded = technology_of(tech, set), model_of(model, config, curves)
    evidence = read_evidence(loaded, inputs, labels=labels, measured=measured, sized_for=sized_for).limited(limit)
    evidence.check_fit(loaded.input_width, loaded.output_width)
    technology = technology_for(loaded, technology)
    followed = Followed.of(loaded, evidence, technology)
    check_outputs([output])
    twin = Twin(loaded, technology, followed.sizing, keys)
    asked = _asked(twin, followed, candidates, area_fraction, bits)
    if evidence.measured is not None:
        asked = _of_file(asked, evidence.measured, measurements)
        source = evidence.measured.source
        which = f"measured: {source}" if source else "measured"
    else:
        assert chip is not None  # noqa: S101 - as was checked
        asked = _of_seed(asked, chip, engine, measurements)
        which = f"simulated by {engine}, seed {chip}"
    check_trims(asked)
    with bar_of(progress)("calibrating", len(asked.counts) * len(candidates), "fits") as told:
        found, twins = calibrated(asked, told)
    result = replace(_result(loaded, technology, asked, which, (found, twins)), sized_for=evidence.sized_for)
    return result if output is None else _written(result, Path(output))


def _check(area_fraction: float, bits: int) -> None:
    if not 0 < area_fraction <= 1:
        raise InputError("this is no fraction", where="--area-fraction", expected="above 0, up to 1")
    if not 1 <= bits <= 24:
        raise InputError("trims cannot be set with so many bits", where="--bits", expected="1 to 24", found=f"{bits}")


def _asked(
    twin: Twin, followed: Followed, candidates: Sequence[tuple[Trim, ...]], area_fraction: float, bits: int
) -> Asked:
    """Without anything measured yet."""
    expected, spread = followed.expected(twin.nominal), followed.scale(twin.nominal)
    if not spread > 0:
        problem = "the network's outputs do not vary: there is nothing to calibrate for"
        raise InputError(problem, where="--inputs", expected="several different samples")
    return Asked(
        twin=twin,
        inputs=followed.evidence.inputs,
        expected=expected,
        measured=np.full_like(expected, np.nan),
        spread=spread,
        candidates=candidates,
        counts=(),
        bits=bits,
        area_fraction=area_fraction,
        labels=followed.evidence.labels,
    )


def _of_file(asked: Asked, chip: MeasuredChip, measurements: Sequence[int]) -> Asked:
    chip.check(asked.expected, asked.spread)
    measured = np.where(np.isfinite(asked.expected), chip.outputs, np.nan)
    known = int(np.isfinite(measured).any(axis=1).sum())
    counts = tuple(sorted(dict.fromkeys(measurements))) or (known,)
    check_counts(counts, known)
    return replace(asked, measured=measured, counts=counts)


def _of_seed(asked: Asked, chip: int, engine: str, measurements: Sequence[int]) -> Asked:
    """A chip that is simulated: what it gives for all samples, of which the calibration is told the first ones."""
    twin, counts = asked.twin, tuple(sorted(dict.fromkeys(measurements))) or (_MEASURED,)
    check_counts(counts, int(np.isfinite(asked.expected).all(axis=1).sum()))
    design = compile_macro_model(twin.loaded, twin.technology, twin.sizing, Draw(chip))
    check_design(design, engine, None)
    measure = partial(_simulated, engine, asked.inputs)
    measured = np.where(np.isfinite(asked.expected), measure(design), np.nan)
    check_counts(counts, int(np.isfinite(measured).any(axis=1).sum()))
    return replace(asked, measured=measured, counts=counts, chip=design, measure=measure)


def _simulated(engine: str, inputs: Array, design: Design) -> Array:
    fidelity = resolve_fidelity(design, "auto", engine_named(engine).fidelities)
    return decoded_outputs(design, solve(engine, design, inputs, fidelity, RunOptions(check_samples=0)))


def _result(
    loaded: LoadedModel,
    technology: Technology,
    asked: Asked,
    which: str,
    found: tuple[list[Candidate], list[TwinFit]],
) -> CalibrationResult:
    held, known = asked.held_out, asked.known[: max(asked.counts)]
    untouched = asked.chip_of(asked.measured[held], held) if asked.chip is not None and len(held) else None
    of_network = None if asked.labels is None else accuracy(asked.expected[held], asked.labels[held])
    return CalibrationResult(
        model=loaded.path.name,
        family=loaded.family,
        technology=technology.name,
        chip=which,
        samples=len(asked.inputs),
        measured=len(known),
        bits=asked.bits,
        area_fraction=asked.area_fraction,
        candidates=found[0],
        twins=found[1],
        untouched=untouched,
        network_accuracy=of_network if len(held) else None,
        keys=tuple(key.name for key in asked.twin.keys),
        left_out=asked.twin.left_out,
    )


def _written(result: CalibrationResult, path: Path) -> CalibrationResult:
    """With what to set in a file; nothing is written where that is doubtful."""
    if result.exit_code:
        return replace(result, unwritten=str(path))
    buffer = io.BytesIO()
    np.savez(buffer, **({} if result.chosen is None else result.chosen.values))  # type: ignore[arg-type]
    write_bytes(path, buffer.getvalue())
    return replace(result, output=str(path))
