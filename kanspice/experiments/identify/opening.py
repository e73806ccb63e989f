"""What an identified chip's page opens with: whether it is explained, why it is off, what to measure next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kanspice.experiments.identify.plots import causes_plot, parts_plot, shared_causes
from kanspice.experiments.identify.result import UNEXPLAINED
from kanspice.experiments.verify.advice import advice
from kanspice.report.blocks import Highlight, Highlights, Picture
from kanspice.report.formatting import many, number, percentage, plain
from kanspice.report.verdict import Verdict

if TYPE_CHECKING:
    from kanspice.experiments.identify.result import IdentificationResult


def highlights(result: IdentificationResult) -> Highlights:
    """Whether the technology explains it, its twin, the main cause of its gap, how much is known."""
    return Highlights([_explained(result), _twin(result), *_cause(result), _told(result)])


def picture(result: IdentificationResult) -> Picture:
    """Causes of the measured gap; where none was looked for, what is known of the chip's parts."""
    if shared_causes(result):
        return Picture.of("Share of the measured squared gap that each cause makes", causes_plot, result)
    return Picture.of("How many numbers of each part are known", parts_plot, result)


def _explained(result: IdentificationResult) -> Highlight:
    of = f"{number(100 * result.chance)} % of the technology's chips are as unlikely"
    if result.is_explained:
        return Highlight("explained", "yes", Verdict(of), again=True)
    if not result.came_near:
        said = Verdict("measure more samples, or leave less unknown", warning=True)
        return Highlight("explained", "not known", said, again=True)
    found = next((suspect for suspect in result.suspects if suspect.is_found), None)
    what = "something is missing from the technology"
    if found is not None:
        what = f"set {plain(found.name)} to about {number(found.value)}, or say that it is not known (`--unknown`)"
    return Highlight("explained", "no", Verdict(what, warning=True))


def _twin(result: IdentificationResult) -> Highlight:
    said = f"of the network's spread, where it was not fitted; the chip itself is off by {number(result.gap)}"
    return Highlight("its twin is off by", number(result.error), Verdict(said), again=True)


def _cause(result: IdentificationResult) -> list[Highlight]:
    shares = shared_causes(result)
    if not shares:
        return []
    main, share = shares[0], percentage(shares[0].share or 0.0)
    if main.name == UNEXPLAINED:
        return [Highlight("main cause", "not known", Verdict(f"the twin does not explain {share} of the squared gap"))]
    return [Highlight("main cause", plain(main.name), Verdict(f"{share} of the squared gap; {advice(main.name)}"))]


def _told(result: IdentificationResult) -> Highlight:
    """How much these samples tell, and which others would tell most."""
    of = f"of {many(result.unknowns, 'unknown')}, by {many(result.numbers, 'measured number')}"
    next_ = ", ".join(str(each.sample) for each in result.telling[:3])
    more = f"; samples {next_} would tell most" if next_ else ""
    return Highlight("known", number(result.informed), Verdict(f"{of}{more}"), again=True)
