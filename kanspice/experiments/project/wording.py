"""What a projection's numbers say, in plain sentences and tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kanspice.report.blocks import Fact, Table
from kanspice.report.formatting import NOTHING, many, number, percentage, plain, share
from kanspice.report.verdict import Verdict

if TYPE_CHECKING:
    from kanspice.experiments.project.result import EdgeError, Projection

_FIRST_SUBSETS = 3
"""So many subsets of each size are in the short table."""
LOST = 0.01
"""Of the samples: an accuracy that falls by more is worth a warning."""
NEAR = 1.1
"""Times the least error: subsets that do as well."""


def answer(result: Projection) -> Verdict:
    """How far the network of devices is from the learnt one."""
    before = f"{number(result.gap.relative_rmse)} standard deviations (RMS)"
    return Verdict(f"Made of devices the network is {before} from the learnt one on {many(result.samples, 'sample')}")


def outcome(result: Projection) -> Verdict:
    """The last word."""
    if result.beyond:
        said = (
            f"FAILED: {many(len(result.beyond), 'edge')} that this basis does not fit within {number(result.max_edge)}"
        )
        return Verdict(f"{said}: {named(result.beyond)}", warning=True)
    return Verdict("projected; no limit was given" if result.max_edge is None else "passed: every edge is fitted")


def named(edges: tuple[EdgeError, ...], most: int = 5) -> str:
    """Edges with their errors, the worst first."""
    shown = "; ".join(f"{edge.name} by {number(edge.rmse)}" for edge in edges[:most])
    return shown + (f"; and {len(edges) - most} more" if len(edges) > most else "")


def basis(result: Projection) -> str:
    """What edges are made of."""
    constant = ", and a constant in each column" if result.constant else ""
    return f"{', '.join(plain(name) for name in result.devices)}{constant}"


def inputs(result: Projection) -> str:
    """How values reach the devices."""
    hidden = f"hidden nodes' ranges on the samples become 0 to {result.top_v:g} V, folded into the layer before"
    if result.inputs_mapped:
        return f"a first layer of resistors maps each input's range to 0 to {result.top_v:g} V; {hidden}"
    return f"the network's inputs are within 0 to {result.top_v:g} and taken as volts; {hidden}"


def accuracies(result: Projection) -> Iterator[Fact]:
    """With labels: of the network, of the projection, after fine-tuning."""
    found = result.accuracy
    if found is None:
        return
    yield "accuracy", f"the learnt network {share(found.network, result.samples)}"
    yield "projected", _against(found.projected, found.network, result.samples)
    if found.tuned is not None:
        yield "fine-tuned", _against(found.tuned, found.network, result.samples)


def _against(fraction: float, network: float, samples: int) -> Verdict:
    lost = 100 * (network - fraction)
    change = "none lost" if lost <= 0 else f"{lost:.1f} points lost"
    return Verdict(f"{share(fraction, samples)}: {change}", warning=lost > 100 * LOST)


def outputs(result: Projection) -> Table:
    """The whole network, before and after fine-tuning."""
    rows = [(f"projected, all {many(result.samples, 'sample')}", result.gap)]
    if result.tuning is not None:
        unseen = f"the {result.tuning.held_out} held out"
        rows += [
            (f"projected, {unseen}", result.tuning.before),
            (f"fine-tuned, {unseen}", result.tuning.unseen),
            (f"fine-tuned, the {result.tuning.trained} it saw", result.tuning.seen),
        ]
    return Table(
        ("outputs", "relative\nRMSE", "largest\nerror", "same\nargmax"),
        [
            (name, number(gap.relative_rmse), number(gap.max_relative), _share(gap.argmax_agreement))
            for name, gap in rows
        ],
    )


def tuning(result: Projection) -> Verdict | None:
    """What fine-tuning did, and which network is kept."""
    found = result.tuning
    if found is None:
        return None
    epochs, unseen = many(found.epochs, "epoch"), f"the {many(found.held_out, 'sample')} that it did not see"
    if found.kept:
        return Verdict(f"fine-tuned for {epochs}: better on {unseen}, and kept")
    hint = "fewer epochs or more samples may help"
    return Verdict(f"{epochs} of fine-tuning: not better on {unseen}, so left out; {hint}", warning=True)


def layers(result: Projection) -> Table:
    """What each layer's edges do together."""
    header = ("layer", "edges", "exact\ninputs", "inputs as\nthey arrive", "largest\narea", "areas\ntogether")
    rows = [
        (
            layer.name,
            f"{layer.edges:,}",
            *(number(value) for value in (layer.exact, layer.arrived, layer.largest_area, layer.total_area)),
        )
        for layer in result.layers
    ]
    return Table(header, rows)


def edges(result: Projection) -> Table:
    """Those that the basis fits worst."""
    rows = [(edge.name, number(edge.rmse), number(edge.relative)) for edge in result.worst]
    return Table(("edge", "of the layer's\nsums", "of the edge's\nown function"), rows)


def best_subsets(result: Projection) -> Table:
    """The best few of each size."""
    sizes: dict[int, int] = {}
    rows = []
    for row, subset in zip(subsets(result).rows, result.subsets, strict=True):
        sizes[len(subset.devices)] = sizes.get(len(subset.devices), 0) + 1
        if sizes[len(subset.devices)] <= _FIRST_SUBSETS:
            rows.append(row)
    return Table(_HEADER, rows, more=len(result.subsets) - len(rows))


_HEADER = ("cards", "relative\nRMSE", "same\nargmax", "accuracy", "largest\narea")


def subsets(result: Projection) -> Table:
    """All of them."""
    rows = [
        (
            " + ".join(plain(name) for name in subset.devices),
            number(subset.relative_rmse),
            _share(subset.argmax_agreement),
            _share(subset.accuracy),
            number(subset.largest_area),
        )
        for subset in result.subsets
    ]
    return Table(_HEADER, rows)


def _share(fraction: float | None) -> str:
    return NOTHING if fraction is None else percentage(fraction)
