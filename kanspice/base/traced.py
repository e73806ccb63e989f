"""Arrays and numbers that carry torch's graph through code that is written for NumPy.

NumPy asks its arguments before it computes (`__array_ufunc__`, `__array_function__`: NEP 13 and 18). What is traced
answers with torch's counterpart, so that a circuit compiled from traced parameters has traced parts, and whatever is
made of these has exact derivatives. Nothing is lost in silence: what has no counterpart here, and whatever would turn
a traced value into a plain one, raises TypeError. Comparisons, signs and the like are plain: they have no derivative.
Rounding is passed straight through: its derivative counts as 1.

torch is imported when the first value is traced, and not before.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from kanspice.base.arrays import Array

if TYPE_CHECKING:
    import torch

Any_ = TypeVar("Any_")

_IS_TRACING: ContextVar[bool] = ContextVar("is_tracing", default=False)


@contextmanager
def tracing() -> Iterator[None]:
    """Meanwhile a trained tensor that wants a gradient is handed on as a traced array, and not as its numbers."""
    token = _IS_TRACING.set(True)
    try:
        yield
    finally:
        _IS_TRACING.reset(token)


def is_tracing() -> bool:
    """Whether this is within `tracing`."""
    return _IS_TRACING.get()


class UntraceableError(TypeError):
    """Something traced came where its gradient would be lost."""


class _Dispatching:
    """What NumPy asks before it computes with something traced."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if ufunc.__name__ in _PLAIN and not kwargs.get("out"):
            return getattr(ufunc, method)(*(plain(each) for each in inputs), **kwargs)
        if method == "reduce" and ufunc.__name__ == "add":
            return _functions()["sum"](*inputs, **kwargs)
        if method != "__call__" or kwargs or ufunc.__name__ not in _ufuncs():
            kind = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
            raise UntraceableError(
                f"no derivative of numpy.{kind} is known here{f' with {sorted(kwargs)}' if kwargs else ''}"
            )
        return _wrapped(_ufuncs()[ufunc.__name__](*(_tensor(each) for each in inputs)))

    def __array_function__(self, func: Callable[..., Any], _types: Any, args: Any, kwargs: Any) -> Any:
        if func.__name__ in _PLAIN:
            return func(*plain(list(args)), **plain(dict(kwargs)))
        if func.__name__ not in _functions():
            raise UntraceableError(f"no derivative of numpy.{func.__name__} is known here")
        return _functions()[func.__name__](*args, **kwargs)

    def __array__(self, *_args: Any, **_kwargs: Any) -> Any:
        raise UntraceableError("a number would lose its gradient here")

    def __float__(self) -> float:
        raise UntraceableError("a number would lose its gradient here")


