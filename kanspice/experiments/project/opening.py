"""What a projection opens with: how far off it is, what it costs in accuracy, the worst edge, which cards would do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kanspice.experiments.project import wording
from kanspice.experiments.project.plots import subsets_plot
from kanspice.report.blocks import Highlight, Highlights, Picture
from kanspice.report.formatting import number, percentage, plain
from kanspice.report.verdict import Verdict

if TYPE_CHECKING:
    from kanspice.experiments.project.result import Projection


def highlights(result: Projection) -> Highlights:
    """Outputs, accuracy, the worst layer, the cards that do most."""
    return Highlights([_outputs(result), *_accuracy(result), *_layer(result), *_cards(result)])


def picture(result: Projection) -> Picture:
    """What every number of cards would do."""
    return Picture.of("Error of every subset of the cards over its size", subsets_plot, result)


def _outputs(result: Projection) -> Highlight:
    found, said = result.gap, "of the outputs' standard deviation (relative RMSE), as projected"
    tuned = result.tuning
    if tuned is not None and tuned.kept:
        both = f"{number(tuned.before.relative_rmse)} → {number(tuned.unseen.relative_rmse)}"
        how = "projected → fine-tuned, on samples held out (relative RMSE)"
        return Highlight("from the learnt network", both, Verdict(how), again=True)
    return Highlight("from the learnt network", number(found.relative_rmse), Verdict(said), again=True)


def _accuracy(result: Projection) -> Iterator[Highlight]:
    found = result.accuracy
    if found is not None:
        after = found.projected if found.tuned is None else found.tuned
        how = "learnt → made of devices" if found.tuned is None else "learnt → made of devices and fine-tuned"
        figure = f"{percentage(found.network)} → {percentage(after)}"
        yield Highlight("accuracy", figure, Verdict(how, warning=found.network - after > wording.LOST), again=True)


def _layer(result: Projection) -> Iterator[Highlight]:
    known = [layer for layer in result.layers if layer.exact is not None]
    if known:
        worst = max(known, key=lambda layer: layer.exact or 0.0)
        said = f"its sums are off by {number(worst.exact)} (relative RMSE): more kinds of devices for its edges help"
        more = "" if result.tuning is not None else ", and so does `--fine-tune`"
        yield Highlight("worst layer", plain(worst.name), Verdict(said + more))


def _cards(result: Projection) -> Iterator[Highlight]:
    """The smallest subset that is within a tenth of the best."""
    known = [subset for subset in result.subsets if subset.relative_rmse is not None]
    if known:
        best = min(subset.relative_rmse or 0.0 for subset in known)
        enough = [subset for subset in known if (subset.relative_rmse or 0.0) <= wording.NEAR * best]
        least = min(enough, key=lambda subset: (len(subset.devices), subset.relative_rmse))
        said = f"the fewest that come within a tenth of the least error of all subsets: {number(least.relative_rmse)}"
        names = " + ".join(plain(name) for name in least.devices)
        yield Highlight("enough cards", names, Verdict(said))
