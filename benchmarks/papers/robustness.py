"""Fig. 8 of the first KANalogue paper, Fig. 5b of the second: the worst of many chips, by relative error of areas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks.papers.circuits import circuit, first, second_opinion, specimens
from benchmarks.papers.classifiers import RECIPES, test_set, trained
from benchmarks.papers.data import MissingDataError, mnist
from benchmarks.papers.rows import Row, Rows, Setting, known

LEVELS = (0.01, 0.05, 0.09, 0.13, 0.17, 0.21, 0.26, 0.31, 0.36, 0.41, 0.46)
"""The authors' standard deviations, without the 0 that they begin with."""
HIDDEN = (32, 64, 128)
"""About 20, 40 and 80 thousand parameters with three devices, as the authors' small, mid and large networks."""
ERRORS = ("binary", "normal", "uniform")
GAIN = "tia.gain=1000"
KIND = "KANalogue, 3 devices, BatchNorm and clip"
BLOCK = 250
BLOCKS = 40
"""Of draws: the worst of 10,000 is the worst of all blocks."""
JUDGED_AT = 0.21
"""The level in the middle, whose worst chip a simulator looks at."""
_SAMPLES = 100
_JUDGED = 2


def rows(setting: Setting) -> Rows:
    """One block of every curve, then the next; a curve without errors; and the worst chip of each in a simulator."""
    for hidden in HIDDEN:
        yield f"{hidden} hidden; none", partial(_without, hidden, setting)
    for block in range(1 if setting.quick else BLOCKS):
        for error in ERRORS:
            for hidden in HIDDEN:
                yield f"{hidden} hidden; {error}; block {block}", partial(_block, hidden, error, block, setting)
    for error in ERRORS:
        for hidden in HIDDEN:
            yield f"{hidden} hidden; {error}; judge", partial(_judged, hidden, error, setting)


def _block(hidden: int, error: str, block: int, setting: Setting) -> Row:
    network, _ = _network(hidden, setting)
    folder = network.with_suffix("") / f"{error} {block}"
    return block_of(hidden, error, block, setting, folder, trials=setting.part(BLOCK))


def block_of(hidden: int, error: str, block: int, setting: Setting, folder: Path, *, trials: int, **how: object) -> Row:
    """Every level with the same seeds, which are those of the block's number. how: what `kanspice.study` is told."""
    network, samples = _network(hidden, setting)
    set_ = [GAIN, f"devices.area_error={error}"]
    sweep = [f"devices.area_sigma={','.join(map(str, LEVELS))}"]
    return specimens(folder, network, samples, "ideal", trials, seed=block, set=set_, sweep=sweep, **how)


def _without(hidden: int, setting: Setting) -> Row:
    network, samples = _network(hidden, setting)
    return circuit(network, *samples, tech="ideal", set_=[GAIN])


def _judged(hidden: int, error: str, setting: Setting) -> Row:
    """The chip that classifies fewest images right at the level in the middle of the curve."""
    network, samples = _network(hidden, setting)
    blocks = blocks_of(known(setting.results / "robustness.json"), hidden, error)
    if not blocks:
        raise MissingDataError(f"no block of {error} errors with {hidden} hidden values was measured")
    found = worst(blocks)
    set_ = [GAIN, f"devices.area_error={error}", f"devices.area_sigma={JUDGED_AT}"]
    opinion = second_opinion(network, samples[0][:_JUDGED], "ideal", "ngspice", set_=set_, seed=found["worst_seed"])
    return opinion | {"accuracy": found["smallest"], "seed": found["worst_seed"]}


def blocks_of(rows: Mapping[str, Row], hidden: int, error: str) -> list[Row]:
    """What was measured of one curve."""
    return [row for name, row in rows.items() if name.startswith(f"{hidden} hidden; {error}; block")]


def worst(blocks: Sequence[Row]) -> Row:
    """The point of the curve's worst chip at the level in its middle."""
    return min((block["points"][LEVELS.index(JUDGED_AT)] for block in blocks), key=lambda point: point["smallest"])


def _network(hidden: int, setting: Setting) -> tuple:
    images, recipe = mnist(), RECIPES[KIND]
    network = trained(KIND, recipe, (196, hidden, 10), images, setting)
    return network.path, first(*test_set(recipe, images), _SAMPLES)
