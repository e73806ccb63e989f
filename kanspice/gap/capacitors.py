"""The capacitors that hold the columns of crossbars still: what a reader of settling times has to know of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kanspice.circuit import Design


@dataclass(frozen=True)
class Capacitors:
    """The feedback capacitors of a crossbar's amplifiers, farads, and what they take with their resistors, seconds.

    Medians where they differ.
    """

    stage: str
    feedback_f: float
    constant_s: float


def capacitors_of(design: Design) -> tuple[Capacitors, ...]:
    """Of every crossbar whose amplifiers have a bandwidth."""
    return tuple(
        Capacitors(
            crossbar.name,
            float(np.median(crossbar.feedback_f)),
            float(np.median(crossbar.feedback_f * crossbar.feedback_ohm)),
        )
        for crossbar in design.crossbars
        if crossbar.has_slow_amplifiers
    )
