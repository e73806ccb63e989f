"""The reference network seen from outside torch: its stages and its parameters as NumPy arrays."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from kanspice.errors import KanspiceError
from kanspice.models.input_stages import INPUT_STAGES
from kanspice.models.integrator import DivergenceError, LateError
from kanspice.models.kanalogue import NORM_EPS, KANalogue
from kanspice.models.kirchhoffnet import KirchhoffNet
from kanspice.models.kirchhoffnet_layer import Layer
from kanspice.models.memkan import MemKAN
from kanspice.models.memkan_surrogate import SurrogateLayer, SurrogateMemKAN
from kanspice.models.network import Network
from kanspice.models.phykan import BandLayer, Filters, PhyKAN

Array = npt.NDArray[np.float64]
StageLaw = Callable[[Array], Array]
_BLOCK = 256
_TIGHTER = 100.0
NO_TIME_LEFT = "the network itself was not followed to its end before --timeout"
"""Why a sample has no stages, where that is not its own fault."""
_NOT_FINITE = "the network's own values are not finite"
_OTHERS = "check the parameters, and whether the network was trained on inputs like these"


@dataclass(frozen=True)
class BatchNormArrays:
    """y = (x - mean) / sqrt(variance + eps) * gain + offset, each (width,)."""

    mean: Array
    variance: Array
    gain: Array
    offset: Array
    eps: float = NORM_EPS


@dataclass(frozen=True)
class LayerNormArrays:
    """The same over a sample's own mean and biased variance; gain and offset (width,)."""

    gain: Array
    offset: Array
    eps: float = NORM_EPS


@dataclass(frozen=True)
class LayerArrays:
    """One layer: coefficients (n_in, n_out, K), bias (n_out,), and the norm after it, if any."""

    coeffs: Array
    bias: Array
    norm: BatchNormArrays | LayerNormArrays | None


@dataclass(frozen=True)
class PeriodArrays:
    """One period of a KirchhoffNet: its edges (edges,), their parameters (rows, edges), and how long it lasts."""

    source: npt.NDArray[np.int64]
    destination: npt.NDArray[np.int64]
    theta: Array
    duration: float
    nodes: int


@dataclass(frozen=True)
class FilterArrays:
    """One layer of a PhyKAN: settings of its filters, each (n_in, n_out, K), and its nodes' thresholds (n_in,).

    gain: signed, zero where there is no connection. high_hz, low_hz: cut-offs of the high-pass and low-pass filters.
    threshold: the value that is squashed to 1/2. How values become frequencies, `model.constants` say.
    scale, offset: (n_out,) what the sums are multiplied with, and what is added: 1 and 0 unless they are normalised.
    """

    gain: Array
    high_hz: Array
    low_hz: Array
    threshold: Array
    scale: Array
    offset: Array


@dataclass(frozen=True)
class SynapseArrays:
    """One layer of a MemKAN: its synapses, each (n_in, n_out, K), and bias (n_out,) in volts.

    input_bias: volts that each synapse gets besides its row's.

    kind: "LP", "BP" or "HP". load_ohm: R_l; divider_ohm: R, which only BP has; series_ohm: R_s; alpha_per_v: alpha;
    saturation_a: I_0. gain: volts per volt, signed.
    """

    kind: npt.NDArray[np.str_]
    load_ohm: Array
    divider_ohm: Array
    series_ohm: Array
    alpha_per_v: Array
    saturation_a: Array
    gain: Array
    bias: Array
    input_bias: Array


def reference_stages(model: Network, inputs: Array) -> dict[str, Array]:
    """`model.stages` in evaluation mode for inputs (samples, inputs), block by block, as float64 arrays."""
    model.eval()
    with torch.no_grad():
        blocks = [model.stages(torch.from_numpy(np.ascontiguousarray(block))) for block in _blocks(inputs)]
    return {name: np.concatenate([block[name].numpy() for block in blocks]) for name in blocks[0]}


def followed_stages(
    model: Network, inputs: Array, timeout_s: float | None = None
) -> tuple[dict[str, Array], dict[int, str]]:
    """`reference_stages`, and why some samples have none: the network cannot be followed, or some value is not finite.

    Their rows are NaN. timeout_s: how long a KirchhoffNet may be followed; samples that come later have none either,
    for `NO_TIME_LEFT`. Raises DivergenceError if that is so for all of them, LateError where time was the reason.
    """
    stages, without = _followed(model, inputs) if timeout_s is None else _followed_until(model, inputs, timeout_s)
    first: DivergenceError | None = None
    for name, values in stages.items():
        for index in np.flatnonzero(~np.isfinite(values).all(axis=1)).tolist():
            first = first or DivergenceError(_NOT_FINITE, where=f"sample {index}, {name}", hint=_OTHERS)
            without.setdefault(index, f"{name}: {_NOT_FINITE}")
    if first is not None and len(without) == len(inputs):
        raise first
    for values in stages.values():
        values[list(without)] = np.nan
    return stages, without


