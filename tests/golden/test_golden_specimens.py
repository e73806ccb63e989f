"""Specimens by their numbers, for a tiny model of every family with everything that can be random."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_golden_circuits import DRAWN, MODELS, is_random

from kanspice.base.draws import Draw
from kanspice.circuit.file import design_bytes
from kanspice.circuit.specimens import GivenSpecimen, draw_specimen, random_arrays
from kanspice.families import compile_nominal, technology_for
from kanspice.families.loading import loaded_from
from kanspice.technology import load_technology

SEED = 11


@pytest.mark.parametrize("family", DRAWN)
def test_the_numbers_of_a_seed_are_its_specimen(tmp_path, family):
    """To the last bit; and every array counts, so that one of others makes another circuit."""
    loaded = loaded_from(MODELS[family]())
    technology = technology_for(loaded, load_technology(None, [text for text in DRAWN[family] if is_random(text)]))
    nominal = compile_nominal(loaded, technology)
    written = GivenSpecimen.of(Draw(SEED), nominal, technology).write(tmp_path / "s.npz")
    read = GivenSpecimen.read(tmp_path / "s.npz")
    assert read.sha256 == written.sha256
    assert read.notes(nominal, technology) == written.notes(nominal, technology)
    read.check_fits(nominal, technology)

    def bytes_with(draw):
        return design_bytes(replace(draw_specimen(nominal, technology, draw), seed=0, specimen_sha256=""))

    given = bytes_with(read.draw(0))
    assert given == bytes_with(Draw(SEED)) != bytes_with(Draw(0))
    parts = {array.part for array in random_arrays(nominal, technology)}
    for part in parts:
        others = {k: v for k, v in read.numbers.items() if k.rpartition(".")[2] != part}
        assert bytes_with(GivenSpecimen(others).draw(0)) != given, part
