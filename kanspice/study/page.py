"""A study as one self-contained page."""

from __future__ import annotations

import json

from kanspice.report.html import inside, template
from kanspice.report.words import counted, encodable, many, plain, share
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
    labelled = result.reference_accuracy is not None
    if len(result.request.sweeps) == 1:
        others = ["accuracy"] if labelled else ["energy_distance"] if result.points[0].told_apart is not None else []
        for metric in dict.fromkeys([*others, result.metric]):
            alt = f"{wording.title(metric)} along {result.request.sweeps[0].key}: mean, 90 % of draws, extremes"
            found.append((alt, plots.along(result, metric)))
    if len(result.request.sweeps) == 2:
        found += _surfaces(result, labelled=labelled)
    if 0 < sum(point.is_random for point in result.points) <= plots.LINES:
        alt = f"Share of draws with a {wording.METRIC_NAMES[result.metric]} up to each value"
        found.append((alt, plots.distribution(result)))
    return [(plain(alt), inside(picture)) for alt, picture in found]


def _surfaces(result: StudyResult, *, labelled: bool) -> list[tuple[str, bytes]]:
    quantities: list[tuple[str, plots.Quantity]] = [
        (f"Median {wording.METRIC_NAMES[result.metric]}", lambda point: _median(point, result.metric))
    ]
    if labelled:
        quantities.insert(0, ("Mean accuracy (%)", _accuracy))
    if result.request.wanted_yield is not None:
        quantities.insert(0, ("Yield (%)", lambda point: 100 * point.yield_.fraction))
    found = []
    for corner in dict.fromkeys(point.point.corner for point in result.points):
        for name, quantity in quantities:
            title = f"{name}, {plain(corner)}" if corner else name
            found.append((f"{title} over both swept values", plots.surface(result, corner, title, quantity)))
    return found


def _median(point: PointResult, metric: str) -> float | None:
    found = point.distribution(metric)
    return None if found is None else found.median


def _accuracy(point: PointResult) -> float | None:
    found = point.distribution("accuracy")
    return None if found is None else 100 * found.mean


def _facts(result: StudyResult) -> list[tuple[str, str]]:
    request, model = result.request, result.facts["model"]
    assert isinstance(model, dict)  # noqa: S101 - of our own making
    accuracy = result.reference_accuracy
    return [
        ("model", f"{plain(model['path'])} ({plain(model['family'])}, {counted(model['parameters'])} parameters)"),
        ("model's SHA-256", plain(model["sha256"])),
        *[("read", plain(note)) for note in model["notes"]],
        ("technology", plain(", ".join([request.tech or "ideal", *request.set_]))),
        ("engine", request.engine_and_device),
        ("samples", f"{many(result.samples, 'sample')} from {plain(request.inputs)}, the same for every draw"),
        *([("accuracy of the network", share(accuracy, result.samples))] if accuracy is not None else []),
        ("draws", f"{many(request.trials, 'draw')} of seed {request.seed}, the same specimens at every point"),
    ]
