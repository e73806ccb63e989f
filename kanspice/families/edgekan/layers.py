"""Layers of learnt edge functions, in float64: y_j = sum_i f_ij(x_i) + b_j, each f_ij a sum of basis functions of x_i.

A layer is described by a specification, which checkpoints hold as JSON, and computed by a module with its numbers.

- Splines: f_ij = base_ij base(x) + sum_b spline_ijb B_b(x), with the B-splines of order k over the knots of input i, by
  Cox and de Boor's recursion on half-open intervals; zero outside the knots. Some edges may be
  c f(a x + b) + d besides, with a function of `symbolic.FUNCTIONS`.
- Measured tables: f_ij is straight between its points (x, y), and has no value beyond them.
- Gottlieb polynomials: f_ij = sum_n coeffs_ijn g_n(s), s = sigmoid(x), g_0 = 1, g_1 = 2 alpha s,
  g_n = 2 (alpha + n - 1) s g_(n-1) - (alpha + 2 n - 2) g_(n-2), with one alpha a layer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Annotated, Literal, assert_never

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from kanspice.families.edgekan.symbolic import FUNCTIONS

_Width = Annotated[int, Field(ge=1, le=10_000_000)]
BaseName = Literal["silu", "identity", "zero"]
_BASES: Mapping[BaseName, Callable[[Tensor], Tensor]] = {
    "silu": nn.functional.silu,
    "identity": lambda x: x,
    "zero": torch.zeros_like,
}

_ROUNDED = 1e-6
"""Of a table's range: float32 has seven digits."""


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    inputs: _Width
    outputs: _Width


class SymbolicEdge(BaseModel):
    """The edge from input `source` to output `target`, both from 0, has a function of `symbolic.FUNCTIONS` by name."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    source: Annotated[int, Field(ge=0)]
    target: Annotated[int, Field(ge=0)]
    function: str


class SplineSpec(_Spec):
    """functions: B-splines of each edge. order: of their pieces, 3 for cubics. base: what each edge has besides."""

    kind: Literal["spline"] = "spline"
    functions: Annotated[int, Field(ge=1, le=10_000)]
    order: Annotated[int, Field(ge=0, le=20)]
    base: BaseName
    symbolic: tuple[SymbolicEdge, ...] = Field((), strict=False)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every number of the layer."""
        return {
            "spline": (self.inputs, self.outputs, self.functions),
            "base": (self.inputs, self.outputs),
            "bias": (self.outputs,),
            "grid": (self.inputs, self.functions + self.order + 1),
            "symbolic": (len(self.symbolic), 4),
        }

    @property
    def label(self) -> str:
        """What its edges are, for a report."""
        fixed = f", {len(self.symbolic)} edges by name" if self.symbolic else ""
        return f"{self.functions} B-splines of order {self.order} and {self.base}{fixed}"


class GottliebSpec(_Spec):
    """degree: of the polynomials."""

    kind: Literal["gottlieb"] = "gottlieb"
    degree: Annotated[int, Field(ge=0, le=100)]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every number of the layer."""
        return {"coeffs": (self.inputs, self.outputs, self.degree + 1), "alpha": (1,), "bias": (self.outputs,)}

    @property
    def label(self) -> str:
        """What its edges are, for a report."""
        return f"Gottlieb polynomials of degree {self.degree}"


class TableSpec(_Spec):
    """points: of the longest table; shorter ones repeat their last."""

    kind: Literal["table"] = "table"
    points: Annotated[int, Field(ge=2, le=10_000_000)]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every number of the layer."""
        edges = (self.inputs, self.outputs, self.points)
        return {"x": edges, "y": edges, "bias": (self.outputs,)}

    @property
    def label(self) -> str:
        """What its edges are, for a report."""
        return f"tables of up to {self.points:,} points"


AnySpec = SplineSpec | GottliebSpec | TableSpec
LayerSpec = Annotated[AnySpec, Field(discriminator="kind")]


class EdgeLayer(nn.Module, ABC):
    """A layer: its edges' functions, which nodes add."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(outputs, dtype=torch.float64))

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """The outputs (samples, outputs) for x (samples, inputs)."""

    @abstractmethod
    def edges(self, x: Tensor) -> Tensor:
        """Every edge's function (samples, inputs, outputs) for x (samples, inputs). Their sum lacks the bias."""

    def why_not(self, _x: Tensor) -> str:
        """Why an edge has no finite value for a sample x (inputs,)."""
        return "an edge such as log or 1/x has no value there"


class SplineLayer(EdgeLayer):
    """A layer of splines; the names of its numbers are those of `SplineSpec.shapes`."""

    grid: Tensor

    def __init__(self, spec: SplineSpec) -> None:
        super().__init__(spec.outputs)
        self.spec = spec
        shapes = spec.shapes
        self.spline = nn.Parameter(torch.zeros(shapes["spline"], dtype=torch.float64))
        self.base = nn.Parameter(torch.zeros(shapes["base"], dtype=torch.float64))
        self.symbolic = nn.Parameter(torch.zeros(shapes["symbolic"], dtype=torch.float64))
        knots = torch.arange(shapes["grid"][1], dtype=torch.float64) - spec.order
        self.register_buffer("grid", knots.expand(shapes["grid"]).clone())

    def forward(self, x: Tensor) -> Tensor:
        smooth = torch.einsum("sib,ijb->sj", b_splines(x, self.grid, self.spec.order), self.spline)
        outputs: Tensor = smooth + _BASES[self.spec.base](x) @ self.base + self.bias
        for number, edge in enumerate(self.spec.symbolic):
            outputs = outputs.index_add(1, torch.tensor([edge.target]), self._fixed(number, edge, x)[:, None])
        return outputs

    def edges(self, x: Tensor) -> Tensor:
        smooth = torch.einsum("sib,ijb->sij", b_splines(x, self.grid, self.spec.order), self.spline)
        found: Tensor = smooth + _BASES[self.spec.base](x)[:, :, None] * self.base
        for number, edge in enumerate(self.spec.symbolic):
            found[:, edge.source, edge.target] += self._fixed(number, edge, x)
        return found

    def _fixed(self, number: int, edge: SymbolicEdge, x: Tensor) -> Tensor:
        a, b, c, d = self.symbolic[number]
        found: Tensor = c * FUNCTIONS[edge.function](a * x[:, edge.source] + b) + d
        return found


