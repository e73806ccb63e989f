"""KANs of splines or Gottlieb polynomials as state dicts of two programs; neither is needed to read them.

The KANalogue authors' classes for comparison (`utils/MLP_KAN_build.py` of their branch `tjr`): layer m is
`network.<n>`, n = m, or 2 m with LayerNorm between layers. Splines have `base_weight` (n_out, n_in), `spline_weight`
(n_out, n_in, B) and `grid` (n_in, B + order + 1); Gottlieb polynomials `gottlieb_coeffs` (n_in, n_out, degree + 1) and
`alpha` (1,).
efficient-kan has the same splines as `layers.<m>`, and `spline_scaler` (n_out, n_in), which multiplies each edge's.
The functions beside the splines are in no state dict: they are SiLU, as in both programs unless someone asks for
another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from kanspice.base.errors import InputError
from kanspice.base.files import read_file
from kanspice.families.common.formats import AuthorsStates, Reading
from kanspice.families.common.json_config import parse_config
from kanspice.families.common.state import check_names, check_rank, check_tensors
from kanspice.families.edgekan.layers import GottliebSpec, SplineSpec
from kanspice.families.edgekan.network import EdgeKAN
from kanspice.families.edgekan.parameters import build

MAX_CONFIG_BYTES = 1_000_000
BASE_NOTE = "the function beside the splines: SiLU, assumed, for the state dict does not say it"
_AUTHORS_SPLINE = re.compile(r"network\.(\d{1,6})\.spline_weight")
_AUTHORS_GOTTLIEB = re.compile(r"network\.(\d{1,6})\.gottlieb_coeffs")
_EFFICIENT = re.compile(r"layers\.(\d{1,6})\.spline_weight")


class AuthorsConfig(BaseModel):
    """The keys of the KANalogue authors' configuration that say what the weights say, too; others are left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    model_name: str | None = None
    input_dim: Annotated[int, Field(ge=1)] | None = None
    HIDDEN_DIMS: Annotated[list[int], Field(max_length=1000)] | None = None


def read_splines(
    state: Mapping[str, Tensor], path: Path, config_path: Path | None, _curves: Path | None
) -> Reading[EdgeKAN]:
    """The network of the KANalogue authors' class of splines.

    Raises InputError if the weights are unusable, or the configuration contradicts them.
    """
    names = _places(state, _AUTHORS_SPLINE)
    layers = [_Splines.of(state, f"network.{n}", path) for n in names]
    reading = _reading(state, layers, names, path)
    return Reading(reading, (BASE_NOTE,), config=_checked(reading, "BSplineKAN", config_path))


def read_efficient(
    state: Mapping[str, Tensor], path: Path, config_path: Path | None, _curves: Path | None
) -> Reading[EdgeKAN]:
    """The network of an efficient-kan. Raises InputError if the weights are unusable, or for a configuration."""
    if config_path is not None:
        problem, hint = "an efficient-kan has no configuration", "leave out --config"
        raise InputError(problem, where=path, expected="no --config", found=str(config_path), hint=hint)
    names = _places(state, _EFFICIENT)
    layers = [_Splines.of(state, f"layers.{n}", path) for n in names]
    check_tensors(state, {name: shape for layer in layers for name, shape in layer.shapes.items()}, path)
    return Reading(_built(layers, "none", {}, path, state), (BASE_NOTE,))


def read_gottlieb(
    state: Mapping[str, Tensor], path: Path, config_path: Path | None, _curves: Path | None
) -> Reading[EdgeKAN]:
    """The network of the KANalogue authors' class of Gottlieb polynomials. Raises as `read_splines`."""
    names = _places(state, _AUTHORS_GOTTLIEB)
    layers = [_Gottlieb.of(state, f"network.{n}", path) for n in names]
    reading = _reading(state, layers, names, path)
    return Reading(reading, config=_checked(reading, "GottliebKAN", config_path))


