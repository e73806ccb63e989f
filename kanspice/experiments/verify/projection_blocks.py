"""How far circuit and network are from the learnt network that they were made of, as blocks of a page."""

from __future__ import annotations

from kanspice.experiments.verify import wording
from kanspice.gap.metrics import Gap
from kanspice.gap.projection import ProjectionGap
from kanspice.report.blocks import Block, Line, Table
from kanspice.report.formatting import NOTHING, number, percentage, plain
from kanspice.report.verdict import Verdict


def blocks(found: ProjectionGap, circuit: Gap, samples: int) -> tuple[Block, ...]:
    """Both parts of the gap and the whole, then where projection goes wrong.

    circuit: against its own network. samples: all of them.
    """
    said = wording.projection(found, samples)
    how = (
        "Errors of outputs add up sample by sample, so squares of these figures do where the two have nothing to do"
        " with each other. All are divided by the standard deviation of the outputs of the network of devices."
    )
    of_layers = (
        "Sums before any norm, in standard deviations of the learnt network's. Added: against the learnt layer, fed"
        " with the values that the layer of devices was given."
    )
    layers = [
        (plain(layer.name), number(layer.gap.relative_rmse), number(layer.added.relative_rmse))
        for layer in found.layers
    ]
    return (
        Line(Verdict(f"{said.text}.", said.warning)),
        Table(
            ("from - to", "relative\nRMSE", "largest\nerror", "same\nargmax"),
            [
                _row("network of devices - learnt: projection", found.made),
                _row("circuit - network of devices", circuit),
                _row("circuit - learnt: both", found.whole),
            ],
        ),
        Line(Verdict(how), small=True),
        Table(("learnt layer,\nmade of devices", "relative\nRMSE", "added\nhere"), layers),
        Line(Verdict(of_layers), small=True),
    )


def _row(name: str, gap: Gap) -> tuple[str, str, str, str]:
    agreement = NOTHING if gap.argmax_agreement is None else percentage(gap.argmax_agreement)
    return name, number(gap.relative_rmse), number(gap.max_relative), agreement
