"""Device cards: one TOML file per device, validated, and the `Device` that it describes.

A card may come from a stranger: it holds only numbers, names and text, all bounded in size, and no expressions.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from kanspice.base.errors import InputError
from kanspice.base.files import is_there, write_text
from kanspice.base.validation import CheckedTable, read_toml, similar, validate
from kanspice.devices.analytic import Analytic
from kanspice.devices.curves import Curve, PiecewisePolynomial
from kanspice.devices.toml_text import toml_text

CARD_FORMAT = "kanspice.device/1"
MAX_PIECES = 4096
MAX_DEGREE = 25
_SAMPLED_POINTS = 4001
_NOTHING = 1e-9
"""Of the largest current: what rounding may leave of one that is zero."""
_FEW = 3.0
FAR = 0.5
"""Root mean square distance of points from a curve that cannot have been fitted to them, in largest currents."""

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
NotNegative = Annotated[Number, Field(ge=0)]
Count = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Alias = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]
OneLine = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$", min_length=1, max_length=2000)]
Coefficients = Annotated[tuple[Number, ...], Field(min_length=1, max_length=MAX_DEGREE + 1)]


class CurveUnits(CheckedTable):
    """What one unit of the curve's axes is. `current_unit_a`: amperes per current unit, where the source states it."""

    voltage: Literal["V"]
    current: OneLine
    current_unit_a: Annotated[Number, Field(gt=0)] | None = None


class Range(CheckedTable):
    """Voltages between which the curve was measured or fitted, before a reverse branch is added."""

    lo_v: Number
    hi_v: Number


class PiecewiseTable(CheckedTable):
    """The tables of a `PiecewisePolynomial`: see there for shapes and units."""

    kind: Literal["piecewise_polynomial"]
    breakpoints_v: Annotated[tuple[Number, ...], Field(min_length=2, max_length=MAX_PIECES + 1)]
    coefficients: Annotated[tuple[Coefficients, ...], Field(min_length=1, max_length=MAX_PIECES)]


class AnalyticTable(CheckedTable):
    """A law of the registry and its parameters."""

    kind: Literal["analytic"]
    law: OneLine
    parameters: Annotated[dict[str, Number], Field(max_length=32)]


class Points(CheckedTable):
    """What was measured: `v`, volts, strictly rising, and `i`, current units, as many of each."""

    v: Annotated[tuple[Number, ...], Field(min_length=2, max_length=MAX_PIECES + 1)]
    i: Annotated[tuple[Number, ...], Field(min_length=2, max_length=MAX_PIECES + 1)]


class FitRecord(CheckedTable):
    """Where a fitted curve came from: number of points, method, and residuals in current units.

    law: of the registry, with its `parameters`, `series` among them a resistance in series in volts per current unit,
    and standard `errors` of those that the points determine; `worse`: the points' scatter about it over that about a
    smooth curve.
    """

    method: OneLine | None = None
    points: Count | None = None
    smoothing: NotNegative | None = None
    degree: Count | None = None
    residual_rms: NotNegative | None = None
    residual_max: NotNegative | None = None
    law: OneLine | None = None
    parameters: Annotated[dict[str, Number], Field(max_length=32)] | None = None
    errors: Annotated[dict[str, NotNegative], Field(max_length=32)] | None = None
    r_squared: Number | None = None
    worse: NotNegative | None = None


class SpreadRecord(CheckedTable):
    """How far so many devices were from the curve, their mean: standard deviations of a relative factor of the current,
    and of a shift in volts; and what neither explains, of the largest current."""

    devices: Annotated[Count, Field(ge=2)]
    area_sigma: NotNegative
    shift_sigma_v: NotNegative
    residual: NotNegative


class Card(CheckedTable):
    """Everything that a device card says."""

    format: Literal["kanspice.device/1"]
    name: Name
    aliases: Annotated[tuple[Alias, ...], Field(max_length=32)] = ()
    description: OneLine
    source: OneLine
    reverse: Literal["clamp", "odd"]
    units: CurveUnits
    range: Range
    curve: PiecewiseTable | AnalyticTable
    fit: FitRecord = FitRecord()
    points: Points | None = None
    spread: SpreadRecord | None = None


class _PiecewiseCard(Card):
    curve: PiecewiseTable


class _AnalyticCard(Card):
    curve: AnalyticTable


