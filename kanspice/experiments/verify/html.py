"""A gap as one self-contained page to read, print and send."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from kanspice.experiments.verify import (
    cause_plots,
    distributions,
    physical,
    plots,
    sample_plots,
    waveform_plots,
    wording,
)
from kanspice.experiments.verify.imperfections import imperfections
from kanspice.experiments.verify.result import GapResult
from kanspice.report.figures import encoded
from kanspice.report.formatting import (
    NOTHING,
    counted,
    devices,
    durations,
    encodable,
    known,
    number,
    pair,
    peaks,
    percent,
    plain,
    setting,
    share,
)
from kanspice.report.templates import inside, template

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEMPLATE = "report.html.j2"


SHOWN_WAVEFORMS = 3
"""Of so many samples a page shows the node voltages over time."""


def to_html(result: GapResult) -> str:
    """The page: how far, whether to trust it, where it arises, whether it matters, and how it was measured.

    Everything that came from a file is escaped; pictures are inside the page.
    """
    page = template(TEMPLATE).render(
        result=result,
        title=f"Sim-to-real gap of {plain(result.model.path)}",
        verdicts={
            "distance": wording.distance(result),
            "numerical": wording.numerical(result),
            "cross_check": None if result.cross_check is None else wording.cross_check(result.cross_check),
            "attribution": result.attribution and wording.attribution(result.attribution, result.samples),
            "failures": wording.failures(result),
            "weakest": wording.weakest(result),
            "decisions": wording.decisions(result),
            "outcome": wording.outcome(result),
        },
        solved_again=wording.solved_again(result),
        integrated_again=wording.integrated_again(result),
        pictures={
            "stages": drawn(plots.stages(result)),
            "parity": drawn(plots.parity(result)) if result.outputs.size else "",
            "errors": drawn(plots.errors(result)) if result.outputs.size else "",
        },
        waveforms=[
            (shown.sample, drawn(waveform_plots.waveforms(shown))) for shown in result.waveforms[:SHOWN_WAVEFORMS]
        ],
        causes=drawn(cause_plots.causes(result)) if result.causes else "",
        points=_points(result),
        distribution=[] if result.distribution is None else distributions.lines(result.distribution),
        physical=None if result.physical is None else physical.section(result.physical),
        accuracies=_accuracies(result),
        limits=[(limit, *pair(limit.value, limit.max)) for limit in result.limits],
        worst=result.worst,
        imperfections=imperfections(result),
        facts=_facts(result),
        details={
            "design": _pretty(asdict(result.design)),
            "engine": _pretty(asdict(result.engine)),
        },
        number=number,
        percent=percent,
        plain=plain,
        setting=setting,
    )
    return encodable(page)


def drawn(figure: Figure) -> str:
    """A figure as an address that needs no other file."""
    return inside(encoded(figure))


def _points(result: GapResult) -> dict[str, str]:
    """Pictures of samples that are points of a plane, or images, by what a reader who cannot see them is told."""
    found = {}
    if result.generated is not None:
        found = {alt: drawn(picture) for alt, picture in distributions.pictures(result.generated).items()}
    if not sample_plots.are_points(result):
        return found
    return {
        "The network's samples beside the circuit's": drawn(sample_plots.samples(result)),
        "The error of every sample, magnified": drawn(sample_plots.displacements(result)),
        **found,
    }


def _accuracies(result: GapResult) -> list[tuple[str, str]]:
    accuracies, losses = result.accuracy or {}, result.loss or {}
    found = [(f"accuracy of the {name}", share(value, result.samples)) for name, value in accuracies.items()]
    found += [(f"loss of the {name}", f"{number(value)} (mean squared error)") for name, value in losses.items()]
    return [*found, *wording.further(result)]


def _facts(result: GapResult) -> list[tuple[str, str]]:
    """What was measured, with what: label and text."""
    model, design, engine, inputs = result.model, result.design, result.engine, result.inputs
    return [
        (
            "model",
            f"{plain(model.path)} ({plain(model.family)}, {counted(model.parameters)} parameters)",
        ),
        ("model's SHA-256", plain(model.sha256)),
        ("circuit", f"{devices(design.devices)}, {counted(design.nodes)} nodes"),
        ("fidelity, technology", f"{plain(design.fidelity)}, {plain(design.technology_name)}"),
        ("engine", plain(engine.label)),
        ("samples", f"{result.samples:,} from {plain(inputs.path)}"),
        ("inputs' SHA-256", plain(inputs.sha256)),
        ("seed", known(engine.seed)),
        ("versions", ", ".join(f"{plain(name)} {plain(found)}" for name, found in result.versions.items()) or NOTHING),
        ("time", durations(result.timing)),
        ("memory", peaks(result.memory)),
    ]


def _pretty(data: Mapping[str, object]) -> str:
    return json.dumps(_finite(data), indent=2, ensure_ascii=False)


def _finite(value: object) -> object:
    """The same data with infinities and NaN as words: a reader's JSON, valid JSON."""
    if isinstance(value, Mapping):
        return {str(key): _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
