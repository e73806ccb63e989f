"""A chip that was measured, beside its network and its circuit: three gaps over the same samples, and what they share.

An error of the chip is that of its circuit, as simulated, and what the simulation misses: chip - network = (circuit -
network) + (chip - circuit), output by output of every sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from kanspice.base.arrays import Array, Flags, Indices
from kanspice.gap.metrics import NEGLIGIBLE, Gap, accuracy, agreement, gap_of


@dataclass(frozen=True)
class ChipOutput:
    """One output over the samples that are compared, in model units; NaN where there are none.

    index: from 0. values: how many are compared. from_network, from_circuit: roots of the chip's mean squared errors.
    offset: mean of the chip less the circuit.
    """

    index: int
    values: int
    from_network: float
    from_circuit: float
    offset: float


@dataclass(frozen=True)
class NominalGap:
    """The chip from the circuit without random parts. failed: samples that are compared and have no result of it."""

    gap: Gap
    failed: int


@dataclass(frozen=True)
class UnfittedGaps:
    """The chip from network and circuit over the samples that the circuit's specimen was not fitted to.

    samples: how many; fitted: how many of those that are compared it was fitted to. explained, explained_error: as in
    `ChipGaps`.
    """

    network: Gap
    circuit: Gap
    samples: int
    fitted: int
    explained: float | None
    explained_error: float | None = None


@dataclass(frozen=True)
class ChipGaps:
    """Three gaps over the outputs that were measured of samples that network and circuit have an answer for.

    network: the chip from the network, the real gap. circuit: the chip from the circuit, what the simulation misses.
    simulated: the circuit from the network, on the same outputs. Their agreements are fractions of the samples that are
    compared and of which every output was measured: one that network or circuit has no answer for neither agrees nor
    disagrees, and is counted in `failed`.
    measured: samples of which some output was; complete: of which all were. failed: of those measured, without a result
    of the circuit. outputs: each one. accuracy: of network, circuit and chip, over the complete samples; loss: mean
    squared errors of these three, over the outputs that are compared; None without labels or targets.
    explained: 1 - |chip - circuit|^2 / |chip - network|^2; below 0 where the chip is farther from the circuit than from
    the network, None where it is at neither distance. explained_error: its standard error, as samples are drawn at
    random (linear in the two sums of squares); None of fewer than two samples. correlation: cosine of the angle between
    circuit - network and chip - network as vectors of all outputs; its square would be explained by a multiple of the
    circuit's gap. None where one of them is below a millionth of the other: its direction is rounding's.
    gain: slope of the chip's outputs over the network's, of all outputs together, each about its mean; None where the
    network's do not vary.
    nominal: the same of the circuit without random parts, where it has some and was solved without. unfitted: without
    the samples that the circuit's specimen was fitted to, where there are such.
    """

    network: Gap
    circuit: Gap
    simulated: Gap
    measured: int
    complete: int
    failed: int
    outputs: tuple[ChipOutput, ...]
    explained: float | None
    correlation: float | None
    gain: float | None
    accuracy: Mapping[str, float] | None = None
    loss: Mapping[str, float] | None = None
    explained_error: float | None = None
    nominal: NominalGap | None = None
    unfitted: UnfittedGaps | None = None

    @property
    def compared(self) -> int:
        """Samples that the gaps are of."""
        return self.measured - self.failed

    @property
    def partly(self) -> int:
        """Samples of which some outputs were measured, and others were not."""
        return self.measured - self.complete

    @property
    def predicted(self) -> Gap:
        """The chip from the circuit, where that was not fitted to the chip: what a prediction is judged by."""
        return self.circuit if self.unfitted is None else self.unfitted.circuit

    @property
    def unexplained(self) -> float | None:
        """|chip - circuit|^2 / |chip - network|^2, over the same samples."""
        explained = self.explained if self.unfitted is None else self.unfitted.explained
        return None if explained is None else 1 - explained

    @property
    def unmeasured_outputs(self) -> tuple[int, ...]:
        """Outputs, from 0, of which no value is compared."""
        return tuple(output.index for output in self.outputs if not output.values)


@dataclass(frozen=True)
class ChipSamples:
    """What is compared: (samples, outputs) each, in model units.

    chip: NaN where nothing was measured. circuit: NaN where it has no result. nominal: without random parts, None where
    that was not solved. solved: (samples,) True where the circuit has a result. scale: what relative figures are
    divided by. fitted: (samples,) True where the circuit's specimen was fitted to what was measured; None for nowhere.
    """

    chip: Array
    circuit: Array
    network: Array
    solved: Flags
    scale: float
    nominal: Array | None = None
    fitted: Flags | None = None

    def gaps(self, labels: Indices | None = None, targets: Array | None = None) -> ChipGaps:
        """The three gaps. labels: (samples,) classes; targets: (samples, outputs) true answers."""
        measured, known = np.isfinite(self.chip).any(axis=1), self.known
        chip, circuit, network = (rows[known] for rows in (self.chip, self.circuit, self.network))
        return ChipGaps(
            network=self._gap(self.chip, self.network, known),
            circuit=self._gap(self.chip, self.circuit, known),
            simulated=self._gap(self.circuit, self.network, known),
            measured=int(measured.sum()),
            complete=int(self.complete.sum()),
            failed=int((measured & ~self._answered).sum()),
            outputs=tuple(self._output(index, known[:, index]) for index in range(self.chip.shape[1])),
            explained=_explained(chip - circuit, chip - network),
            explained_error=self._explained_error(known),
            correlation=_cosine(circuit - network, chip - network),
            gain=self._gain(),
            accuracy=None if labels is None else self._accuracy(labels),
            loss=None if targets is None else self._loss(targets),
            nominal=None if self.nominal is None else self._nominal(self.nominal),
            unfitted=None if self.fitted is None else self._unfitted(self.fitted),
        )

    @property
    def known(self) -> Flags:
        """(samples, outputs) True where all three have a value."""
        return np.asarray(np.isfinite(self.chip) & self._answered[:, None])

    @property
    def complete(self) -> Flags:
        """(samples,) True where every output was measured."""
        return np.asarray(np.isfinite(self.chip).all(axis=1))

    @property
    def _answered(self) -> Flags:
        return np.asarray(self.solved & np.isfinite(self.network).all(axis=1))

    def _gap(self, outputs: Array, reference: Array, known: Flags) -> Gap:
        whole = np.asarray(known.all(axis=1))
        same = agreement(outputs[whole], reference[whole], whole[whole]) if whole.any() else None
        return gap_of(outputs[known] - reference[known], self.scale, same)

    def _unfitted(self, fitted: Flags) -> UnfittedGaps | None:
        """None where nothing that is compared was fitted to."""
        count = int((self.known.any(axis=1) & fitted).sum())
        if not count:
            return None
        chip = np.where(fitted[:, None], np.nan, self.chip)
        others = replace(self, chip=chip, nominal=None, fitted=None).gaps()
        explained = others.explained, others.explained_error
        return UnfittedGaps(others.network, others.circuit, others.compared, count, *explained)

    def _explained_error(self, known: Flags) -> float | None:
        """Of a ratio of sums over samples: the spread of what each adds to it."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            missed, whole = (
                np.where(known, self.chip - other, 0.0)[known.any(axis=1)] for other in (self.circuit, self.network)
            )
            squares = (missed**2).sum(axis=1), (whole**2).sum(axis=1)
            ratio = squares[0].sum() / squares[1].sum()
            added = (squares[0] - ratio * squares[1]) / squares[1].sum()
            error = np.sqrt(len(added) * np.var(added, ddof=1)) if len(added) > 1 else np.nan
        return float(error) if np.isfinite(error) else None

    def _nominal(self, nominal: Array) -> NominalGap:
        there = np.asarray(np.isfinite(nominal).all(axis=1))
        failed = self.known.any(axis=1) & ~there
        return NominalGap(self._gap(self.chip, nominal, self.known & there[:, None]), int(failed.sum()))

    def _output(self, index: int, known: Flags) -> ChipOutput:
        chip, circuit, network = (rows[known, index] for rows in (self.chip, self.circuit, self.network))
        if not known.any():
            return ChipOutput(index, 0, np.nan, np.nan, np.nan)
        offset = float(np.mean(chip - circuit))
        return ChipOutput(index, int(known.sum()), _rms(chip - network), _rms(chip - circuit), offset)

    def _gain(self) -> float | None:
        known = self.known
        chip, network = (np.where(known, rows, 0.0) for rows in (self.chip, self.network))
        count = np.maximum(known.sum(axis=0), 1)
        off, meant = (np.where(known, rows - rows.sum(axis=0) / count, 0.0) for rows in (chip, network))
        square = float(np.sum(meant**2))
        return float(np.sum(off * meant)) / square if square > 0 else None

    def _accuracy(self, labels: Indices) -> dict[str, float] | None:
        """Of the samples that were measured in full: one without an answer is wrong."""
        whole = self.complete
        if not whole.any():
            return None
        return {
            who: accuracy(rows[whole], labels[whole], np.asarray(np.isfinite(rows[whole]).all(axis=1)))
            for who, rows in (("reference", self.network), ("circuit", self.circuit), ("chip", self.chip))
        }

    def _loss(self, targets: Array) -> dict[str, float]:
        known = self.known
        return {
            who: _rms(rows[known] - targets[known]) ** 2
            for who, rows in (("reference", self.network), ("circuit", self.circuit), ("chip", self.chip))
        }


def _rms(error: Array) -> float:
    with np.errstate(over="ignore"):
        return float(np.sqrt(np.mean(error**2))) if error.size else float("nan")


def _explained(missed: Array, whole: Array) -> float | None:
    """missed, whole: errors of the chip from circuit and network, (values,). None also where squares overflow.

    Rounded, as all fractions are: whether the circuit is nearer than the network is not to be told by rounding.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        share = 1 - np.sum(missed**2) / np.sum(whole**2)
    return round(float(share), 12) + 0.0 if np.isfinite(share) else None


def _cosine(one: Array, other: Array) -> float | None:
    """None where the direction of one is not known."""
    with np.errstate(over="ignore", invalid="ignore"):
        squares = float(np.sum(one**2)), float(np.sum(other**2))
        cosine = np.sum(one * other) / np.sqrt(squares[0] * squares[1])
    if min(squares) <= NEGLIGIBLE**2 * max(squares):
        return None
    return float(np.clip(cosine, -1, 1)) if np.isfinite(cosine) else None
