"""KirchhoffNet: a circuit whose node voltages, left alone for a time, turn inputs into outputs; in float64.

"KirchhoffNet: A Scalable Ultra Fast Analog Neural Network", Eq. 7, with capacitance C = 1 at every node:

    C dv_j/dt = sum over edges s -> j of g(v_s, v_j, theta) - sum over edges j -> d of g(v_j, v_d, theta)

Node 0 is ground, at 0 V. The inputs are the voltages at t = 0. Every layer is a period of time with edges of its
own; the voltages at the end of the last period are the outputs. All quantities are plain numbers in model units.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Literal, Self, TypeVar, get_args

import torch
from torch import Tensor, nn

from kanspice.base.errors import InputError, errors_at
from kanspice.families.common.inputs import check_input
from kanspice.families.common.network import DivergenceError, Network
from kanspice.families.kirchhoffnet.branches import Branch
from kanspice.families.kirchhoffnet.generation import Generation
from kanspice.families.kirchhoffnet.integrator import Integrator
from kanspice.families.kirchhoffnet.layer import Layer
from kanspice.families.kirchhoffnet.projector import projector_of
from kanspice.families.kirchhoffnet.readout import parse_readout
from kanspice.families.kirchhoffnet.topology import Topology

FillName = Literal["zeros", "repeat"]
FILLS: tuple[FillName, ...] = get_args(FillName)
LONGEST_DURATION = 1e6
"""Of a layer, in model time: published ones are about 2, and an integrator follows no one's for ever."""
_Result = TypeVar("_Result")
_BLOCK_CURRENTS = 2**20  # of the samples that are solved together, without gradients