class TracedArray(_Dispatching, NDArrayOperatorsMixin):
    """An array whose numbers are a torch tensor of float64."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.tensor.shape)

    @property
    def ndim(self) -> int:
        return self.tensor.ndim

    @property
    def size(self) -> int:
        return self.tensor.numel()

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float64)

    @property
    def T(self) -> TracedArray:  # noqa: N802 - as NumPy has it
        return TracedArray(self.tensor.permute(*reversed(range(self.ndim))))

    def __len__(self) -> int:
        return len(self.tensor)

    def __iter__(self) -> Iterator[Any]:
        return (self[place] for place in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        steps = key if isinstance(key, tuple) else (key,)
        if any(isinstance(step, slice) and (step.step or 1) < 0 for step in steps):
            raise UntraceableError("a traced array is read forwards only")
        return _wrapped(self.tensor[_key(key)])

    def __setitem__(self, key: Any, values: Any) -> None:
        changed = self.tensor.clone()
        changed[_key(key)] = _tensor(values)
        self.tensor = changed

    def __bool__(self) -> bool:
        return bool(self.tensor)

    def reshape(self, *shape: Any) -> Any:
        return _wrapped(self.tensor.reshape(*shape))

    def transpose(self, *axes: Any) -> TracedArray:
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return TracedArray(self.tensor.permute(*order)) if order else self.T

    def astype(self, dtype: Any) -> TracedArray:
        if np.dtype(dtype) != self.dtype:
            raise UntraceableError("a traced array is of float64")
        return self

    def copy(self) -> TracedArray:
        return TracedArray(self.tensor.clone())

    def ravel(self) -> TracedArray:
        return TracedArray(self.tensor.reshape(-1))

    def repeat(self, repeats: int, axis: int | None = None) -> Any:
        return np.repeat(self, repeats, axis)

    def sum(self, axis: Any = None, **kwargs: Any) -> Any:
        return np.sum(self, axis=axis, **kwargs)

    def mean(self, axis: Any = None, **kwargs: Any) -> Any:
        return np.mean(self, axis=axis, **kwargs)

    def max(self, axis: Any = None, **kwargs: Any) -> Any:
        return np.max(self, axis=axis, **kwargs)

    def min(self, axis: Any = None, **kwargs: Any) -> Any:
        return np.min(self, axis=axis, **kwargs)

    def clip(self, *args: Any, **kwargs: Any) -> Any:
        return np.clip(self, *args, **kwargs)

    def any(self, axis: Any = None) -> Any:
        return plain(self).any(axis=axis)

    def all(self, axis: Any = None) -> Any:
        return plain(self).all(axis=axis)


class TracedFloat(_Dispatching, float):
    """A number that is a torch tensor of float64 without dimensions.

    It is a float, so that whatever asks how large it is can do so; what would make a plain float of it raises
    TypeError. Only functions of `math` see none of that: code that traced values pass through has NumPy's instead.
    """

    tensor: torch.Tensor

    def __new__(cls, tensor: torch.Tensor) -> TracedFloat:
        made = super().__new__(cls, tensor.item())
        made.tensor = tensor
        return made

    shape: tuple[int, ...] = ()
    ndim = 0
    size = 1

    def __float__(self) -> float:
        raise UntraceableError("a number would lose its gradient here")

    def __reduce__(self) -> Any:
        raise UntraceableError("a number would lose its gradient here")

    @property
    def real(self) -> TracedFloat:
        return self

    def conjugate(self) -> TracedFloat:
        return self

    def __deepcopy__(self, _memo: Any) -> TracedFloat:
        return self

    def any(self) -> bool:
        return bool(self)

    all = any

    def max(self, **_kwargs: Any) -> TracedFloat:
        return self

    min = max


def _operator(ufunc: Any, *, swapped: bool = False) -> Any:
    def apply(self: TracedFloat, other: Any) -> Any:
        if not isinstance(other, float | int | np.ndarray | TracedArray | np.generic):
            return NotImplemented
        return ufunc(other, self) if swapped else ufunc(self, other)

    return apply


for _name, _ufunc in {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.true_divide,
    "pow": np.power,
}.items():
    setattr(TracedFloat, f"__{_name}__", _operator(_ufunc))
    setattr(TracedFloat, f"__r{_name}__", _operator(_ufunc, swapped=True))
for _name, _one in {"neg": np.negative, "pos": np.positive, "abs": np.absolute}.items():
    setattr(TracedFloat, f"__{_name}__", lambda self, _one=_one: _one(self))


def _lost(*_values: Any) -> Any:
    raise UntraceableError("a number would lose its gradient here")


for _name in ("int", "trunc", "floor", "ceil", "round", "floordiv", "rfloordiv", "mod", "rmod", "divmod", "rdivmod"):
    setattr(TracedFloat, f"__{_name}__", _lost)  # a float's own would give plain numbers


def traced(values: Any) -> Any:
    """A tensor, an array or a number as something traced."""
    import torch  # noqa: PLC0415 - see the module

    tensor = values if isinstance(values, torch.Tensor) else torch.as_tensor(values, dtype=torch.float64)
    return _wrapped(tensor.to(torch.float64))


def tensor_of(values: Any) -> torch.Tensor:
    """What is traced, or plain, as a tensor of float64."""
    found = _tensor(values)
    import torch  # noqa: PLC0415 - see the module

    return torch.as_tensor(found, dtype=torch.float64)


def is_traced(values: Any) -> bool:
    """Whether it carries a graph."""
    return isinstance(values, TracedArray | TracedFloat)


def number(value: Any) -> float:
    """`float(value)`, or the value as it is if that is traced."""
    return value if isinstance(value, TracedFloat) else float(value)


def asarray(value: Any) -> Array:
    """`np.asarray(value)`, or the value as it is if that is traced."""
    return value if is_traced(value) else np.asarray(value)


def replaced(value: Any_, new: Any) -> Any_:
    """A value in whose place another is taken, as a rounded one is: its derivative passes straight through."""
    kept: Any_ = value + (new - plain(value)) if is_traced(value) else new
    return kept


def plain(values: Any_) -> Any_:
    """The same without any graph: of traced values their numbers, also of those in records, lists and mappings."""
    found: Any = values
    match found:
        case TracedArray():
            found = np.ascontiguousarray(found.tensor.detach().cpu().numpy())
        case TracedFloat():
            found = found.tensor.item()
        case tuple() if hasattr(found, "_fields"):
            found = type(found)(*(plain(each) for each in found))
        case tuple() | list():
            found = type(found)(plain(each) for each in found)
        case dict():
            found = {name: plain(each) for name, each in found.items()}
        case _ if is_dataclass(found) and not isinstance(found, type):
            found = _plain_record(found)
        case _:
            pass
    kept: Any_ = found
    return kept


def _plain_record(record: Any) -> Any:
    parts = {field.name: getattr(record, field.name) for field in fields(record)}
    changed = {name: new for name, part in parts.items() if (new := plain(part)) is not part and _differs(part, new)}
    if not changed:
        return record
    there = copy.copy(record)
    for name in list(vars(there)):
        if name not in parts:
            del there.__dict__[name]  # what was worked out of traced values
    for name, part in changed.items():
        object.__setattr__(there, name, part)
    return there


def _differs(part: Any, new: Any) -> bool:
    """Whether anything in it was traced: sequences are rebuilt in any case."""
    if isinstance(part, tuple | list):
        return any(a is not b and _differs(a, b) for a, b in zip(part, new, strict=True))
    if isinstance(part, dict):
        return any(part[name] is not new[name] and _differs(part[name], new[name]) for name in part)
    return True


def _wrapped(tensor: Any) -> Any:
    return TracedFloat(tensor) if tensor.ndim == 0 else TracedArray(tensor)


def _tensor(values: Any) -> Any:
    """For torch: of plain arrays tensors, of plain numbers themselves."""
    import torch  # noqa: PLC0415 - see the module

    if isinstance(values, TracedArray | TracedFloat):
        return values.tensor
    if isinstance(values, np.ndarray):
        flags = values.dtype == np.bool_ or np.issubdtype(values.dtype, np.integer)
        kept = np.ascontiguousarray(values)
        return torch.from_numpy(kept if kept.flags.writeable else kept.copy()).to(
            torch.bool if values.dtype == np.bool_ else torch.int64 if flags else torch.float64
        )
    if isinstance(values, np.generic):
        return values.item()
    return values


def _both(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A function of torch that takes tensors alone, of a tensor and a number."""

    def apply(first: Any, second: Any) -> Any:
        import torch  # noqa: PLC0415 - see the module

        parts = [torch.as_tensor(part, dtype=torch.float64) for part in (first, second)]
        return function(*parts)

    return apply


