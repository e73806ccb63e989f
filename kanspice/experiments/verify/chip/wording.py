"""What a measured chip says of network and circuit, in plain sentences: one wording for every rendering."""

from __future__ import annotations

import math
from collections.abc import Iterator

from kanspice.gap import ChipGaps, Gap, NumericalGap
from kanspice.report.blocks import Fact
from kanspice.report.formatting import many, number, percentage, share
from kanspice.report.verdict import Verdict

_DOUBTFUL = 0.1
"""Numerical error above this fraction of the distance between chip and circuit is worth a warning."""

_NOTHING = 1e-4
"""Share of the chip's squared gap below which the circuit is as near to the chip as the network is."""


def distances(chip: ChipGaps, samples: int) -> str:
    """How far the chip is from both, after a sentence about the circuit; "" where nothing is compared.

    samples: measured and not.
    """
    network, circuit, over = chip.network, chip.circuit, ""
    if chip.compared < samples:
        over = f", over {many(chip.compared, 'sample')} that {'was' if chip.compared == 1 else 'were'} measured"
    if chip.unfitted is not None:
        network, circuit = chip.unfitted.network, chip.unfitted.circuit
        over = f", over {many(chip.unfitted.samples, 'sample')} that the specimen was not fitted to"
    if math.isnan(circuit.rmse):
        return ""
    real, missed = _size(network), _size(circuit)
    return f"; the measured chip's differ from the network's by {real}, from the circuit's by {missed}{over}"


def explained(chip: ChipGaps) -> Verdict:
    """How much of the chip's gap is its circuit's as simulated."""
    if not chip.compared:
        return Verdict("No sample that was measured has a result of the circuit: nothing is compared", warning=True)
    everywhere = _explained(chip.network, chip.circuit, chip.explained, chip.explained_error)
    unfitted = chip.unfitted
    if unfitted is None:
        return everywhere
    if not unfitted.samples:
        said = "the specimen was fitted to all of these samples, so that this is no prediction"
        return Verdict(f"{everywhere.text}; but {said}", warning=True)
    others = _explained(unfitted.network, unfitted.circuit, unfitted.explained, unfitted.explained_error)
    return Verdict(
        f"{others.text}, over {many(unfitted.samples, 'sample')} that the specimen was not fitted to", others.warning
    )


def _explained(network: Gap, circuit: Gap, share: float | None, error: float | None) -> Verdict:
    away = f"The chip is {_size(network)} from the network and {_size(circuit)} from the circuit"
    if share is None:
        return Verdict(f"{away}: there is no gap of the chip to explain")
    if share < -_NOTHING:
        return Verdict(
            f"{away}: the circuit explains nothing of the chip's gap, the network itself is the better prediction",
            warning=True,
        )
    told = percentage(0.0 if share < _NOTHING else share)
    within = "" if error is None else f" (standard error {number(100 * error)} %)"
    return Verdict(f"{away}: the circuit explains {told}{within} of the chip's squared gap")


def numerical(chip: ChipGaps, error: NumericalGap | None) -> Verdict | None:
    """Where part of the distance between chip and circuit may be the simulation's own error."""
    if error is None or not chip.compared or not error.rmse > _DOUBTFUL * chip.circuit.rmse:
        return None
    figures = f"{number(error.rmse)} of {number(chip.circuit.rmse)} model units"
    return Verdict(f"more than a tenth of what is between chip and circuit may be numerical error ({figures})", True)


def facts(chip: ChipGaps, samples: int, error: NumericalGap | None) -> Iterator[Fact]:
    """What there is beside the gaps. samples: with and without a measurement. error: the circuit's, numerical."""
    yield "measured", _measured(chip, samples)
    if chip.failed:
        lost = f"{chip.failed:,} of {many(chip.measured, 'measured sample')} without a result of the circuit"
        said = f"{lost}: in no gap and no agreement of the chip; the circuit's accuracy counts them as wrong"
        yield "not compared", Verdict(said, True)
    yield "chip - circuit", numerical(chip, error)
    if chip.correlation is not None:
        yield "correlation", f"{number(chip.correlation)} between the errors of circuit and chip, from the network"
    if chip.gain is not None:
        yield "gain", f"the chip's outputs over the network's, all together: a slope of {number(chip.gain)}"
    if chip.accuracy is not None:
        each = ", ".join(f"{who} {share(chip.accuracy.get(key), chip.complete)}" for who, key in _WHO)
        yield "chip's accuracy", each
    if chip.loss is not None:
        each = ", ".join(f"{who} {number(chip.loss.get(key))}" for who, key in _WHO)
        yield "chip's loss", f"{each} (mean squared error)"


_WHO = (("network", "reference"), ("circuit", "circuit"), ("chip", "chip"))


def _measured(chip: ChipGaps, samples: int) -> str:
    said = f"{chip.measured:,} of {many(samples, 'sample')}"
    return f"{said}, {chip.partly:,} of them in part: these have no decision" if chip.partly else said


def _size(gap: Gap) -> str:
    """Relative where there is such a figure."""
    return f"{number(gap.rmse)} model units" if gap.relative_rmse is None else number(gap.relative_rmse)