def _followed(model: Network, inputs: Array) -> tuple[dict[str, Array], dict[int, str]]:
    """The same, whatever the values are that can be followed."""
    try:
        return reference_stages(model, inputs), {}
    except DivergenceError as error:
        everywhere = error
    rows: dict[int, dict[str, Array]] = {}
    diverged: dict[int, str] = {}
    for index in range(len(inputs)):
        try:
            rows[index] = reference_stages(model, inputs[index : index + 1])
        except DivergenceError as error:
            place = (error.where or "").partition(", ")[2]
            diverged[index] = f"{place}: {error.problem}" if place else error.problem
    if not rows:
        raise everywhere
    widths = {name: values.shape[1] for name, values in next(iter(rows.values())).items()}
    stages = {name: np.full((len(inputs), width), np.nan) for name, width in widths.items()}
    for index, values in rows.items():
        for name, row in values.items():
            stages[name][index] = row[0]
    return stages, diverged


def _followed_until(model: Network, inputs: Array, timeout_s: float) -> tuple[dict[str, Array], dict[int, str]]:
    """As `_followed`, block by block for so long."""
    if not isinstance(model, KirchhoffNet):
        return _followed(model, inputs)
    limited, size = _limited(model, timeout_s), min(model.block, _BLOCK)
    rows: dict[int, dict[str, Array]] = {}
    without: dict[int, str] = {}
    first_error: KanspiceError | None = None
    for first in range(0, max(len(inputs), 1), size):
        block = inputs[first : first + size]
        try:
            rows[first], own = _followed(limited, block)
        except (DivergenceError, LateError) as error:
            first_error = first_error or error
            why = NO_TIME_LEFT if isinstance(error, LateError) else error.problem
            own = dict.fromkeys(range(len(block)), why)
        without |= {first + index: why for index, why in own.items()}
    if not rows:
        raise first_error or LateError(NO_TIME_LEFT)
    widths = {name: values.shape[1] for name, values in next(iter(rows.values())).items()}
    stages = {name: np.full((len(inputs), width), np.nan) for name, width in widths.items()}
    for first, found in rows.items():
        for name, values in found.items():
            stages[name][first : first + len(values)] = values
    return stages, without


def _limited(model: KirchhoffNet, timeout_s: float | None) -> KirchhoffNet:
    """The same network, which may be followed for so long from now on."""
    if timeout_s is None:
        return model
    limited = copy.copy(model)
    limited.integrator = replace(model.integrator, deadline=time.monotonic() + timeout_s)
    return limited


def change_when_tightened(
    model: Network, stage: str, inputs: Array, values: Array, timeout_s: float | None = None
) -> Array | None:
    """By how much a stage's values (samples, width) of a network move when it is integrated 100 times as exactly.

    Infinite where it then cannot be followed, also within timeout_s. None for a network that is a formula.
    """
    if not isinstance(model, KirchhoffNet):
        return None
    tight = copy.copy(model)
    tight.integrator = model.integrator.tighter(_TIGHTER)
    try:
        found = followed_stages(tight, inputs, timeout_s)[0][stage]
    except (DivergenceError, LateError):
        found = np.full_like(values, np.nan)
    return np.where(np.isfinite(found), found - values, np.inf)


def reference_waveforms(
    model: KirchhoffNet, sample: Array, times: Mapping[str, Array], timeout_s: float | None = None
) -> dict[str, Array] | None:
    """Node voltages (points, nodes) of one sample (inputs,) during each period, by the period's name in `model.stages`.

    times: for each period when, (points,), not decreasing, in model time since that period began. What rounding puts
    before its beginning, after its end, or before an earlier point, is taken as there. None if that takes longer than
    timeout_s.
    """
    names = [f"l{index}.period" for index in range(1, len(model.nodes) + 1)]
    wanted = [
        torch.from_numpy(np.maximum.accumulate(np.clip(times[name], 0.0, duration)))
        for name, duration in zip(names, model.durations, strict=True)
    ]
    model.eval()
    try:
        with torch.no_grad():
            found = _limited(model, timeout_s).period_trajectories(torch.from_numpy(sample[None].copy()), wanted)
    except LateError:
        return None
    return {name: voltages[:, 0].numpy() for name, voltages in zip(names, found, strict=True)}


def layer_arrays(model: KANalogue) -> tuple[LayerArrays, ...]:
    """The trained parameters, layer by layer, without noise."""
    norms: list[nn.Module | None] = [*model.norms, None]
    return tuple(
        LayerArrays(_array(crossbar.coeffs), _array(crossbar.bias), _norm_arrays(norm))
        for crossbar, norm in zip(model.crossbars, norms, strict=True)
    )


