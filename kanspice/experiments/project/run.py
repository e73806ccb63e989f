"""Projects a KAN of learnt edges onto devices: least squares edge by edge, over what each edge sees of the samples."""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.devices import Device
from kanspice.engine.progress import Progress
from kanspice.experiments.evidence import Evidence
from kanspice.experiments.facts import InputsFacts, ModelFacts
from kanspice.experiments.project.fit import edge_errors, fitted
from kanspice.experiments.project.network import TOP_V, Placement, planned
from kanspice.experiments.project.result import Accuracy, EdgeCourse, EdgeError, LayerError, Projection, Tuning
from kanspice.experiments.project.subsets import MOST_SAMPLES, Labels, SubsetSamples, tried_subsets
from kanspice.families import LoadedModel
from kanspice.families.common.following import followed_stages, reference_stages
from kanspice.families.common.network import DivergenceError
from kanspice.families.edgekan.arrays import why_not
from kanspice.families.edgekan.moments import BLOCK, Moments, basis, edge_functions, moments
from kanspice.families.edgekan.network import EdgeKAN
from kanspice.families.kanalogue.distilling import distil
from kanspice.families.kanalogue.network import KANalogue
from kanspice.gap.metrics import accuracy, compare, spread

MOST_CARDS = 8
_HELD_OUT = 5
"""Every fifth sample is not fine-tuned on, but tells what that does."""
_SHOWN_EDGES = 6
_POINTS = 201


@dataclass(frozen=True)
class ProjectOptions:
    """devices: of every crosspoint. constant: whether edges have one. ridge: what holds areas back, as in `fitted`.

    fine_tune: epochs. max_edge: what an edge's error may be, in standard deviations of its layer's sums.
    Raises InputError for devices that are the same, or too many, and for numbers that cannot be used.
    """

    devices: tuple[Device, ...]
    constant: bool = False
    ridge: float = 1e-4
    fine_tune: int = 0
    max_edge: float | None = None

    @property
    def subsets(self) -> int:
        """How many subsets of the cards there are."""
        return (1 << len(self.devices)) - 1

    def __post_init__(self) -> None:
        names = [device.name for device in self.devices]
        if not names or len(names) > MOST_CARDS or len(set(names)) < len(names):
            expected = f"1 to {MOST_CARDS} cards, each once"
            raise InputError(
                "these cards cannot be a basis", where="--devices", expected=expected, found=", ".join(names)
            )
        for where, value in (("--ridge", self.ridge), ("--max-edge", self.max_edge)):
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise InputError("is no such number", where=where, expected="0 or more, finite", found=f"{value:g}")


def project(
    loaded: LoadedModel, evidence: Evidence, options: ProjectOptions, progress: Progress | None = None
) -> Projection:
    """The network made of devices, and how far it is from the learnt one on the samples.

    progress: called `options.subsets` times. Raises InputError for a network that has no learnt edges, for no more
    samples than an edge has devices, and for inputs that no device takes; DivergenceError where the network itself has
    no finite values for some sample.
    """
    model = _edges_of(loaded)
    inputs = np.ascontiguousarray(evidence.inputs, dtype=np.float64)
    _check_samples(len(inputs), options)
    learnt = _Learnt.of(model, inputs)
    placement = planned(model, learnt.values, options.devices)
    layers = zip(model.edge_layers, learnt.values, placement.maps, strict=True)
    found = [moments(layer, values, to_volts, options.devices) for layer, values, to_volts in layers]

    def areas_with(chosen: Sequence[int]) -> list[Array]:
        return [fitted(each, chosen, constant=options.constant, ridge=options.ridge) for each in found]

    areas = areas_with(range(len(options.devices)))
    edges = [error for layer in range(len(areas)) for error in _edge_errors(layer, found[layer], areas[layer], learnt)]
    edges.sort(key=lambda edge: -edge.rmse)
    network, original = placement.built(areas), placement.original(copy.deepcopy(model))
    network.original = original
    stages = reference_stages(network, inputs)
    arrived = [original.sums(layer, stages) for layer in range(len(areas))]
    gap = compare(list(stages.values())[-1], learnt.outputs)
    limit = math.inf if options.max_edge is None else options.max_edge
    result = Projection(
        model=ModelFacts.of(loaded),
        inputs=InputsFacts(evidence.source, hashlib.sha256(inputs.tobytes()).hexdigest()),
        samples=len(inputs),
        devices=tuple(device.name for device in options.devices),
        constant=options.constant,
        ridge=options.ridge,
        top_v=TOP_V,
        inputs_mapped=placement.first,
        layers=tuple(_layer_errors(placement, areas, learnt, network, arrived)),
        gap=gap,
        worst=tuple(edges[:_SHOWN_EDGES]),
        subsets=tried_subsets(placement, areas_with, SubsetSamples(inputs, learnt.outputs, evidence.labels), progress),
        subset_samples=min(len(inputs), MOST_SAMPLES),
        max_edge=options.max_edge,
        beyond=tuple(edge for edge in edges if edge.rmse > limit),
        notes=loaded.notes,
        courses=tuple(_course(edge, model, placement, areas, learnt) for edge in edges[:_SHOWN_EDGES]),
        reference=learnt.outputs,
    )
    return _finished(result, network, learnt, evidence.labels, options)


