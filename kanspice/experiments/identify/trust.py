"""Whether a fit that explains nothing speaks against the technology, or against the fit.

Chips are drawn from the technology, measured at the same samples with the same noise, and fitted in the same way. Where
one of them is not explained either, or outputs are far from linear in what is left unknown of it, what fits and score
tests say of chips of this technology is not to be believed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kanspice.engine.progress import Advance, Progress, SideRun
from kanspice.experiments.identify.fit_count import FitCount
from kanspice.experiments.identify.result import DrawnFits
from kanspice.experiments.identify.run import Identified, Investigated, most_fits

DRAWN = 4
"""Chips."""


def drawn_fits(chip: Investigated, progress: Progress | None = None) -> DrawnFits:
    """What fits make of drawn chips, measured where this one was: until one says that fits are not to be believed.

    progress: told of every drawn chip, and beside that of its fits.
    """
    found = DrawnFits(0, 0, 0.0)
    for seed in range(DRAWN):
        of_chip = SideRun(f"drawn chip {seed + 1} of {DRAWN}", most_fits(chip.twin))
        identified = Identified(_drawn(chip, seed), FitCount(of_chip.samples, progress, of_chip))
        if progress is not None:
            progress(Advance(1))
        missed, bends = found.missed + (not identified.is_explained), max(found.bends, identified.bends)
        found = DrawnFits(seed + 1, missed, bends)
        if not found.are_near:
            break
    return found


def _drawn(chip: Investigated, seed: int) -> Investigated:
    random = np.random.default_rng([seed, 3])
    outputs = chip.twin.answer(chip.inputs, random.standard_normal(chip.twin.size)).outputs
    noise = chip.noise * random.standard_normal(outputs.shape)
    return replace(chip, measured=np.where(np.isfinite(chip.measured), outputs + noise, np.nan))
