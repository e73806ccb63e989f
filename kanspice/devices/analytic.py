"""Curves given by a named physical law from the registry in `laws.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, final

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.devices.curves import Curve, spice_literal

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True, eq=False)
class Analytic(Curve):
    """The law `law` with `parameters`, valid on [lo_v, hi_v] volts and clamped outside.

    stretch: phi(v) = law(v / stretch). mirrored: below 0 V the curve is 2 phi(0) - phi(-v).
    Raises InputError on an unknown law, on missing, unknown or non-finite parameters, on some that are not positive
    where the law needs it, on an empty range, and where the law is not finite inside its range.
    """

    law: str
    parameters: Mapping[str, float]
    lo_v: float
    hi_v: float
    stretch: float = field(default=1.0, kw_only=True)
    mirrored: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))
        _check_parameters(self.law, self.parameters)
        if not (np.isfinite([self.lo_v, self.hi_v]).all() and self.lo_v < self.hi_v):
            raise InputError(
                "the voltage range is empty", expected="lo_v < hi_v", found=f"{self.lo_v:g} and {self.hi_v:g}"
            )
        if not self._is_finite():
            raise InputError(
                f"the law {self.law} is not finite between {self.lo_v:g} and {self.hi_v:g} V",
                hint="check its parameters and the range",
            )

    def torch(self, v: Tensor) -> Tensor:
        import torch  # noqa: PLC0415 - torch takes a second to import

        from kanspice.devices.laws import torch_form  # noqa: PLC0415 - SymPy takes half a second to import

        law, values = torch_form(self.law), self._values()
        inside = v.to(torch.float64).clamp(self.lo_v, self.hi_v) / self.stretch
        if not self.mirrored:
            return torch.as_tensor(law(inside, *values), device=inside.device)
        at_zero = law(torch.zeros_like(inside), *values)
        forward = law(torch.where(inside < 0, -inside, inside), *values)
        return torch.where(inside < 0, 2 * at_zero - forward, forward)

    def numpy(self, v: npt.ArrayLike) -> tuple[Array, Array]:
        from kanspice.devices.laws import numpy_forms  # noqa: PLC0415

        (law, derivative), values = numpy_forms(self.law), self._values()
        volts = np.asarray(v, dtype=np.float64)
        inside = np.clip(volts, self.lo_v, self.hi_v) / self.stretch
        x = np.abs(inside) if self.mirrored else inside
        current, slope = law(x, *values), derivative(x, *values) / self.stretch
        if self.mirrored:
            current = np.where(inside < 0, 2 * law(np.zeros_like(x), *values) - current, current)
        return current, np.where((volts < self.lo_v) | (volts > self.hi_v), 0.0, slope)

    def spice(self, argument: str) -> str:
        from kanspice.devices.laws import spice_form  # noqa: PLC0415

        x, scaled = self._spice_arguments(argument)
        inside = spice_form(self.law, scaled, self.parameters)
        if self.mirrored:
            twice_at_zero = spice_literal(2 * float(self.numpy(0.0)[0]))
            reverse = spice_form(self.law, f"(-{scaled})", self.parameters)
            inside = f"({x} < 0 ? ({twice_at_zero}-{reverse}) : {inside})"
        return self.clamped_spice(x, inside)

    def spice_derivative(self, argument: str) -> str:
        from kanspice.devices.laws import spice_derivative_form  # noqa: PLC0415

        x, scaled = self._spice_arguments(argument)
        distance = f"abs({scaled})" if self.mirrored else scaled
        slope = spice_derivative_form(self.law, distance, self.parameters)
        return self.flattened_spice(x, f"({slope}/{spice_literal(self.stretch)})")

    def _spice_arguments(self, argument: str) -> tuple[str, str]:
        """The argument in volts, and in the law's own volts."""
        x = f"({argument})"
        return x, x if self.stretch == 1.0 else f"({x}/{spice_literal(self.stretch)})"

    def stretched(self, factor: float) -> Analytic:
        self.check_stretch(factor)
        return replace(self, lo_v=self.lo_v * factor, hi_v=self.hi_v * factor, stretch=self.stretch * factor)

    def odd(self) -> Analytic:
        self.check_mirror()
        return replace(self, lo_v=-self.hi_v, mirrored=True)

    def _is_finite(self) -> bool:
        with np.errstate(all="ignore"):
            try:
                current, slope = self.numpy(np.linspace(self.lo_v, self.hi_v, 101))
            except ZeroDivisionError:
                return False
        return bool(np.isfinite(current).all() and np.isfinite(slope).all())

    def _values(self) -> list[float]:
        """Parameter values in the order in which the law names them."""
        from kanspice.devices.laws import laws  # noqa: PLC0415

        return [self.parameters[name] for name in laws()[self.law].parameters]


def _check_parameters(law: str, parameters: Mapping[str, float]) -> None:
    from kanspice.devices.laws import laws  # noqa: PLC0415

    if law not in laws():
        raise InputError("unknown device law", expected=" | ".join(laws()), found=law)
    if set(parameters) != set(laws()[law].parameters):
        raise InputError(
            f"wrong parameters for the law {law}",
            expected=", ".join(laws()[law].parameters),
            found=", ".join(sorted(parameters)) or "none",
        )
    for name, value in parameters.items():
        if not np.isfinite(value):
            raise InputError(f"the parameter {name} is not finite", found=str(value))
        if name in laws()[law].positive and value <= 0:
            raise InputError(
                f"the parameter {name} is not positive",
                expected="a number above 0",
                found=f"{value:g}",
                hint=laws()[law].positive[name],
            )