def _edges_of(loaded: LoadedModel) -> EdgeKAN:
    if isinstance(loaded.model, EdgeKAN):
        return loaded.model
    raise InputError(
        "this network has no learnt edges that could be made of devices",
        where=loaded.path,
        expected="a KAN of splines or polynomials: pykan, efficient-kan, the KANalogue authors' BSplineKAN, ...",
        found=f"a network of the family {loaded.family}",
        hint="it has a circuit as it is: kanspice verify",
    )


def _check_samples(samples: int, options: ProjectOptions) -> None:
    """So many functions fit anything on as few samples."""
    functions = len(options.devices) + options.constant
    if samples <= functions:
        expected = f"more than {functions}, the functions that each edge is made of"
        raise InputError("too few samples", where="--inputs", expected=expected, found=str(samples))


@dataclass(frozen=True)
class _Learnt:
    """What the learnt network does on the samples. values: what each layer sees; sums: what each adds up to."""

    values: tuple[Array, ...]
    sums: tuple[Array, ...]
    outputs: Array

    @classmethod
    def of(cls, model: EdgeKAN, inputs: Array) -> _Learnt:
        stages, without = followed_stages(model, inputs)
        if without:
            index, why = next(iter(without.items()))
            hint = f"leave such samples out: {why_not(model, inputs[index])}"
            raise DivergenceError(
                "the network has no finite answer for some samples", where=f"sample {index}, {why}", hint=hint
            )
        layers = range(1, len(model.specs) + 1)
        sums = tuple(stages[f"l{layer}.layer"] for layer in layers)
        after = [stages.get(f"l{layer}.norm", stages[f"l{layer}.layer"]) for layer in layers]
        return cls((inputs, *after[:-1]), sums, after[-1])


def _edge_errors(layer: int, found: Moments, areas: Array, learnt: _Learnt) -> list[EdgeError]:
    errors, own = edge_errors(found, areas), np.sqrt(found.variance)
    scale = spread(learnt.sums[layer]) or 1.0
    return [
        EdgeError(
            layer + 1, source, target, float(error) / scale, float(error / own[source, target]) if varies else None
        )
        for (source, target), error in np.ndenumerate(errors)
        for varies in (own[source, target] > 1e-12 * scale,)
    ]


def _layer_errors(
    placement: Placement, areas: Sequence[Array], learnt: _Learnt, network: KANalogue, arrived: Sequence[Array]
) -> list[LayerError]:
    """arrived: each layer's sums in the network of devices."""
    errors = []
    for layer, each in enumerate(areas):
        place = layer + 1 + placement.first
        values, sums = learnt.values[layer], learnt.sums[layer]
        blocks = [values[start : start + BLOCK] for start in range(0, len(values), BLOCK)]
        exact = np.concatenate([placement.summed(layer, block, each) for block in blocks])
        built = np.abs(network.state_dict()[f"crossbars.{place - 1}.coeffs"].numpy())
        errors.append(
            LayerError(
                name=f"l{layer + 1}",
                edges=each.shape[0] * each.shape[2],
                exact=compare(exact, sums).relative_rmse,
                arrived=compare(arrived[layer], sums).relative_rmse,
                largest_area=float(built.max()),
                total_area=float(built.sum()),
            )
        )
    return errors


