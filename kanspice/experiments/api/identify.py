"""`kanspice.identify`: which chip was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kanspice.base.arrays import Digests
from kanspice.base.errors import InputError
from kanspice.base.files import check_outputs, inputs_spared
from kanspice.base.files.array_files import Given
from kanspice.circuit.specimens import GivenSpecimen
from kanspice.experiments.api.arguments import Model, Overrides, Tech, model_of, technology_of
from kanspice.experiments.evidence import read_evidence
from kanspice.experiments.followed import Followed
from kanspice.experiments.identify.fit_count import FitCount
from kanspice.experiments.identify.result import IdentificationResult
from kanspice.experiments.identify.run import Identified, Investigated, most_fits
from kanspice.experiments.identify.trust import DRAWN, drawn_fits
from kanspice.experiments.identify.twin import Twin, parse_keys
from kanspice.experiments.numbers import check_numbers, plain_numbers
from kanspice.families import technology_for
from kanspice.report.progress_bar import Bar, bar_of

NOISE = 1e-3
"""Of the network's spread, unless something else is said."""


@inputs_spared()
@plain_numbers
def identify(
    model: Model,
    inputs: Given,
    measured: Given,
    *,
    noise: float = NOISE,
    unknown: Sequence[str] = (),
    config: str | Path | None = None,
    curves: str | Path | None = None,
    limit: int | None = None,
    sized_for: Given | None = None,
    tech: Tech = None,
    set: Overrides = (),
    output: str | Path | None = None,
    progress: bool | Bar = False,
) -> IdentificationResult:
    """Which chip gave the measured outputs: its random numbers and keys of its technology, with intervals.

    measured: (samples, outputs) in model units, a row for each of inputs, NaN where nothing was measured; every fifth
    measured sample is kept apart, and says whether the chip is explained. noise: of measured outputs, of the network's
    spread. limit: the first so many samples, of a circuit that is sized for all. sized_for: samples (samples, inputs)
    that it is sized for instead. unknown: `SECTION.KEY=FACTOR` of the
    technology that are known within a factor only, either way. output: a `.npz` for the specimen, as `kanspice.verify`
    takes it.
    Raises InputError for measured outputs that are not this network's, for too few of them, and for a technology in
    which nothing is unknown.
    """
    if not 0 < noise < 1:
        raise InputError("this is no noise", where="--noise", expected="a fraction of the spread", found=f"{noise}")
    check_numbers(limit=limit)
    keys = parse_keys(unknown)
    technology, loaded = technology_of(tech, set), model_of(model, config, curves)
    evidence = read_evidence(loaded, inputs, measured=measured, sized_for=sized_for).limited(limit)
    chip = evidence.measured
    assert chip is not None  # noqa: S101 - as it was given
    evidence.check_fit(loaded.input_width, loaded.output_width)
    technology = technology_for(loaded, technology)
    followed = Followed.of(loaded, evidence, technology)
    check_outputs([output])
    twin = Twin(loaded, technology, followed.sizing, keys)
    if output is not None and keys:
        hint = "identify without -o, then again with --set KEY=VALUE as found, and -o"
        raise InputError("a specimen has no keys of its technology", where="--output", found="--unknown", hint=hint)
    expected, spread = followed.expected(twin.nominal), followed.scale(twin.nominal)
    if not spread > 0:
        problem = "the network's outputs do not vary: nothing can be told"
        raise InputError(problem, where="--inputs", expected="several different samples")
    chip.check(expected, spread)
    outputs = np.where(np.isfinite(expected), chip.outputs, np.nan)
    investigated = Investigated(twin, evidence.inputs, expected, outputs, spread, noise * spread)
    investigated.check()
    fits = most_fits(twin)
    with bar_of(progress)("fitting", fits + DRAWN, "fits") as told:
        found = Identified(investigated, FitCount(fits, told))
        drawn = None if found.is_explained else drawn_fits(investigated, told)
    off = (outputs - expected)[np.isfinite(outputs)]
    causes, how = found.causes()
    specimen = None
    if output is not None:
        specimen = _written(found, twin, evidence.digests[investigated.fitting], Path(output))
    return IdentificationResult(
        model=loaded.path.name,
        family=loaded.family,
        technology=technology.name,
        source=chip.source,
        samples=len(evidence.inputs),
        fitted=len(investigated.fitting),
        judged=len(investigated.judging),
        numbers=len(found.fit.residuals),
        noise=noise,
        unknowns=twin.size,
        informed=found.posterior.informed,
        chi_squared=found.fit.chi_squared,
        gap=float(np.sqrt(np.mean(off**2)) / spread),
        nominal_error=found.nominal_error,
        error=found.error,
        ratio=found.ratio,
        effort=found.fit.effort,
        chance=found.chance,
        covered=found.covered,
        keys=found.keys(),
        parts=found.parts(),
        outputs=found.outputs(),
        telling=found.telling(),
        suspects=found.suspects(),
        causes=causes,
        gap_apart=how.relative_rmse,
        left_out=twin.left_out,
        sized_for=evidence.sized_for,
        specimen=specimen,
        drawn=drawn,
    )


def _written(found: Identified, twin: Twin, fitted: Digests, path: Path) -> str:
    """The twin's numbers as a specimen's file, which says what samples it was fitted to."""
    specimen = GivenSpecimen.of(twin.draw(found.fit.unknowns), twin.nominal, twin.technology)
    replace(specimen, fitted=fitted).write(path)
    return str(path)
