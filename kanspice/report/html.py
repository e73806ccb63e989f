"""A gap as one self-contained page to read, print and send."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from kanspice.gap.result import GapResult
from kanspice.report import cause_plots, physical, plots, sample_plots, verdict, waveform_plots
from kanspice.report.words import (
    counted,
    devices,
    durations,
    encodable,
    number,
    pair,
    peaks,
    plain,
    share,
    technology_name,
)

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE = "report.html.j2"
SHOWN_WAVEFORMS = 3
"""Of so many samples a page shows the node voltages over time."""


def to_html(result: GapResult) -> str:
    """The page: how far, whether to trust it, where it arises, whether it matters, and how it was measured.

    Everything that came from a file is escaped; pictures are inside the page.
    """
    page = _template().render(
        result=result,
        title=f"Sim-to-real gap of {plain(result.model.get('path', 'a model'))}",
        verdicts={
            "distance": verdict.distance(result),
            "numerical": verdict.numerical(result),
            "cross_check": None if result.cross_check is None else verdict.cross_check(result.cross_check),
            "failures": verdict.failures(result),
            "weakest": verdict.weakest(result),
            "decisions": verdict.decisions(result),
            "outcome": verdict.outcome(result),
        },
        pictures={
            "parity": _inside(plots.parity(result)),
            "stages": _inside(plots.stages(result)),
            "errors": _inside(plots.errors(result)),
        },
        waveforms=[
            (shown.sample, _inside(waveform_plots.waveforms(shown))) for shown in result.waveforms[:SHOWN_WAVEFORMS]
        ],
        causes=_inside(cause_plots.causes(result)) if result.causes else "",
        points=_points(result),
        physical=None if result.physical is None else physical.section(result.physical),
        accuracies=_accuracies(result),
        limits=[(limit, *pair(limit.value, limit.max)) for limit in result.limits],
        facts=_facts(result),
        details={
            "design": _pretty(result.design),
            "engine": _pretty(result.engine),
            "versions": _pretty(result.versions),
        },
        number=number,
        plain=plain,
    )
    return encodable(page)


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - most runs write no page

    environment = Environment(
        loader=PackageLoader("kanspice.report", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template(TEMPLATE)


def _inside(picture: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(picture).decode("ascii")


def _points(result: GapResult) -> dict[str, str]:
    """Pictures of samples that are points of a plane, by what a reader who cannot see them is told."""
    if not sample_plots.are_points(result):
        return {}
    return {
        "The network's samples beside the circuit's": _inside(sample_plots.samples(result)),
        "The error of every sample, magnified": _inside(sample_plots.displacements(result)),
    }


def _accuracies(result: GapResult) -> list[tuple[str, str]]:
    accuracies, losses = result.accuracy or {}, result.loss or {}
    found = [(f"accuracy of the {name}", share(value, result.samples)) for name, value in accuracies.items()]
    return found + [(f"loss of the {name}", f"{number(value)} (mean squared error)") for name, value in losses.items()]


def _facts(result: GapResult) -> list[tuple[str, str]]:
    """What was measured, with what: label and text."""
    model, design, engine, inputs = result.model, result.design, result.engine, result.inputs
    return [
        (
            "model",
            f"{plain(model.get('path'))} ({plain(model.get('family'))}, {counted(model.get('parameters'))} parameters)",
        ),
        ("model's SHA-256", plain(model.get("sha256"))),
        ("circuit", f"{devices(design.get('devices'))}, {counted(design.get('nodes'))} nodes"),
        ("fidelity, technology", f"{plain(design.get('fidelity'))}, {technology_name(design)}"),
        ("engine", f"{plain(engine.get('name'))} {plain(engine.get('version'))}"),
        ("samples", f"{result.samples:,} from {plain(inputs.get('path'))}"),
        ("inputs' SHA-256", plain(inputs.get("sha256"))),
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