class _Splines:
    """One layer's tensors, under their names in the file."""

    def __init__(self, prefix: str, spec: SplineSpec, scaled: bool) -> None:
        self.prefix, self.spec = prefix, spec
        edges = spec.outputs, spec.inputs
        self.shapes: dict[str, tuple[int, ...]] = {
            f"{prefix}.base_weight": edges,
            f"{prefix}.spline_weight": (*edges, spec.functions),
            f"{prefix}.grid": spec.shapes["grid"],
        }
        if scaled:
            self.shapes[f"{prefix}.spline_scaler"] = edges

    @classmethod
    def of(cls, state: Mapping[str, Tensor], prefix: str, path: Path) -> _Splines:
        weight, grid = (_ranked(state, f"{prefix}.{name}", rank, path) for name, rank in _RANKS)
        outputs, inputs, functions = weight.shape
        order = grid.shape[1] - functions - 1
        if not 0 <= order <= functions:
            problem = f"{prefix}.grid does not fit {prefix}.spline_weight"
            expected = f"{functions} splines and their order + 1 knots more"
            raise InputError(problem, where=path, expected=expected, found=f"{grid.shape[1]} knots")
        spec = SplineSpec(inputs=inputs, outputs=outputs, functions=functions, order=order, base="silu", symbolic=())
        return cls(prefix, spec, f"{prefix}.spline_scaler" in state)

    def own(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        spline = state[f"{self.prefix}.spline_weight"].double()
        scaler = state.get(f"{self.prefix}.spline_scaler")
        if scaler is not None:
            spline = spline * scaler.double()[:, :, None]
        return {
            "spline": spline.transpose(0, 1).contiguous(),
            "base": state[f"{self.prefix}.base_weight"].double().T.contiguous(),
            "bias": torch.zeros(self.spec.outputs, dtype=torch.float64),
            "grid": state[f"{self.prefix}.grid"].double(),
            "symbolic": torch.zeros(0, 4, dtype=torch.float64),
        }


_RANKS = (("spline_weight", 3), ("grid", 2))


class _Gottlieb:
    """The same of a layer of Gottlieb polynomials."""

    def __init__(self, prefix: str, spec: GottliebSpec) -> None:
        self.prefix, self.spec = prefix, spec
        self.shapes: dict[str, tuple[int, ...]] = {
            f"{prefix}.gottlieb_coeffs": spec.shapes["coeffs"],
            f"{prefix}.alpha": (1,),
        }

    @classmethod
    def of(cls, state: Mapping[str, Tensor], prefix: str, path: Path) -> _Gottlieb:
        inputs, outputs, functions = _ranked(state, f"{prefix}.gottlieb_coeffs", 3, path).shape
        return cls(prefix, GottliebSpec(inputs=inputs, outputs=outputs, degree=functions - 1))

    def own(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {
            "coeffs": state[f"{self.prefix}.gottlieb_coeffs"].double(),
            "alpha": state[f"{self.prefix}.alpha"].double(),
            "bias": torch.zeros(self.spec.outputs, dtype=torch.float64),
        }


_Layers = Sequence[_Splines | _Gottlieb]


def _places(state: Iterable[str], pattern: re.Pattern[str]) -> list[int]:
    return sorted(int(found[1]) for name in state if (found := pattern.fullmatch(name)))


def _ranked(state: Mapping[str, Tensor], name: str, rank: int, path: Path) -> Tensor:
    if name not in state:
        raise InputError("the checkpoint lacks a tensor", where=path, expected=name, found="no such tensor")
    check_rank(name, state[name], rank, path)
    return state[name]


def _reading(state: Mapping[str, Tensor], layers: _Layers, places: list[int], path: Path) -> EdgeKAN:
    """The network, with LayerNorm between its layers where they have places for it."""
    step = 2 if len(places) > 1 and places[1] == 2 else 1
    norms: dict[str, str] = {}
    shapes = {name: shape for layer in layers for name, shape in layer.shapes.items()}
    if step > 1:
        for m, layer in enumerate(layers[:-1]):
            for name in ("weight", "bias"):
                norms[f"norms.{m}.{name}"] = theirs = f"network.{2 * m + 1}.{name}"
                shapes[theirs] = (layer.spec.outputs,)
    check_names(state, shapes, path)
    if places != list(range(0, step * len(places), step)):
        raise InputError("layers are missing", where=path, expected="layers in order from 0", found=str(places)[:200])
    check_tensors(state, shapes, path)
    own = {ours: state[theirs] for ours, theirs in norms.items()}
    return _built(layers, "layer" if norms else "none", own, path, state)


def _built(layers: _Layers, norm: str, own: dict[str, Tensor], path: Path, state: Mapping[str, Tensor]) -> EdgeKAN:
    for m, layer in enumerate(layers):
        own |= {f"layers.{m}.{name}": tensor for name, tensor in layer.own(state).items()}
    return build([layer.spec for layer in layers], norm, own, path)


def _checked(model: EdgeKAN, name: str, config_path: Path | None) -> Path | None:
    """The configuration, which says nothing that the weights do not. Raises InputError where it contradicts them."""
    if config_path is None:
        return None
    config = parse_config(read_file(config_path, "the configuration", MAX_CONFIG_BYTES), AuthorsConfig, config_path)
    found: dict[str, tuple[Any, Any]] = {
        "model_name": (name, config.model_name),
        "input_dim": (model.input_width, config.input_dim),
        "HIDDEN_DIMS": ([spec.outputs for spec in model.specs[:-1]], config.HIDDEN_DIMS),
    }
    for key, (weights, stated) in found.items():
        if stated is not None and stated != weights:
            raise InputError(
                f"{key!r} contradicts the weights",
                where=config_path,
                expected=f"{weights}, as in the weights",
                found=str(stated)[:200],
                hint="use the configuration that was written with this checkpoint",
            )
    return config_path


def _recognises(pattern: re.Pattern[str]) -> Callable[[Iterable[str]], bool]:
    def recognises(names: Iterable[str]) -> bool:
        return any(pattern.fullmatch(name) for name in names)

    return recognises


SPLINES = AuthorsStates("kanalogue-authors-bspline", _recognises(_AUTHORS_SPLINE), read_splines, (".json",))
GOTTLIEB = AuthorsStates("kanalogue-authors-gottlieb", _recognises(_AUTHORS_GOTTLIEB), read_gottlieb, (".json",))
EFFICIENT = AuthorsStates("efficient-kan", _recognises(_EFFICIENT), read_efficient, ())