_CARD_OF_KIND: Mapping[str, type[Card]] = {"piecewise_polynomial": _PiecewiseCard, "analytic": _AnalyticCard}


@dataclass(frozen=True, eq=False)
class Device:
    """A two-terminal device: its card, the curve that the card describes, and a hash of the card's content.

    series, stretch: by what the curve was bent (`series_resistance.bent`): a resistance in series, in volts per unit of
    current, and then a factor of all voltages.
    """

    name: str
    curve: Curve
    card: Card
    sha256: str
    series: float = 0.0
    stretch: float = 1.0

    @cached_property
    def sampled(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Currents and their slopes at many voltages, evenly from one end of the range to the other."""
        return self.curve.numpy(np.linspace(self.curve.lo_v, self.curve.hi_v, _SAMPLED_POINTS))

    @cached_property
    def current_range(self) -> tuple[float, float]:
        """The smallest and the largest of these currents."""
        return float(self.sampled[0].min()), float(self.sampled[0].max())

    @cached_property
    def delivers(self) -> tuple[float, float] | None:
        """Where the curve's current is against the voltage and largest, in volts and current units.

        None where it is nowhere: a device that is passive delivers no power.
        """
        current = self.sampled[0]
        volts = np.linspace(self.curve.lo_v, self.curve.hi_v, _SAMPLED_POINTS)
        forward = current * np.sign(volts)
        lowest = int(np.argmin(forward))
        if forward[lowest] >= -_NOTHING * float(np.abs(current).max()):
            return None
        return float(volts[lowest]), float(current[lowest])

    def within_scatter(self, current: float) -> bool:
        """Whether a current is as small as a few residuals of a smooth fit, which are the noise of its points."""
        fit = self.card.fit
        return fit.method == "smooth" and abs(current) < _FEW * (fit.residual_rms or 0.0)

    @classmethod
    def from_card(cls, card: Card, where: str | Path) -> Self:
        """Build the curve of `card`. Raises InputError, naming `where`, when its numbers are not a curve."""
        try:
            curve = _curve_of(card)
            if card.points is not None:
                _check_points(card.points, curve)
        except InputError as error:
            raise InputError(
                error.problem, where=where, expected=error.expected, found=error.found, hint=error.hint
            ) from error
        return cls(card.name, curve, card, _sha256(card))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: str | Path = "device card") -> Self:
        """The device that `to_dict` wrote, or the tables of a TOML card. Raises InputError naming `where`."""
        return cls.from_card(parse_card(data, where), where)

    def to_dict(self) -> dict[str, Any]:
        """The card as plain dictionaries, lists, numbers and text, as JSON can hold them."""
        return _plain(self.card)

    def with_curve(self, curve: PiecewisePolynomial) -> Device:
        """The same device with another curve, as it is, reverse branch included."""
        changed = {"reverse": "clamp", "range": {"lo_v": curve.lo_v, "hi_v": curve.hi_v}}
        card = {name: part for name, part in self.to_dict().items() if name not in ("fit", "points", "spread")}
        return Device.from_dict(card | changed | {"curve": piecewise_table(curve)}, f"device {self.name}")

    def with_points(self, v: npt.ArrayLike, i: npt.ArrayLike, where: str | Path) -> Device:
        """The same device, its curve unchanged, with the measured points v, i (n,) on its card.

        Raises InputError, naming `where`, for points that cannot be those of the curve.
        """
        points = {"v": np.asarray(v).tolist(), "i": np.asarray(i).tolist()}
        return Device.from_dict({**self.to_dict(), "points": points}, where)

    def measured(self) -> Device:
        """The device as it was measured: straight lines between its points. Raises InputError if it has none."""
        points = self.card.points
        if points is None:
            raise InputError(
                "nothing is known of what was measured, only the curve",
                where=f"device {self.name}",
                expected="measured points on the device's card, [points]",
                hint=f"pass --curves DIR with {self.name}_nodes.csv (volts, current), or with a card that "
                "`kanspice devices fit` wrote",
            )
        v, i = np.array(points.v), np.array(points.i)
        curve = PiecewisePolynomial.from_segments(v[:-1], v[1:], i[:-1], i[1:])
        data = self.to_dict() | {
            "range": {"lo_v": curve.lo_v, "hi_v": curve.hi_v},
            "curve": piecewise_table(curve),
            "fit": {"method": "segments", "points": len(v)},
        }
        return Device.from_dict(data, f"device {self.name}")


def parse_card(data: Mapping[str, Any], where: str | Path) -> Card:
    """Validate a card's tables. Raises InputError on unknown keys, wrong types and absurd sizes."""
    table = data.get("curve")
    kind = table.get("kind") if isinstance(table, Mapping) else None
    if not isinstance(kind, str) or kind not in _CARD_OF_KIND:
        raise InputError(
            "bad value for 'curve.kind'",
            where=where,
            expected=" | ".join(_CARD_OF_KIND),
            found=repr(kind)[:200],
            hint=similar(str(kind)[:200], _CARD_OF_KIND),
        )
    return validate(_CARD_OF_KIND[kind], data, where)


def read_device(path: Path) -> Device:
    """The device of one TOML card. Raises InputError naming the file."""
    return Device.from_dict(read_toml(path, "a device card"), path)


def write_card(device: Device, path: Path, *, force: bool = False) -> None:
    """Write the device's card as TOML, whole or not at all. InputError when `path` exists and not `force`, or
    cannot be written."""
    if is_there(path) and not force:
        raise InputError("the card exists already", where=path, hint="--force to replace it, or another file name")
    write_text(path, toml_text(device.to_dict()))


def piecewise_table(curve: PiecewisePolynomial) -> dict[str, object]:
    """The `[curve]` table of a card that describes `curve`."""
    return {
        "kind": "piecewise_polynomial",
        "breakpoints_v": curve.breakpoints.tolist(),
        "coefficients": curve.coefficients.tolist(),
    }


def curve_table(curve: Curve) -> dict[str, object]:
    """The `[curve]` table of a card that describes `curve`, a law that is neither stretched nor mirrored among them."""
    if isinstance(curve, PiecewisePolynomial):
        return piecewise_table(curve)
    assert isinstance(curve, Analytic)  # noqa: S101 - there are no others
    return {"kind": "analytic", "law": curve.law, "parameters": dict(curve.parameters)}


def _check_points(points: Points, curve: Curve) -> None:
    v, i = np.array(points.v), np.array(points.i)
    if len(v) != len(i) or (np.diff(v) <= 0).any():
        raise InputError(
            "the measured points are no table",
            expected="points.v strictly rising, and as many points.i",
            found=f"{len(v)} voltages and {len(i)} currents",
        )
    residual, largest = float(np.sqrt(np.mean((curve.numpy(v)[0] - i) ** 2))), float(np.abs(i).max())
    if residual > FAR * largest:
        raise InputError(
            "the measured points are not those of the curve: another device's, or in another unit",
            expected=f"points within {FAR:g} of their largest current from it, root mean square",
            found=f"{residual:.3g} where the largest current is {largest:.3g}",
        )


def _plain(card: Card) -> dict[str, Any]:
    return card.model_dump(mode="json", exclude_none=True)


def _sha256(card: Card) -> str:
    text = json.dumps(_plain(card), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _curve_of(card: Card) -> Curve:
    forward = _piecewise(card.curve) if isinstance(card.curve, PiecewiseTable) else _analytic(card.curve, card.range)
    if (forward.lo_v, forward.hi_v) != (card.range.lo_v, card.range.hi_v):
        raise InputError(
            "the range is not that of the curve",
            expected=f"lo_v = {forward.lo_v!r} and hi_v = {forward.hi_v!r}, the first and the last breakpoint",
            found=f"lo_v = {card.range.lo_v!r} and hi_v = {card.range.hi_v!r}",
        )
    return forward.odd() if card.reverse == "odd" else forward


def _piecewise(table: PiecewiseTable) -> PiecewisePolynomial:
    widths = {len(row) for row in table.coefficients}
    if len(widths) != 1:
        raise InputError(
            "the rows of 'curve.coefficients' differ in length",
            expected="degree + 1 numbers in every row",
            found=f"rows of {min(widths)} to {max(widths)} numbers",
        )
    return PiecewisePolynomial(np.array(table.breakpoints_v), np.array(table.coefficients))


def _analytic(table: AnalyticTable, limits: Range) -> Analytic:
    return Analytic(table.law, table.parameters, limits.lo_v, limits.hi_v)
