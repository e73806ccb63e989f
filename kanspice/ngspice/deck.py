"""The run deck: stimulus and analysis around a compiled circuit. Built from numbers and our own names only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kanspice.units import spice_number

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Tolerances:
    """ngspice's convergence criteria."""

    reltol: float
    vntol: float
    abstol: float


# At 1e-6 single samples were off by 1e-7 of the outputs, unnoticed; one more Newton iteration costs next to nothing.
NORMAL = Tolerances(reltol=1e-9, vntol=1e-12, abstol=1e-18)
TIGHT = Tolerances(reltol=1e-12, vntol=1e-15, abstol=1e-21)


def sweep_deck(
    inputs: Sequence[str],
    inputs_v: Array,
    saved: Sequence[str],
    tolerances: Tolerances,
    hints_v: Mapping[str, float] | None = None,
    *,
    klu: bool = False,
) -> str:
    """A deck that solves every row of `inputs_v` (samples, inputs; volts) in one process, as points of one sweep.

    The swept source is the sample's index; each input is a table of that index, flat around whole numbers: on a slope
    between neighbours of very different size ngspice would round away the smaller one.
    hints_v: node -> volts, where Newton's method should start the first point.
    klu: use the KLU solver, for a version that has it; others would ignore the option without a word.
    """
    lines = ["* kanspice run", ".include circuit.cir", "vindex sample_index 0 0"]
    lines += [f"b{node} {node} 0 v={_table(column)}" for node, column in zip(inputs, inputs_v.T, strict=True)]
    lines += [f".nodeset v({node})={spice_number(volts)}" for node, volts in (hints_v or {}).items()]
    lines += [
        f".options reltol={tolerances.reltol:g} vntol={tolerances.vntol:g} abstol={tolerances.abstol:g}",
        f".options itl1=300 itl2=150 acct{' klu' if klu else ''}",
        *_wrapped(".save", [f"v({node})" for node in saved]),
        f".dc vindex 0 {len(inputs_v) - 1} 1",
        ".end",
    ]
    return "\n".join(lines) + "\n"


def _table(column: Array) -> str:
    texts = [spice_number(value) for value in column]
    points = ",".join(f"{index - 0.25},{text},{index + 0.25},{text}" for index, text in enumerate(texts))
    return f"pwl(v(sample_index),{points})"


def _wrapped(card: str, words: Sequence[str], per_line: int = 12) -> list[str]:
    """One card over several lines."""
    rows = [" ".join(words[start : start + per_line]) for start in range(0, len(words), per_line)]
    return [f"{card} {rows[0]}", *(f"+ {row}" for row in rows[1:])]