def period_arrays(model: KirchhoffNet) -> tuple[PeriodArrays, ...]:
    """The trained periods, in order; edges that share parameters have a copy each."""
    return tuple(_period(layer) for layer in model.layers if isinstance(layer, Layer))


def projector_arrays(model: KirchhoffNet) -> tuple[Array, Array] | None:
    """The weight (voltages read out, outputs) and the bias (outputs,) of its projector; None without one."""
    if model.projector is None:
        return None
    return np.ascontiguousarray(_array(model.projector.weight).T), _array(model.projector.bias)


def filter_arrays(model: PhyKAN) -> tuple[FilterArrays, ...]:
    """The trained layers, in order, as the model has them: rounded to its grid if it has one."""
    return tuple(
        _filter_arrays(found, layer) for found, layer in zip(model.settings(), model.band_layers(), strict=True)
    )


def _filter_arrays(found: Filters, layer: BandLayer) -> FilterArrays:
    width = found.gain.shape[1]
    return FilterArrays(
        gain=_array(found.gain),
        high_hz=_array(found.high_hz),
        low_hz=_array(found.low_hz),
        threshold=_array(layer.threshold),
        scale=np.ones(width) if layer.scale is None else _array(layer.scale),
        offset=np.zeros(width) if layer.offset is None else _array(layer.offset),
    )


def synapse_arrays(model: MemKAN) -> tuple[SynapseArrays, ...]:
    """The trained layers, in order. Voltages that layers have in common are in `model.constants`."""
    return tuple(
        SynapseArrays(
            kind=np.broadcast_to(np.array(model.kinds), tuple(layer.gain.shape)).copy(),
            **{name: _array(parameter) for name, parameter in found._asdict().items()},
            gain=_array(layer.gain),
            bias=_array(layer.bias),
            input_bias=np.zeros(tuple(layer.gain.shape)),
        )
        for found, layer in zip(model.synapses(), model.synapse_layers(), strict=True)
    )


def surrogate_arrays(model: SurrogateMemKAN) -> tuple[SynapseArrays, ...]:
    """The synapses that a surrogate stands for, layer by layer: all of them are band-pass ones."""
    return tuple(
        SynapseArrays(
            kind=np.full(tuple(layer.gain.shape), "BP"),
            **{name: _array(parameter) for name, parameter in found._asdict().items()},
            gain=_array(layer.gain),
            bias=np.zeros(layer.gain.shape[1]),
            input_bias=_array(layer.bias),
        )
        for found, layer in zip(model.synapses(), model.surrogate_layers(), strict=True)
    )


def stage_laws(model: Network) -> dict[str, StageLaw]:
    """What a network makes of the values at a stage, (samples, width), where its circuit is built for other equations.

    Of all other stages an ideal circuit's own equations say it.
    """
    if not isinstance(model, SurrogateMemKAN):
        return {}
    return {f"l{m}.synapses": _law(model, layer) for m, layer in enumerate(model.surrogate_layers(), start=1)}


def _law(model: SurrogateMemKAN, layer: SurrogateLayer) -> StageLaw:
    def law(values: Array) -> Array:
        with torch.no_grad():
            blocks = [layer(torch.from_numpy(block), model.surrogate, model.constants) for block in _blocks(values)]
        return np.concatenate([block.numpy() for block in blocks])

    return law


def _period(layer: Layer) -> PeriodArrays:
    edges = layer.topology
    theta = np.ascontiguousarray(_array(layer.theta)[:, edges.parameter_index])
    return PeriodArrays(edges.source.copy(), edges.destination.copy(), theta, layer.duration, layer.nodes)


def input_range(model: KANalogue) -> tuple[float, float] | None:
    """What the input stage limits to, [low, high] in model units; None when it does not limit."""
    return INPUT_STAGES[model.input_stage].output_range


def _norm_arrays(norm: nn.Module | None) -> BatchNormArrays | LayerNormArrays | None:
    if isinstance(norm, nn.BatchNorm1d):
        statistics = _array(norm.running_mean), _array(norm.running_var)
        return BatchNormArrays(*statistics, _array(norm.weight), _array(norm.bias))
    if isinstance(norm, nn.LayerNorm):
        return LayerNormArrays(_array(norm.weight), _array(norm.bias))
    return None


def _array(tensor: object) -> Array:
    if not isinstance(tensor, Tensor):
        raise TypeError(f"a trained tensor was expected, not {type(tensor).__name__}")
    return tensor.detach().cpu().numpy().astype(np.float64)


def _blocks(inputs: Array) -> list[Array]:
    return [inputs[start : start + _BLOCK] for start in range(0, max(len(inputs), 1), _BLOCK)]
