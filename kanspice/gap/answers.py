"""Which answers are wrong: of classes which is taken for which, else how far every output is off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array, Indices

MOST_CLASSES = 20
"""With more classes there is no matrix."""
MOST_OUTPUTS = 32
"""So many outputs are kept, those with the largest errors."""

Counts = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Confusion:
    """How often samples of one class got the largest output of another.

    of_labels: whether rows are the true classes, else what the network decided. circuit: (classes, classes) samples, by
    row and by the circuit's decision; network: the same of the network, empty where rows are its decisions. failed: of
    every row the samples without a result.
    """

    of_labels: bool
    circuit: Counts
    network: Counts
    failed: tuple[int, ...]


@dataclass(frozen=True)
class OutputError:
    """How far one output is off: its RMSE, mean and largest |error| in model units.

    relative_rmse: in standard deviations of this output over samples; None where it does not vary.
    """

    output: int
    rmse: float
    mean: float
    max_abs: float
    relative_rmse: float | None


def confusion(
    outputs: Array, reference: Array, solved: npt.NDArray[np.bool_], labels: Indices | None
) -> Confusion | None:
    """Of outputs (samples, classes) of circuit and network; None for a single output, or too many classes."""
    classes = outputs.shape[1]
    if not 1 < classes <= MOST_CLASSES:
        return None
    answered = np.asarray(np.isfinite(reference).all(axis=1))
    decided = np.where(answered, np.nan_to_num(reference).argmax(axis=1), 0)
    truth = decided if labels is None else labels
    known = answered if labels is None else np.ones_like(answered)
    return Confusion(
        of_labels=labels is not None,
        circuit=_counts(truth, np.nan_to_num(outputs).argmax(axis=1), solved & known, classes),
        network=() if labels is None else _counts(truth, decided, answered, classes),
        failed=tuple(np.bincount(truth[~solved & known], minlength=classes).tolist()),
    )


def output_errors(outputs: Array, reference: Array, solved: npt.NDArray[np.bool_]) -> tuple[OutputError, ...]:
    """Of outputs (samples, outputs) of circuit and network, over solved samples; of many the worst, in order."""
    if not solved.any():
        return ()
    with np.errstate(over="ignore", invalid="ignore"):
        error, varies = outputs[solved] - reference[solved], np.std(reference[solved], axis=0)
        rmse = np.sqrt(np.mean(error**2, axis=0))
    shown = np.sort(np.argsort(-rmse, kind="stable")[:MOST_OUTPUTS])
    return tuple(
        OutputError(
            output=place,
            rmse=float(rmse[place]),
            mean=float(error[:, place].mean()),
            max_abs=float(np.abs(error[:, place]).max()),
            relative_rmse=float(rmse[place] / varies[place]) if varies[place] > 0 else None,
        )
        for place in shown.tolist()
    )


def _counts(rows: Indices, columns: Indices, counted: npt.NDArray[np.bool_], classes: int) -> Counts:
    """Samples by row and column, of those that are counted."""
    found = np.zeros((classes, classes), dtype=int)
    np.add.at(found, (rows[counted], columns[counted]), 1)
    return tuple(map(tuple, found.tolist()))