def _course(
    edge: EdgeError, model: EdgeKAN, placement: Placement, areas: Sequence[Array], learnt: _Learnt
) -> EdgeCourse:
    layer, seen = edge.layer - 1, learnt.values[edge.layer - 1][:, edge.source]
    grid = np.linspace(seen.min(), seen.max(), _POINTS)
    values = np.repeat(learnt.values[layer][:1], _POINTS, axis=0)
    values[:, edge.source] = grid
    learnt_course = edge_functions(model.edge_layers[layer], values)[:, edge.source, edge.target]
    curves = basis(placement.devices, placement.volts(layer, values))[:, edge.source]
    return EdgeCourse(edge, grid, learnt_course, curves @ areas[layer][edge.source, :, edge.target], seen)


def _finished(
    result: Projection, network: KANalogue, learnt: _Learnt, labels: Labels | None, options: ProjectOptions
) -> Projection:
    """With fine-tuning where it is wanted, accuracies where there are labels, and the network that is kept."""
    inputs = learnt.values[0]
    tuned = None
    if options.fine_tune:
        tuned, tuning = _tuned(network, learnt, options.fine_tune)
        result = replace(result, tuning=tuning)
    if labels is not None:
        of_each = [_outputs(each, inputs) for each in (network, tuned) if each is not None]
        found = [accuracy(made, labels) for made in (learnt.outputs, *of_each)]
        result = replace(result, accuracy=Accuracy(found[0], found[1], found[2] if tuned is not None else None))
    kept = tuned if tuned is not None and result.is_tuned else network
    kept.origin = tuple(_origin(result))
    return replace(result, network=kept)


def _tuned(network: KANalogue, learnt: _Learnt, epochs: int) -> tuple[KANalogue, Tuning]:
    """A copy that was trained on all samples but every fifth, and how far it is from the learnt network on both."""
    inputs, outputs = learnt.values[0], learnt.outputs
    held = np.arange(len(inputs)) % _HELD_OUT == _HELD_OUT - 1
    if not held.any():
        problem, found = "too few samples to fine-tune with, and to see what that does", str(len(inputs))
        raise InputError(problem, where="--inputs", expected=f"{_HELD_OUT} samples or more", found=found)
    tuned = copy.deepcopy(network)
    distil(tuned, inputs[~held], outputs[~held], epochs)
    before, after, scale = _outputs(network, inputs), _outputs(tuned, inputs), spread(outputs)
    tuning = Tuning(
        epochs=epochs,
        trained=int(np.sum(~held)),
        held_out=int(np.sum(held)),
        before=compare(before[held], outputs[held], scale=scale),
        unseen=compare(after[held], outputs[held], scale=scale),
        seen=compare(after[~held], outputs[~held], scale=scale),
    )
    return tuned, tuning


def _outputs(network: KANalogue, inputs: Array) -> Array:
    return list(reference_stages(network, inputs).values())[-1]


def _origin(result: Projection) -> list[str]:
    """What the checkpoint says of where it comes from."""
    layers = ", ".join(f"{layer.name} {_figure(layer.exact)}" for layer in result.layers)
    said = [
        f"projected from a KAN ({result.model.format}, SHA-256 {result.model.sha256[:12]}...) onto {_basis(result)}",
        f"projection: relative RMSE {_figure(result.gap.relative_rmse)} from that KAN's outputs on {result.samples} "
        f"samples; by layer, with exact inputs: {layers}"[:400],
    ]
    if result.tuning is not None and result.is_tuned:
        tuning = result.tuning
        unseen = (
            f"relative RMSE {_figure(tuning.unseen.relative_rmse)} on {tuning.held_out} samples that it did not see"
        )
        said.append(f"fine-tuned for {tuning.epochs} epochs: {unseen}, {_figure(tuning.before.relative_rmse)} before")
    return said


def _basis(result: Projection) -> str:
    return ", ".join([*result.devices, *(["a constant"] if result.constant else [])])[:200]


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
