"""`kanspice.save_specimen`: a specimen by its numbers, to change, and to give to commands in place of a seed."""

from __future__ import annotations

from pathlib import Path

from kanspice.base.draws import Draw
from kanspice.base.errors import InputError
from kanspice.circuit import Design
from kanspice.circuit.specimens import GivenSpecimen
from kanspice.experiments.api.arguments import Model, Overrides, Tech, model_of, technology_of
from kanspice.experiments.numbers import check_numbers, plain_numbers
from kanspice.families import compile_nominal, technology_for
from kanspice.technology import Technology
from kanspice.technology.loading import Realisation

SpecimenOrFile = str | Path | GivenSpecimen
"""A `.npz` file, or what was read from one or drawn."""


@plain_numbers
def save_specimen(
    model: Model,
    output: str | Path,
    *,
    config: str | Path | None = None,
    curves: str | Path | None = None,
    tech: Tech = None,
    set: Overrides = (),
    realisation: Realisation | None = None,
    seed: int = 0,
) -> GivenSpecimen:
    """Writes the random numbers that a seed draws for a network's circuit to the file `output`, a `.npz`.

    Raises InputError for a network or a technology that cannot be used, or in which nothing is random.
    """
    check_numbers(seed=seed)
    asked, loaded = technology_of(tech, set, realisation), model_of(model, config, curves)
    technology = technology_for(loaded, asked)
    specimen = drawn(Draw(seed), compile_nominal(loaded, technology), technology)
    return specimen.write(output)


def drawn(draw: Draw, design: Design, technology: Technology) -> GivenSpecimen:
    """What `draw` draws for a nominal design. Raises InputError where nothing is random."""
    specimen = GivenSpecimen.of(draw, design, technology)
    if not specimen.numbers:
        raise InputError(
            "all specimens of this circuit are the same",
            where="the technology",
            expected="something random, as devices.area_sigma or tia.offset_sigma_v",
            found="no standard deviation above 0 that a file of numbers could hold",
        )
    return specimen


def specimen_of(given: SpecimenOrFile) -> GivenSpecimen:
    """The specimen that was given. Raises InputError for a file that holds none."""
    if isinstance(given, GivenSpecimen):
        return given
    if not isinstance(given, str | Path):
        hint = "kanspice.save_specimen(model, FILE, seed=N) makes one"
        raise InputError("this is no specimen", where="specimen", found=f"a {type(given).__name__}", hint=hint)
    return GivenSpecimen.read(given)