def _key(key: Any) -> Any:
    if isinstance(key, tuple):
        return tuple(_key(part) for part in key)
    return _tensor(key) if isinstance(key, np.ndarray) else key


_PLAIN = frozenset(
    {
        *("sign", "isfinite", "isinf", "isnan", "equal", "not_equal", "less", "less_equal", "greater"),
        *("greater_equal", "logical_not", "logical_and", "logical_or", "signbit", "any", "all", "isin", "nonzero"),
        *("flatnonzero", "count_nonzero", "argmax", "argmin", "argsort", "zeros_like", "ones_like"),
        *("empty_like", "shape", "ndim", "size", "array_equal", "allclose", "searchsorted", "result_type", "isclose"),
    }
)
"""What has no derivative, and is of plain values."""


@cache
def _ufuncs() -> Mapping[str, Callable[..., Any]]:
    import torch  # noqa: PLC0415 - see the module

    names = ("negative", "exp", "log", "log1p", "expm1", "sqrt", "square", "tanh", "sin", "cos", "reciprocal")
    one = {name: getattr(torch, name) for name in names}
    two: dict[str, Callable[[Any, Any], Any]] = {
        "maximum": torch.maximum,
        "minimum": torch.minimum,
        "hypot": torch.hypot,
        "power": torch.pow,
    }
    return {
        **one,
        **{name: _both(function) for name, function in two.items()},
        "add": lambda x, y: x + y,
        "subtract": lambda x, y: x - y,
        "multiply": lambda x, y: x * y,
        "divide": lambda x, y: x / y,
        "matmul": lambda x, y: x @ y,
        "absolute": torch.abs,
        "positive": lambda x: x,
        "conjugate": lambda x: x,
        "arctan": torch.arctan,
        "wrightomega": _wright_omega,
    }


