"""What was measured of one chip: outputs for some of the samples, as a file has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array, Flags
from kanspice.base.errors import InputError

_ABSURD = 1e3
"""Times what the network's outputs vary: no chip is so far off."""


@dataclass(frozen=True)
class MeasuredChip:
    """outputs: (samples, outputs) in model units, NaN where nothing was measured. source: where they are from."""

    outputs: Array
    source: str = ""

    def check(self, expected: Array, scale: float) -> None:
        """Raises InputError where they are not outputs of this network for these samples.

        expected: (samples, outputs) of the network; scale: how much these vary.
        """
        where = self.source or "--measured"
        if self.outputs.shape != expected.shape:
            raise InputError(
                "the measured outputs have another shape",
                where=where,
                expected=f"(samples, outputs) = {expected.shape}, NaN where nothing was measured",
                found=f"{self.outputs.shape}",
            )
        if np.isinf(self.outputs).any():
            raise InputError("a measured output is infinite", where=where, expected="numbers, NaN where there is none")
        reach = np.abs(expected[np.isfinite(expected)]).max(initial=0.0) + _ABSURD * scale
        wild = np.argwhere(np.abs(np.nan_to_num(self.outputs)) > reach)
        if len(wild):
            sample, output = wild[0]
            raise InputError(
                "a measured output is absurd",
                where=f"{where}, sample {sample}, output {output}",
                expected=f"model units, as the network's outputs: within {reach:.3g}; NaN where nothing was measured",
                found=f"{self.outputs[sample, output]:.3g}",
                hint="outputs in volts are to be divided by volts per unit; `kanspice compile` says these",
            )

    @property
    def complete(self) -> Flags:
        """(samples,) True where every output was measured."""
        return np.asarray(np.isfinite(self.outputs).all(axis=1))
