"""Where the batched engine computes: with NumPy on the central processor, or with torch on a GPU, by the same code.

What is large, and the arithmetic on it, lies there; what is counted per sample, and every result, is NumPy's.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
from array_api_compat import device

from kanspice.base.arrays import namespace
from kanspice.base.errors import InputError, SimulatorError
from kanspice.devices import Curve

if TYPE_CHECKING:
    import torch

Record = TypeVar("Record")
"""On a processor that is torch's, its tensors stand for NumPy's arrays: what this package does, both can."""

CPU, SAME_CODE = "cpu", "torch"


@dataclass(frozen=True)
class Processor:
    """A place for arrays.

    name: as `--device` has it, and of what make. place: torch's name of it; None for NumPy.
    numbers: how many float64 the largest array of a block of samples should hold at most; None for what suits the
    cache of a central processor.
    """

    name: str
    place: torch.device | None = None
    numbers: int | None = None

    def array(self, values: npt.NDArray[Any]) -> Any:
        """NumPy's values there."""
        if self.place is None:
            return values
        import torch  # noqa: PLC0415 - torch takes a second to import

        return torch.tensor(values, device=self.place)

    def record(self, record: Record) -> Record:
        """A dataclass with those of its fields there that are arrays of numbers."""
        if self.place is None:
            return record
        there = copy.copy(record)
        for each in fields(record):  # type: ignore[arg-type]
            values = getattr(record, each.name)
            if isinstance(values, np.ndarray):
                object.__setattr__(there, each.name, self.array(values))
        return there


HOST = Processor(CPU)
_GPU_NUMBERS, _PER_NUMBER = 2**24, 1024
"""128 MB, or what a GPU has so many bytes for: ten such arrays are needed at a time, with wires up to sixty."""
_NO_ROOM = ("out of memory", "ALLOC_FAILED", "can't allocate memory", "not enough memory")
"""Parts of what torch says where there is none left, on a GPU and on the central processor."""


def processor_named(name: str) -> Processor:
    """`cpu`: NumPy. `cuda` or `cuda:N`: that GPU. `torch`: a GPU's code on the central processor, to check it.

    Raises InputError for any other name, and for a GPU that torch does not see.
    """
    if name == CPU:
        return HOST
    import torch  # noqa: PLC0415 - torch takes a second to import

    if name == SAME_CODE:
        return Processor(name, torch.device("cpu"), _GPU_NUMBERS)
    kind, _, number = name.partition(":")
    if kind != "cuda" or not (number == "" or number.isdecimal()) or name.endswith(":"):
        raise InputError("no such processor", where="--device", expected="cpu, cuda, cuda:N or torch", found=name)
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(number or 0) >= count:
        found = f"{count or 'no'} GPUs that torch {torch.__version__} can use"
        raise InputError("this GPU is not there", where=f"--device {name}", found=found, hint="--device cpu")
    place = torch.device("cuda", int(number or 0))
    with failures_of(name):
        torch.ones(1, dtype=torch.float64, device=place).sum().item()
        room = torch.cuda.get_device_properties(place).total_memory // _PER_NUMBER
        return Processor(f"{place} ({torch.cuda.get_device_name(place)})", place, min(_GPU_NUMBERS, room))


@contextmanager
def failures_of(name: str) -> Iterator[None]:
    """What a processor of this name cannot do, which is no bug of ours: raises SimulatorError for it."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        said = ". ".join(str(error).strip().partition("\n")[0].split(". ")[:3])
        where, other = ("the batched engine", "") if name == CPU else (f"--device {name}", "--device cpu")
        if isinstance(error, MemoryError) or any(part in said for part in _NO_ROOM):
            hint = " or ".join(filter(None, ["fewer processes at a time", other]))
            raise SimulatorError("there is not enough memory", where=where, found=said, hint=hint) from error
        if name.startswith("cuda") and ("CUDA" in said or "HIP" in said):
            raise SimulatorError("the GPU failed", where=where, found=said, hint=other) from error
        raise


def host(values: Any) -> npt.NDArray[Any]:
    """Values from wherever they are, as NumPy's."""
    return values if isinstance(values, np.ndarray) else values.cpu().numpy()


def host_record(record: Record) -> Record:
    """A dataclass with all its arrays as NumPy's."""
    here = copy.copy(record)
    for each in fields(record):  # type: ignore[arg-type]
        values = getattr(record, each.name)
        if hasattr(values, "cpu"):
            object.__setattr__(here, each.name, host(values))
    return here


def beside(values: npt.NDArray[Any], there: Any) -> Any:
    """NumPy's values where `there` is."""
    return namespace(there).asarray(values, device=device(there))


def empty(shape: tuple[int, ...], there: Any) -> Any:
    """For float64 that are yet to come, where `there` is."""
    return namespace(there).empty(shape, dtype=there.dtype, device=device(there))


def curve_values(curve: Curve, volts: Any) -> tuple[Any, Any]:
    """A curve's current and slope at voltages anywhere, as `Curve.numpy` has them."""
    if isinstance(volts, np.ndarray):
        return curve.numpy(volts)
    import torch  # noqa: PLC0415

    with torch.inference_mode(False), torch.enable_grad():
        at = (volts.clone() if volts.is_inference() else volts.detach()).requires_grad_()
        current = curve.torch(at)
        if not current.requires_grad:
            return current, torch.zeros_like(volts)
        (slope,) = torch.autograd.grad(current.sum(), at)
    return current.detach(), slope