def _wright_omega(x: torch.Tensor) -> torch.Tensor:
    """w + ln w = x: scipy's value, whose derivative is w / (1 + w) by one step of Newton's method."""
    import torch  # noqa: PLC0415 - see the module
    from scipy.special import wrightomega  # noqa: PLC0415

    w = torch.from_numpy(np.asarray(wrightomega(x.detach().cpu().numpy()))).to(x.device)
    slope = w / (1 + w)
    return w + slope * (x - x.detach())


def _round(x: Any, *_args: Any, **_kwargs: Any) -> Any:
    return replaced(x, np.round(plain(x)))


@cache
def _functions() -> Mapping[str, Callable[..., Any]]:
    import torch  # noqa: PLC0415 - see the module

    def several(function: Callable[..., Any]) -> Callable[..., Any]:
        def apply(parts: Sequence[Any], axis: int = 0) -> Any:
            return _wrapped(function([tensor_of(part) for part in parts], axis))

        return apply

    def over(function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def apply(x: Any, axis: Any = None, *, keepdims: bool = False, initial: Any = None) -> Any:
            tensor = _tensor(x)
            if initial is not None and name not in {"max", "min"}:
                raise UntraceableError(f"no derivative of numpy.{name} with ['initial'] is known here")
            if initial is not None:
                if tensor.numel() == 0:
                    return initial
                best = np.maximum if name == "max" else np.minimum
                return best(apply(x, axis, keepdims=keepdims), initial)
            if axis is None:
                return _wrapped(function(tensor))
            return _wrapped(function(tensor, dim=axis, keepdim=keepdims))

        return apply

    def where(chosen: Any, first: Any, second: Any) -> Any:
        return _wrapped(torch.where(_tensor(plain(chosen)), tensor_of(first), tensor_of(second)))

    def clip(x: Any, low: Any = None, high: Any = None, *, min: Any = None, max: Any = None) -> Any:
        low, high = (min if low is None else low), (max if high is None else high)
        raised = x if low is None else np.maximum(x, low)
        return raised if high is None else np.minimum(raised, high)

    def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
        return _wrapped(torch.repeat_interleave(_tensor(x), _tensor(np.asarray(repeats)), dim=axis))

    def full_like(x: Any, fill: Any, **_kwargs: Any) -> Any:
        return fill * np.ones(np.shape(x))

    def einsum(equation: str, *parts: Any) -> Any:
        return _wrapped(torch.einsum(equation, *(tensor_of(part) for part in parts)))

    def pad(x: Any, widths: Any) -> Any:
        flat = [int(width) for pair in reversed(np.broadcast_to(widths, (np.ndim(x), 2)).tolist()) for width in pair]
        return _wrapped(torch.nn.functional.pad(_tensor(x), flat))

    return {
        "sum": over(torch.sum, "sum"),
        "mean": over(torch.mean, "mean"),
        "max": over(torch.amax, "max"),
        "amax": over(torch.amax, "max"),
        "min": over(torch.amin, "min"),
        "amin": over(torch.amin, "min"),
        "concatenate": several(torch.cat),
        "stack": several(torch.stack),
        "where": where,
        "clip": clip,
        "repeat": repeat,
        "einsum": einsum,
        "full_like": full_like,
        "pad": pad,
        "round": _round,
        "around": _round,
        "real": lambda x: x,
        "ascontiguousarray": lambda x, **_: x,
        "broadcast_to": lambda x, shape: _wrapped(_tensor(x).expand(shape)),
        "reshape": lambda x, shape: x.reshape(shape),
        "transpose": lambda x, axes=None: x.T if axes is None else x.transpose(axes),
        "tile": lambda x, counts: _wrapped(torch.tile(_tensor(x), (counts,) if isinstance(counts, int) else counts)),
        "flip": lambda x, axis: _wrapped(torch.flip(_tensor(x), (axis,))),
        "squeeze": lambda x, axis: _wrapped(_tensor(x).squeeze(axis)),
        "expand_dims": lambda x, axis: _wrapped(_tensor(x).unsqueeze(axis)),
        "cumsum": lambda x, axis: _wrapped(torch.cumsum(_tensor(x), axis)),
    }
