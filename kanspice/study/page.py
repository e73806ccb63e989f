"""A study as one self-contained page."""

from __future__ import annotations

import json

from kanspice.gap.metric_table import BY_NAME
from kanspice.report.html import inside, template
from kanspice.report.words import counted, encodable, many, plain
from kanspice.study import plots, wording
from kanspice.study.result import PointResult, StudyResult

TEMPLATE = "study.html.j2"


def to_html(result: StudyResult) -> str:
    """The page: the yield or the gap first, whether to trust it, how it is distributed, how it was measured."""
    worst, command = wording.worst(result)
    page = template(TEMPLATE).render(
        title=f"Study of {plain(result.request.model)}",
        answer=wording.answer(result),
        outcome=wording.outcome(result),
        unresolved=wording.unresolved(result),
        good=wording.limits(result) if result.request.wanted_yield is not None else "",
        trust=_trust(result),
        pictures=_pictures(result),
        header=[*wording.place(result), *wording.columns(result)],
        rows=[[*wording.place_of(result, point), *wording.cells(result, point)] for point in result.points],
        worst=worst,
        command=command,
        facts=_facts(result),
        versions=json.dumps(result.facts["versions"], indent=2),
    )
    return encodable(page)


def _trust(result: StudyResult) -> list[tuple[str, object]]:
    rows = [
        ("enough draws?", wording.certainty(result)),
        ("draws", wording.fixed(result)),
        ("distribution", wording.generated(result)),
        ("samples", wording.failures(result)),
        ("numerical error", wording.numerical(result)),
        *(("other engine", said) for said in wording.cross_check(result)),
    ]
    return [(label, said) for label, said in rows if said is not None]


def _pictures(result: StudyResult) -> list[tuple[str, str]]:
    """Pictures by what a reader who cannot see them is told."""
    found = []
    if len(result.request.sweeps) == 1:
        generated = ["energy_distance"] if result.points[0].told_apart is not None else []
        others = wording.beside(result) or generated
        for metric in dict.fromkeys([*others, result.metric]):
            alt = f"{wording.title(metric)} along {result.request.sweeps[0].key}: mean, 90 % of draws, extremes"
            found.append((alt, plots.along(result, metric)))
    if len(result.request.sweeps) == 2:
        found += _surfaces(result)
    if 0 < sum(point.is_random for point in result.points) <= plots.LINES:
        alt = f"Share of draws with a {BY_NAME[result.metric].title} up to each value"
        found.append((alt, plots.distribution(result)))
    return [(plain(alt), inside(picture)) for alt, picture in found]


def _surfaces(result: StudyResult) -> list[tuple[str, bytes]]:
    quantities = [_quantity(result, metric) for metric in (*wording.beside(result), result.metric)]
    if result.request.wanted_yield is not None:
        quantities.insert(0, ("Yield (%)", lambda point: 100 * point.yield_.fraction))
    found = []
    for corner in dict.fromkeys(point.point.corner for point in result.points):
        for name, quantity in quantities:
            title = f"{name}, {plain(corner)}" if corner else name
            found.append((f"{title} over both swept values", plots.surface(result, corner, title, quantity)))
    return found


def _quantity(result: StudyResult, metric: str) -> tuple[str, plots.Quantity]:
    """What is drawn of a metric over both sweeps, and its title."""
    title, in_percent = BY_NAME[metric].title, metric in result.of_network and wording.is_fraction(metric)

    def of_point(point: PointResult) -> float | None:
        found = point.distribution(metric)
        if found is None:
            return None
        return 100 * found.mean if in_percent else found.median

    return f"Mean {title} (%)" if in_percent else f"Median {title}", of_point


def _facts(result: StudyResult) -> list[tuple[str, str]]:
    request, model = result.request, result.facts["model"]
    assert isinstance(model, dict)  # noqa: S101 - of our own making
    return [
        ("model", f"{plain(model['path'])} ({plain(model['family'])}, {counted(model['parameters'])} parameters)"),
        ("model's SHA-256", plain(model["sha256"])),
        *[("read", plain(note)) for note in model["notes"]],
        ("technology", plain(", ".join([request.tech or "ideal", *request.set_]))),
        ("engine", request.engine_and_device),
        ("samples", f"{many(result.samples, 'sample')} from {plain(request.inputs)}, the same for every draw"),
        *((f"{title} of the network", value) for title, value in wording.network(result)),
        ("draws", f"{many(request.trials, 'draw')} of seed {request.seed}, the same specimens at every point"),
    ]