class GottliebLayer(EdgeLayer):
    """A layer of Gottlieb polynomials; the names of its numbers are those of `GottliebSpec.shapes`."""

    def __init__(self, spec: GottliebSpec) -> None:
        super().__init__(spec.outputs)
        self.spec = spec
        self.coeffs = nn.Parameter(torch.zeros(spec.shapes["coeffs"], dtype=torch.float64))
        self.alpha = nn.Parameter(torch.ones(1, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("sib,ijb->sj", self._basis(x), self.coeffs) + self.bias

    def edges(self, x: Tensor) -> Tensor:
        return torch.einsum("sib,ijb->sij", self._basis(x), self.coeffs)

    def _basis(self, x: Tensor) -> Tensor:
        """(samples, inputs, degree + 1)."""
        s = torch.sigmoid(x)
        found = [torch.ones_like(s), 2 * self.alpha * s]
        for n in range(2, self.spec.degree + 1):
            found.append(2 * (self.alpha + n - 1) * s * found[-1] - (self.alpha + 2 * n - 2) * found[-2])
        return torch.stack(found[: self.spec.degree + 1], dim=-1)


class TableLayer(EdgeLayer):
    """A layer of measured tables; the names of its numbers are those of `TableSpec.shapes`."""

    x: Tensor

    def __init__(self, spec: TableSpec) -> None:
        super().__init__(spec.outputs)
        rising = torch.arange(spec.points, dtype=torch.float64)
        self.register_buffer("x", rising.expand(spec.shapes["x"]).clone())
        self.y = nn.Parameter(torch.zeros(spec.shapes["y"], dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return self.edges(x).sum(dim=1) + self.bias

    def edges(self, x: Tensor) -> Tensor:
        at = x.T[:, None, :].expand(-1, self.x.shape[1], -1).contiguous()
        right = torch.searchsorted(self.x, at, right=True).clamp(1, self.x.shape[2] - 1)
        (x0, x1), (y0, y1) = ((each.gather(2, right - 1), each.gather(2, right)) for each in (self.x, self.y))
        found = y0 + (y1 - y0) * _share(at.clamp(self.x[:, :, :1], self.x[:, :, -1:]) - x0, x1 - x0)
        return torch.where(self._is_beyond(at), torch.nan, found).permute(2, 0, 1)

    def why_not(self, x: Tensor) -> str:
        beyond = self._is_beyond(x[:, None, None].expand(-1, self.x.shape[1], 1))[:, :, 0].nonzero().tolist()
        if not beyond:
            return "some other layer's edges have no value there"
        source, target = beyond[0]
        low, high = self.x[source, target, 0], self.x[source, target, -1]
        measured = f"was measured from {float(low):.6g} to {float(high):.6g}"
        return f"the edge from {source} to {target} {measured}, and is given {float(x[source]):.6g}"

    def _is_beyond(self, at: Tensor) -> Tensor:
        """Where values (inputs, outputs, samples) lie beyond an edge's points, by more than what rounding does."""
        low, high = self.x[:, :, :1], self.x[:, :, -1:]
        room = _ROUNDED * (high - low)
        return ~((at >= low - room) & (at <= high + room))


def module_of(spec: AnySpec) -> EdgeLayer:
    """The layer that is specified, its numbers still zero."""
    match spec:
        case SplineSpec():
            return SplineLayer(spec)
        case GottliebSpec():
            return GottliebLayer(spec)
        case TableSpec():
            return TableLayer(spec)
        case _:
            assert_never(spec)


def b_splines(x: Tensor, grid: Tensor, order: int) -> Tensor:
    """Every B-spline (samples, inputs, functions) of x (samples, inputs) over knots (inputs, functions + order + 1).

    Where knots coincide the term that would be divided by zero is zero.
    """
    x, knots = x[:, :, None], grid[None]
    found = ((x >= knots[:, :, :-1]) & (x < knots[:, :, 1:])).to(x.dtype)
    for k in range(1, order + 1):
        rising = _share(x - knots[:, :, : -(k + 1)], knots[:, :, k:-1] - knots[:, :, : -(k + 1)])
        falling = _share(knots[:, :, k + 1 :] - x, knots[:, :, k + 1 :] - knots[:, :, 1:-k])
        found = rising * found[:, :, :-1] + falling * found[:, :, 1:]
    return found


def _share(part: Tensor, whole: Tensor) -> Tensor:
    coincide = whole == 0
    return torch.where(coincide, 0.0, part / torch.where(coincide, 1.0, whole))
