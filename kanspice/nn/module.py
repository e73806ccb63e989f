"""A network's circuit as a torch module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw
from kanspice.base.errors import InputError
from kanspice.base.traced import TracedArray, UntraceableError, plain, tracing
from kanspice.circuit import Design
from kanspice.circuit.compile import Sizing
from kanspice.engine.batched.row_expansions import KnownRows
from kanspice.engine.fidelity import Fidelity, FidelityChoice, fidelities, resolve_fidelity
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve
from kanspice.engine.solution import FailedSample
from kanspice.families import LoadedModel, compile_macro_model, sizing_for, technology_for
from kanspice.families.common.network import Network
from kanspice.families.loading import loaded_from
from kanspice.nn.crossbars import Folds
from kanspice.nn.graph import CircuitNotes, Solved, graph_of, read_outputs
from kanspice.nn.states import OtherStates
from kanspice.nn.values import Values, with_keys, with_parts
from kanspice.technology import Technology

_ENGINE = "batched"


class CircuitModule(nn.Module):
    """What the circuit of a network gives, as a torch module: `kanspice.nn.Circuit`.

    `forward` compiles the network as it is now, draws a specimen and solves it with the batched engine, whose answers
    these are to the last bit. `backward` is exact: the implicit function theorem for what the engine solves for, and
    the very code that compiles and draws, traced, for everything before it: BatchNorm's fusing, signs, the sizes of
    amplifiers. Samples without a result are rows of NaN, and `failed` says why; samples at a fold, where a column is
    about to jump, are left out of gradients, and `folds` counts them.

    At corners of curves, and at the edges of clips and swings, a derivative is one of the two that there are, or their
    mean. Rounding (areas, converters) is passed straight through.
    """

    def __init__(
        self,
        model: Network | LoadedModel,
        technology: Technology,
        inputs: Array | None = None,
        *,
        fidelity: FidelityChoice = "auto",
        device: str = "cpu",
        prove_states: bool = True,
        look_for_states: bool = False,
    ) -> None:
        """inputs: samples (samples, inputs) in model units that amplifiers are sized for; the worst case if None.

        device: what the engine computes with. prove_states: whether samples that can settle in more than one state
        have no result, as in a report: to find them out can take longer than all else. look_for_states: whether
        `other_states` is to be known. Raises InputError as `compile`.
        """
        super().__init__()
        self._loaded = model if isinstance(model, LoadedModel) else loaded_from(model)
        self.network = self._loaded.model
        self.technology = technology_for(self._loaded, technology)
        self.sizing_inputs = inputs
        """Samples that amplifiers are sized for from the next call on; the worst case if None."""
        self._fidelity = fidelity
        self._options = RunOptions(check_samples=0, row_currents=False, device=device, prove_states=prove_states)
        self._known = KnownRows()
        self.failed: tuple[FailedSample, ...] = ()
        """Of the last call: samples without a result."""
        self.folds = Folds(np.zeros(0, dtype=bool))
        """Of the last backward pass: samples that have no gradient."""
        self.look_for_states = look_for_states
        self.other_states: Tensor | None = None
        """Of the last call with a graph, if it looked for them: what the columns of every sample that has a result lack
        to have one state only, in swings of their amplifiers, (samples,)."""

    def forward(
        self,
        inputs: Tensor,
        draw: int | Draw = 0,
        *,
        keys: Values | None = None,
        parts: Values | None = None,
        numbers: Sequence[int] | None = None,
    ) -> Tensor:
        """Outputs (samples, outputs) in model units for inputs (samples, inputs), of the specimen that `draw` draws.

        keys: values of the technology, by `section.key`, and parts: arrays of the specimen, by `stage.field`, instead
        of those that there are; all may want gradients. numbers: which samples these are, for what is drawn for each;
        0 and on if None. Raises InputError for a key or part that there is not.
        """
        draw = draw if isinstance(draw, Draw) else Draw(draw)
        _check_inputs(inputs, self.network.input_width)
        asked, inputs = inputs.device, inputs.to("cpu", torch.float64)
        design = self.design(draw, keys=keys, parts=parts)
        fidelity = resolve_fidelity(design, self._fidelity, fidelities(design))
        values: Array = np.ascontiguousarray(inputs.detach().numpy())
        solution = solve(_ENGINE, design, values, fidelity, self._options, numbers=numbers, known=self._known)
        self.other_states = None
        self.failed, solved = solution.failed, torch.from_numpy(solution.solved)
        outputs = torch.full((len(inputs), self.network.output_width), torch.nan, dtype=torch.float64)
        if not torch.is_grad_enabled() or not solved.any():
            found = read_outputs(design, solution.stage_v[design.last_of_circuit.name])
            return torch.from_numpy(np.ascontiguousarray(found)).to(asked)
        whole = self._traced(draw, keys or {}, parts or {})
        self.folds = Folds(np.zeros(int(solved.sum()), dtype=bool))
        which = list(numbers) if numbers is not None else list(range(len(inputs)))
        kept = [number for number, is_solved in zip(which, solved.tolist(), strict=True) if is_solved]
        areas = frozenset(name.removesuffix(".area") for name in parts or {} if name.endswith(".area"))
        followed: Fidelity = "device" if self._fidelity == "auto" and fidelity == "shared" else fidelity
        known = Solved(design, solution, followed, self._known, self._options.device, areas)
        states = OtherStates.of(len(kept), draw.seed) if self.look_for_states else None
        graph = graph_of(known, whole, inputs[solved], CircuitNotes(self.folds, states), kept)
        self.other_states = None if states is None else states.lacking
        return outputs.index_put((torch.nonzero(solved)[:, 0],), graph).to(asked)

    def extreme(self, inputs: Array, count: int) -> Array:
        """Those of the samples (samples, inputs) that sizes mostly come from, if the circuit is sized for all of them.

        count: how many with the largest values of a stage, and how many with the smallest, are among them.
        """
        sizing = sizing_for(self._loaded, self.technology, inputs)
        return inputs if sizing is None else np.ascontiguousarray(inputs[sizing.extreme(count)])

    def train(self, mode: bool = True) -> Self:
        """The network stays as circuits are compiled of it: norms keep their statistics."""
        super().train(mode)
        self.network.eval()
        return self

    def design(self, draw: int | Draw = 0, *, keys: Values | None = None, parts: Values | None = None) -> Design:
        """The specimen that `forward` solves, as every engine takes it."""
        draw = draw if isinstance(draw, Draw) else Draw(draw)
        technology = with_keys(self.technology, keys or {}).plain()
        inputs = self.sizing_inputs
        sizing = None if inputs is None else sizing_for(self._loaded, technology, inputs)
        design = compile_macro_model(self._loaded, technology, sizing, plain(draw))
        return plain(with_parts(design, parts or {}))

    def _traced(self, draw: Draw, keys: Values, parts: Values) -> Design:
        """The same with a graph to the network's parameters, keys and parts."""
        try:
            with tracing():
                technology = with_keys(self.technology, keys)
                sizing = self._traced_sizing(technology)
                return with_parts(compile_macro_model(self._loaded, technology, sizing, draw), parts)
        except UntraceableError as error:
            named = ", ".join((*keys, *parts)) or "what the network was trained to"
            raise InputError(
                f"no gradient is known by {named}",
                expected="what a circuit's parts depend on smoothly, by formulas that are traced",
                found=str(error),
                hint="leave it out of what wants a gradient",
            ) from error

    def _traced_sizing(self, technology: Technology) -> Sizing | None:
        if self.sizing_inputs is None:
            return None
        known = sizing_for(self._loaded, technology.plain(), self.sizing_inputs)
        if known is None or not known.stages or not any(each.requires_grad for each in self.network.parameters()):
            return known
        found = self.network.stages(torch.from_numpy(np.ascontiguousarray(known.inputs)))
        stages: Mapping[str, Array] = {name: TracedArray(values) for name, values in found.items()}  # type: ignore[misc]
        return replace(known, stages=stages)


def _check_inputs(inputs: Tensor, width: int) -> None:
    if inputs.ndim != 2 or inputs.shape[1] != width:
        raise InputError("inputs of another shape", expected=f"(samples, {width})", found=str(tuple(inputs.shape)))