class KirchhoffNet(Network):
    """A KirchhoffNet of any number of layers.

    topologies, durations: the edges of each layer, and for how long they act (model time, positive).
    branch: the function g of all branches.
    input_width: how many inputs there are; node 1 takes the first. All nodes of the first layer if None.
    fill: what nodes start with that the inputs or the layer before do not have: "zeros" (0 V), or "repeat" (the
        voltages from node 1 on, over again). Nodes that a layer does not have are dropped.
    residual: (a, b), layers from 1: the voltages at the end of layer a are added to those at the end of layer b.
    readout: `first<n>` or `last<n>` nodes of the last layer, or `all`.
    projector: `weight` (outputs, voltages read out) and `bias` (outputs,) of a linear layer that what is read out goes
        through; it is computed, and no part of the circuit. None if the voltages read out are the outputs.
    generation: what it generates, if it does: its outputs are samples of a distribution. None if it does not.
    thetas: each layer's parameters, (rows, columns); float32 is widened, exactly. Drawn afresh if None.
    integrator: how the ODE is solved. It belongs to an experiment: checkpoints do not hold it.

    Without gradients, samples are solved in blocks, so that memory is bounded; with gradients (the adjoint method,
    whose memory does not grow with the number of steps), all at once. The step size follows the samples that are
    solved together, so results depend on them within the tolerance.

    Submodules: `layers[m].theta` (rows, columns), m from 0; `projector`, a Linear, or None.
    Raises InputError for layers, durations or names that cannot be used.
    """

    def __init__(
        self,
        topologies: Sequence[Topology],
        durations: Sequence[float],
        branch: Branch,
        *,
        input_width: int | None = None,
        fill: str = "zeros",
        residual: tuple[int, int] | None = None,
        readout: str = "all",
        projector: Mapping[str, Tensor] | None = None,
        generation: Generation | None = None,
        integrator: Integrator | None = None,
        thetas: Sequence[Tensor] | None = None,
    ) -> None:
        super().__init__()
        _check_durations(durations, len(topologies))
        self.branch = branch
        self.layers = nn.ModuleList(
            Layer(topology, branch, float(duration)) for topology, duration in zip(topologies, durations, strict=True)
        )
        self.nodes = tuple(topology.nodes for topology in topologies)
        self._inputs = _check_input_width(input_width, self.nodes[0])
        self.fill = _fill_name(fill)
        self.residual = _check_residual(residual, self.nodes)
        self.readout = parse_readout(readout, self.nodes[-1])
        self.projector = None if projector is None else projector_of(projector, self.readout.width)
        self.generation = generation
        if generation is not None:
            generation.check(self.nodes, self._inputs, residual=residual, readout=readout, projector=projector)
        self.integrator = integrator or Integrator()
        if thetas is None:
            self.initialise()
        else:
            self._take(thetas)

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of inputs, then of each layer's nodes."""
        return (self.input_width, *self.nodes)

    @property
    def input_width(self) -> int:
        return self._inputs

    @property
    def part_names(self) -> tuple[str, ...]:
        return (self.branch.name,)

    def tighter(self, times: float) -> Self:
        tight = copy.copy(self)
        tight.integrator = self.integrator.tighter(times)
        return tight

    def within(self, timeout_s: float) -> Self:
        limited = copy.copy(self)
        limited.integrator = replace(self.integrator, deadline=time.monotonic() + timeout_s)
        return limited

    @property
    def output_width(self) -> int:
        return self.readout.width if self.projector is None else self.projector.out_features

    @property
    def topologies(self) -> tuple[Topology, ...]:
        return tuple(layer.topology for layer in self._layers())

    @property
    def durations(self) -> tuple[float, ...]:
        return tuple(layer.duration for layer in self._layers())

    def initialise(self) -> None:
        """Draw fresh parameters of the branches from torch's global generator."""
        for layer in self._layers():
            layer.initialise()

    def _take(self, thetas: Sequence[Tensor]) -> None:
        wanted = [tuple(layer.theta.shape) for layer in self._layers()]
        found = [tuple(theta.shape) for theta in thetas]
        if wanted != found:
            raise InputError("the parameters do not fit the layers", expected=str(wanted)[:200], found=str(found)[:200])
        for layer, theta in zip(self._layers(), thetas, strict=True):
            layer.theta.data.copy_(theta)

    def stages(self, x: Tensor) -> dict[str, Tensor]:
        """Node voltages for inputs x (samples, inputs), in order; each is (samples, width).

        `l<m>.period`: all nodes of layer m at the end of its period, m from 1; `l<m>.residual`: with an earlier
        layer's added, where there is a residual; `readout`: the voltages read out; `projector`: what the linear
        layer makes of them, where there is one. The last are the outputs.
        Raises InputError if x has another shape, DivergenceError if a sample's voltages cannot be followed.
        """
        x = check_input(x, self.input_width, "KirchhoffNet.stages")
        blocks = [self._per_sample(self._stages, block, first) for first, block in self._blocks(x)]
        return {name: torch.cat([block[name] for block in blocks]) for name in blocks[0]}

    def forward(self, x: Tensor) -> Tensor:
        """The outputs (samples, outputs) for inputs x (samples, inputs): the last of `stages(x)`."""
        return list(self.stages(x).values())[-1]

    def trajectory(self, x: Tensor, times: Tensor) -> Tensor:
        """Node voltages (times, samples, nodes) for inputs x (samples, inputs) at times (times,) since the start.

        times: not decreasing, from 0 to the sum of the durations; at the end of a period the voltages are those
        before nodes come, go, or gain a residual. nodes: those of the largest layer; NaN where a layer has fewer.
        Raises InputError if x or times cannot be used, DivergenceError as `stages`.
        """
        x = check_input(x, self.input_width, "KirchhoffNet.trajectory")
        times = _check_times(times, sum(self.durations))

        def solve(block: Tensor) -> Tensor:
            return self._trajectory(block, times)

        return torch.cat([self._per_sample(solve, block, first) for first, block in self._blocks(x)], dim=1)

    def period_trajectories(self, x: Tensor, times: Sequence[Tensor]) -> list[Tensor]:
        """For each layer its node voltages (times, samples, nodes) at times (times,) since its own period began.

        times: one array per layer, not decreasing, from 0 to the layer's duration; at 0 nodes have come and gone.
        Raises InputError and DivergenceError as `trajectory`.
        """
        x = check_input(x, self.input_width, "KirchhoffNet.period_trajectories")
        times = [_check_times(wanted, duration) for wanted, duration in zip(times, self.durations, strict=True)]

        def solve(block: Tensor) -> list[Tensor]:
            return self._period_trajectories(block, times)

        blocks = [self._per_sample(solve, block, first) for first, block in self._blocks(x)]
        return [torch.cat(layer, dim=1) for layer in zip(*blocks, strict=True)]

    def _stages(self, x: Tensor) -> dict[str, Tensor]:
        results: dict[str, Tensor] = {}
        whole_periods = [x.new_tensor([0.0, duration]) for duration in self.durations]
        for index, (solution, carried) in enumerate(self._periods(x, whole_periods), start=1):
            results[f"l{index}.period"] = solution[-1]
            if self.residual is not None and index == self.residual[1]:
                results[f"l{index}.residual"] = carried
        results["readout"] = self.readout.select(carried)
        if self.projector is not None:
            results["projector"] = self.projector(results["readout"])
        return results

    def _trajectory(self, x: Tensor, times: Tensor) -> Tensor:
        voltages = x.new_full((len(times), len(x), max(self.nodes)), torch.nan)
        bounds = times.new_tensor([0.0, *accumulate(self.durations)])
        period = torch.searchsorted(bounds[1:], times).clamp(max=len(self.nodes) - 1)
        within = torch.minimum(times - bounds[period], times.new_tensor(self.durations)[period])
        chosen = [period == index for index in range(len(self.nodes))]
        found = self._period_trajectories(x, [within[mask] for mask in chosen])
        for mask, nodes, solution in zip(chosen, self.nodes, found, strict=True):
            voltages[mask, :, :nodes] = solution
        return voltages

    def _period_trajectories(self, x: Tensor, times: Sequence[Tensor]) -> list[Tensor]:
        grids = [
            torch.unique(torch.cat([wanted.new_tensor([0.0, duration]), wanted]))
            for wanted, duration in zip(times, self.durations, strict=True)
        ]
        solved = zip(self._periods(x, grids), grids, times, strict=True)
        return [solution[torch.searchsorted(grid, wanted)] for (solution, _), grid, wanted in solved]

    def _periods(self, x: Tensor, grids: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """For each layer its voltages (times, samples, nodes) at its grid of times, and those carried on from it.

        grids: for each layer increasing times, from 0 to its duration.
        """
        carried, ends = x, []
        for index, (layer, grid) in enumerate(zip(self._layers(), grids, strict=True), start=1):
            with errors_at(f"layer {index}"):
                derivative = layer if torch.is_grad_enabled() else layer.evaluated()
                solution = self.integrator.solve(derivative, _fitted(carried, layer.nodes, self.fill), grid)
            ends.append(solution[-1])
            carried = ends[-1]
            if self.residual is not None and index == self.residual[1]:
                carried = carried + ends[self.residual[0] - 1]
            yield solution, carried

    @property
    def block(self) -> int:
        """How many samples are solved together where no gradients are recorded."""
        return min(max(_BLOCK_CURRENTS // max(layer.topology.edges, 1), layer.together) for layer in self._layers())

    @staticmethod
    def _per_sample(solve: Callable[[Tensor], _Result], block: Tensor, first: int) -> _Result:
        """`solve(block)`; if that diverges, the error names the first sample that does so by itself."""
        try:
            return solve(block)
        except DivergenceError as error:
            for index in range(len(block)):
                with errors_at(f"sample {first + index}"):
                    solve(block[index : index + 1])
            raise error

    def _blocks(self, x: Tensor) -> Iterator[tuple[int, Tensor]]:
        """The samples to be solved together, and the number of the first of them."""
        size = max(1, len(x)) if torch.is_grad_enabled() else self.block
        for first in range(0, max(1, len(x)), size):
            yield first, x[first : first + size]

    def _layers(self) -> list[Layer]:
        return [module for module in self.layers if isinstance(module, Layer)]


def _fitted(voltages: Tensor, nodes: int, fill: FillName) -> Tensor:
    """Voltages (samples, any) as (samples, nodes): what is too much is dropped, what is missing filled."""
    width = voltages.shape[1]
    if width >= nodes:
        return voltages[:, :nodes]
    if fill == "zeros":
        return nn.functional.pad(voltages, (0, nodes - width))
    return voltages.repeat(1, math.ceil(nodes / width))[:, :nodes]


def _check_durations(durations: Sequence[float], layers: int) -> None:
    if layers == 0 or len(durations) != layers:
        raise InputError(
            "the layers cannot be used",
            expected="one layer or more, with one duration each",
            found=f"{layers} layer(s), {len(durations)} duration(s)",
        )
    for duration in durations:
        if not 0 < duration <= LONGEST_DURATION:
            expected = f"a positive number, at most {LONGEST_DURATION:g}"
            raise InputError("a layer's duration cannot be used", expected=expected, found=repr(duration))


def _check_input_width(width: int | None, nodes: int) -> int:
    if width is None:
        return nodes
    if not isinstance(width, int) or width < 1:
        raise InputError("the number of inputs cannot be used", expected="a whole number from 1", found=repr(width))
    return width


def _fill_name(fill: str) -> FillName:
    for known in FILLS:
        if known == fill:
            return known
    raise InputError("unknown fill for new nodes", expected=f"one of {', '.join(FILLS)}", found=repr(fill)[:80])


def _check_residual(residual: tuple[int, int] | None, nodes: Sequence[int]) -> tuple[int, int] | None:
    if residual is None:
        return None
    first, last = residual
    if not 1 <= first <= last <= len(nodes):
        raise InputError(
            "the residual's layers cannot be used",
            expected=f"two layers from 1 to {len(nodes)}, in order",
            found=f"{first} and {last}",
        )
    if nodes[first - 1] != nodes[last - 1]:
        raise InputError(
            "the residual's layers do not fit together",
            expected="the same number of nodes in both",
            found=f"{nodes[first - 1]} in layer {first}, {nodes[last - 1]} in layer {last}",
        )
    return first, last


def _check_times(times: Tensor, end: float) -> Tensor:
    times = times.to(torch.float64)
    if times.ndim != 1 or times.numel() == 0 or not bool(((times >= 0) & (times <= end)).all()):
        raise InputError("the times cannot be used", expected=f"numbers from 0 to {end:g}", found=_extent(times))
    if bool((times.diff() < 0).any()):
        raise InputError("the times cannot be used", expected="times that do not decrease", found=_extent(times))
    return times


def _extent(times: Tensor) -> str:
    if times.ndim != 1 or times.numel() == 0:
        return f"shape {tuple(times.shape)}"
    return f"{len(times)} times, the first {float(times[0]):g}, the last {float(times[-1]):g}"
