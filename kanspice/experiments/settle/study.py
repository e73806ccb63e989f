"""How fast the specimens of a circuit answer: settling times of many draws, at corners and along sweeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from kanspice.base.threads import one_thread
from kanspice.engine.progress import Progress
from kanspice.engine.running import check_mismatch
from kanspice.experiments.ensemble import ensemble as ensembles
from kanspice.experiments.ensemble.draws import PointDraws
from kanspice.experiments.ensemble.identity import circuits_sha256, sha256
from kanspice.experiments.ensemble.workers import Workers
from kanspice.experiments.facts import ModelFacts, versions
from kanspice.experiments.notes import device_notes, speed_notes
from kanspice.experiments.prepared import PreparedDraws, network_of, points_for
from kanspice.experiments.settle.plan import SettlingRequest
from kanspice.experiments.settle.run import expected_outputs
from kanspice.experiments.settle.settling import Settling
from kanspice.experiments.settle.specimens import CheckedSettling, SettlingSetup, metrics_within
from kanspice.experiments.sizing import SizingSamples, check_is_sized
from kanspice.experiments.studied import Studied
from kanspice.families import compile_nominal, sizing_for
from kanspice.families.common import load_array
from kanspice.gap.judging import check_names
from kanspice.gap.metric_table import Metric
from kanspice.report.blocks import Page
from kanspice.report.shown import Shown


@dataclass(frozen=True, repr=False)
class SettlingStudy(Studied, Shown):
    """One `settle` of many draws. model_notes: how the network was read. timing: how long it took."""

    solved, quantities = "settled", "times"

    request: SettlingRequest
    model: ModelFacts
    model_notes: tuple[str, ...]
    versions: Mapping[str, str]
    samples: int
    points: tuple[PointDraws, ...]
    checks: tuple[CheckedSettling, ...]
    timing: Mapping[str, float] = field(default_factory=dict, compare=False)

    def page(self) -> Page:
        from kanspice.experiments.settle.study_page import settling_study_page  # noqa: PLC0415 - which shows this

        return settling_study_page(self)

    @cached_property
    def known(self) -> Mapping[str, Metric[Settling]]:  # type: ignore[override]
        """Every metric by its name."""
        return {metric.name: metric for metric in metrics_within(self.request.within)}

    @property
    def metric(self) -> str:
        """What the study is about: the first limit's, or the latency."""
        return self.request.limits[0][0] if self.request.limits else "latency_s"

    @property
    def beside(self) -> list[str]:
        """The longest settling times of draws, but to within the smallest tolerance: that is the latency."""
        shown = ["latency_s", *(f"settled_{tolerance:g}_s" for tolerance in self.request.within[:-1])]
        return [metric for metric in shown if metric != self.metric]


@dataclass(frozen=True)
class PreparedSettlingStudy(PreparedDraws[SettlingRequest, SettlingSetup, CheckedSettling]):
    """A study of settling times that can begin."""

    check = CheckedSettling


def prepare(request: SettlingRequest) -> PreparedSettlingStudy:
    """Loads, follows the network once, and compiles the nominal circuit of every point.

    Raises InputError for files, technologies or limits that cannot be used, SimulatorError where the network has no
    answer.
    """
    check_names(request.limits, [metric.name for metric in metrics_within(request.within)])
    loaded = network_of(request)
    population = load_array(request.at(request.inputs), "the inputs", loaded.input_width, loaded.model.input_axes)
    inputs = population[: request.limit]
    points = points_for(request, loaded)
    apart = SizingSamples.read(loaded, request.sized_for and request.at(request.sized_for))
    if apart is not None:
        check_is_sized(loaded, *(point.technology for point in points))
    with one_thread():
        setups = list[SettlingSetup]()
        for point in points:
            sizing = sizing_for(loaded, point.technology, population if apart is None else apart.inputs)
            design = compile_nominal(loaded, point.technology, sizing)
            check_mismatch(design, request.engine)
            expected = setups[0].expected if setups else expected_outputs(loaded, design, inputs)
            options = request.options(request.seed)
            setups.append(SettlingSetup(point.index, design, point.technology, inputs, expected, options))
    identity = {
        "circuits": circuits_sha256(setup.design for setup in setups),
        "inputs": sha256(inputs),
        **({} if apart is None else {"sized_for": apart.facts.sha256}),
        "versions": versions(),
        "request": request.to_dict(),
    }
    notes = (*loaded.notes, *device_notes(loaded, setups[0].design), *speed_notes(setups[0].design, request.engine))
    model = replace(ModelFacts.of(loaded), path=request.model)
    return PreparedSettlingStudy(request, points, tuple(setups), model, notes, identity)


def start(request: SettlingRequest, folder: Path) -> PreparedSettlingStudy:
    """Prepares a study and makes its folder. Raises InputError where the folder holds something already."""
    return ensembles.start(request, folder, prepare)


def resume(folder: Path) -> PreparedSettlingStudy:
    """Prepares the study of a folder again. Raises InputError where its results would not be the same any more."""
    return ensembles.resume(folder, SettlingRequest, prepare)


def run(
    prepared: PreparedSettlingStudy, folder: Path, workers: Workers | None = None, progress: Progress | None = None
) -> SettlingStudy:
    """Measures what the folder's journal does not have yet, and returns everything.

    progress: told of every finished draw, at once of those that the journal has, and of cross-checks.
    """
    records = prepared.measured(folder, workers, progress)
    return SettlingStudy(
        request=prepared.request,
        model=prepared.model,
        model_notes=prepared.model_notes,
        versions=versions(),
        samples=len(prepared.setups[0].inputs),
        points=prepared.gathered(records, PointDraws),
        checks=records.checks_in_order,
        timing=records.timing,
    )
