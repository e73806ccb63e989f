"""Whether a fit that explains nothing speaks against the technology, or against the fit.

Chips are drawn from the technology, measured at the same samples with the same noise, and fitted in the same way. Where
one of them is not explained either, or outputs are far from linear in what is left unknown of it, what fits and score
tests say of chips of this technology is not to be believed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kanspice.experiments.identify.run import Identified, Investigated

_DRAWN = 4
_LINEAR = 0.1
"""Squares of what is not linear over those of what is, that tests which take outputs for linear are believed with."""


def comes_near(chip: Investigated) -> bool:
    """Whether fits of drawn chips, measured where this one was, find these."""
    return all(_is_found(_drawn(chip, seed)) for seed in range(_DRAWN))


def _drawn(chip: Investigated, seed: int) -> Investigated:
    random = np.random.default_rng([seed, 3])
    outputs = chip.twin.answer(chip.inputs, random.standard_normal(chip.twin.size)).outputs
    noise = chip.noise * random.standard_normal(outputs.shape)
    return replace(chip, measured=np.where(np.isfinite(chip.measured), outputs + noise, np.nan))


def _is_found(drawn: Investigated) -> bool:
    found = Identified(drawn)
    return found.bends < _LINEAR and found.is_explained
