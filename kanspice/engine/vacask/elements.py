"""Elements in VACASK's language: a line each, made of our own names and of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kanspice.engine.vacask.verilog import number

GROUND = "0"
_UNLIMITED = 1e30
"""A level, a swing or a gain that nothing reaches."""


def level(value: float) -> float:
    """One that may be infinite, as it is written."""
    return min(max(value, -_UNLIMITED), _UNLIMITED)


def element(name: str, nodes: Iterable[str], module: str, **parameters: float) -> str:
    """One instance of a module."""
    values = "".join(f" {key}={number(value)}" for key, value in parameters.items())
    return f"{name} ({' '.join(nodes)}) {module}{values}"


def meter(name: str, first: str, second: str) -> str:
    """A source of 0 V: its current is what flows through it from the first node to the second."""
    return element(name, (first, second), "vsource", dc=0.0)


def model_lines(modules: Iterable[str]) -> Iterator[str]:
    """What elements are instances of, each by its module's own name."""
    return (f"model {name} {name}" for name in dict.fromkeys(modules))
