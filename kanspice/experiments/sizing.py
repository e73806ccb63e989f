"""Samples that circuits are sized for, where they are given apart from those that are measured: of every command."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.base.files.array_files import Given, is_file, load_array
from kanspice.experiments.facts import InputsFacts
from kanspice.families import LoadedModel, is_sized_by_samples
from kanspice.technology import Technology


@dataclass(frozen=True)
class SizingSamples:
    """inputs: (samples, inputs) in model units. facts: where they are from."""

    inputs: Array
    facts: InputsFacts

    @classmethod
    def of(cls, inputs: Array, source: str = "") -> SizingSamples:
        """source: the file that they are from, "" where that is Python."""
        return cls(inputs, InputsFacts(source, sha256_of(inputs)))

    @classmethod
    def read(cls, loaded: LoadedModel, given: Given | None) -> SizingSamples | None:
        """From a file or an array, None where none is given. Raises InputError for what does not fit the model."""
        if given is None:
            return None
        what = "the samples that the circuit is sized for"
        return cls.of(load_array(given, what, loaded.input_width, loaded.model.input_axes), source_of(given))


def check_is_sized(loaded: LoadedModel, *technologies: Technology) -> None:
    """Raises InputError where samples to size a circuit for would change none of these."""
    if not any(is_sized_by_samples(loaded, technology) for technology in technologies):
        raise InputError(
            "nothing in this circuit is sized for samples",
            where="--sized-for",
            expected="crossbars with amplifiers, branches of transistors, or converters",
            found=loaded.family,
            hint="leave it out: it would change nothing",
        )


def source_of(given: Given) -> str:
    """The file that samples are from, "" where that is Python."""
    return str(given) if is_file(given) else ""


def sha256_of(values: Array) -> str:
    """Of the float64 values in order of memory, in hexadecimal."""
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()
