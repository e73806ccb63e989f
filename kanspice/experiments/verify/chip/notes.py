"""What a reader has to know of a chip's outputs before believing what they say."""

from __future__ import annotations

from collections.abc import Iterator

from kanspice.gap import ChipGaps, Gap
from kanspice.gap.metrics import NEGLIGIBLE
from kanspice.report.formatting import many, number

_LEAST_GAIN = 0.5
"""Of outputs that are the network's as a circuit makes them, or one over it."""


def chip_notes(chip: ChipGaps | None, fitted: int | None, seed: int) -> Iterator[str]:
    """Nothing without a chip. fitted: to how many samples a given specimen was, None where the seed draws it."""
    if chip is None:
        return
    missing = chip.unmeasured_outputs
    if missing and chip.compared:
        which = ", ".join(map(str, missing[:8])) + ", ..." * (len(missing) > 8)
        alone = f"output {which} of the chip was" if len(missing) == 1 else f"outputs {which} of the chip were"
        yield f"{alone} never measured: in no figure of the chip, and no decision of it is known"
    yield from _suspicions(chip)
    yield from _specimens(chip, fitted, seed)


def _suspicions(chip: ChipGaps) -> Iterator[str]:
    """Outputs that no chip gives."""
    over = f"over {many(chip.compared, 'sample')}"
    if _is_none(chip.network):
        yield f"the chip's outputs are the network's own ({over}): were they measured?"
    if _is_none(chip.circuit):
        yield f"the chip's outputs are this very circuit's ({over}): simulated outputs prove nothing"
    if chip.gain is not None and not _LEAST_GAIN < chip.gain < 1 / _LEAST_GAIN:
        yield (
            f"the chip's outputs vary {number(chip.gain)} times as the network's do: are they in model units, and its"
            " rows in the order of --inputs?"
        )
    if chip.network.relative_rmse is not None and chip.network.relative_rmse > 1:
        yield (
            "the chip is farther from the network than the network's outputs vary: are its rows in the order of"
            " --inputs, its outputs in the network's, and in model units?"
        )


def _is_none(gap: Gap) -> bool:
    """A chip has noise and is read with so many bits: a difference below a millionth is none."""
    return gap.rmse == 0 or (gap.relative_rmse is not None and gap.relative_rmse < NEGLIGIBLE)


def _specimens(chip: ChipGaps, fitted: int | None, seed: int) -> Iterator[str]:
    """Of which specimen the circuit is, where its parts are random."""
    if chip.unfitted is not None:
        many_fitted = many(chip.unfitted.fitted, "sample")
        yield (
            f"the specimen was fitted to {many_fitted} of those that were measured: it is nearer to the chip there, so"
            " limits on what the simulation misses are on the others"
        )
    elif fitted:
        yield (
            f"the specimen was fitted to {many(fitted, 'sample')}, none of which is among those that were measured:"
            " samples are told by their inputs, to the last bit"
        )
    if fitted is not None:
        return
    if chip.nominal is not None:
        yield (
            f"the circuit's random parts are those that seed {seed} draws: another chip than the one that was measured;"
            " `kanspice identify -o F.npz` and --specimen F.npz are its own"
        )
