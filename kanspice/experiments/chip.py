"""What was measured of one chip: outputs for some of the samples, as a file has them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from kanspice.base.arrays import Array, Flags
from kanspice.base.errors import InputError
from kanspice.base.files.array_files import Given, is_file, load_array

_ABSURD = 1e3
"""Times what the network's outputs vary: no chip is so far off."""


@dataclass(frozen=True)
class MeasuredChip:
    """outputs: (samples, outputs) in model units, NaN where nothing was measured. source: their file, "" for none."""

    outputs: Array
    source: str = ""

    @classmethod
    def read(cls, given: Given, samples: int, width: int) -> MeasuredChip:
        """Of a file or an array with a row for each sample, `width` outputs each.

        Raises InputError for what cannot be read, or has another shape.
        """
        chip = cls(load_array(given, "the measured outputs", gaps=True), str(given) if is_file(given) else "")
        if chip.outputs.shape != (samples, width):
            raise InputError(
                "the measured outputs have another shape",
                where=chip.where,
                expected=f"(samples, outputs) = {(samples, width)}, NaN where nothing was measured",
                found=f"{chip.outputs.shape}",
            )
        return chip

    @property
    def where(self) -> str:
        """What an error is said to be about."""
        return self.source or "--measured"

    @property
    def sha256(self) -> str:
        """Of the outputs, in hexadecimal."""
        return hashlib.sha256(np.ascontiguousarray(self.outputs).tobytes()).hexdigest()

    @property
    def complete(self) -> Flags:
        """(samples,) True where every output was measured."""
        return np.asarray(np.isfinite(self.outputs).all(axis=1))

    def limited(self, limit: int) -> MeasuredChip:
        """The first `limit` samples."""
        return replace(self, outputs=self.outputs[:limit])

    def check(self, expected: Array, scale: float) -> None:
        """Raises InputError where they are not outputs of this network for these samples.

        expected: (samples, outputs) of the network; scale: how much these vary, 0 where they do not.
        """
        if np.isinf(self.outputs).any():
            problem, wanted = "a measured output is infinite", "numbers, NaN where there is none"
            raise InputError(problem, where=self.where, expected=wanted)
        if np.isnan(self.outputs).all():
            wanted = f"numbers for some of the {len(self.outputs):,} samples, NaN where there is none"
            raise InputError("nothing was measured", where=self.where, expected=wanted, found="only NaN")
        largest = np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
        reach = largest + _ABSURD * (scale or largest) or np.inf
        wild = np.argwhere(np.abs(np.nan_to_num(self.outputs)) > reach)
        if len(wild):
            sample, output = wild[0]
            raise InputError(
                "a measured output is absurd",
                where=f"{self.where}, sample {sample}, output {output}",
                expected=f"model units, as the network's outputs: within {reach:.3g}; NaN where nothing was measured",
                found=f"{self.outputs[sample, output]:.3g}",
                hint="outputs in volts are to be divided by volts per unit; `kanspice compile` says these",
            )
