"""What other packages bring: objects that they name as entry points of their installation."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class BrokenPlugin:
    """What a package brings and cannot be used. plugin: the entry point, and the package that names it."""

    plugin: str
    why: str


@dataclass(frozen=True)
class Plugged(Generic[T]):
    """What was found: by the order of names, and what is broken."""

    found: tuple[T, ...]
    broken: tuple[BrokenPlugin, ...]


def plugged(group: str, kind: type[T], name_of: Callable[[T], str], taken: Collection[str]) -> Plugged[T]:
    """The objects that installed packages bring to a group, each of a name that is not taken.

    None of them can keep kanspice from working: whatever one raises, it is broken. A package that is installed runs as
    whoever uses it, here as anywhere in Python.
    """
    found: dict[str, T] = {}
    broken: list[BrokenPlugin] = []
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        try:
            value = _loaded(point, kind)
            name = name_of(value)
            if name in taken or name in found:
                raise ValueError(f"there is a {kind.__name__.lower()} called '{name}' already")
        except (Exception, SystemExit) as error:  # a stranger's module raises what it likes
            broken.append(BrokenPlugin(_called(point), str(error).strip() or type(error).__name__))
        else:
            found[name] = value
    return Plugged(tuple(found.values()), tuple(broken))


def _loaded(point: EntryPoint, kind: type[T]) -> T:
    with redirect_stdout(sys.stderr):  # what a command prints may be read by a program
        value = point.load()
    if not isinstance(value, kind):
        raise TypeError(f"{point.value} is a {type(value).__name__}, not a {kind.__name__}")
    return value


def _called(point: EntryPoint) -> str:
    package = "" if point.dist is None else f" of {point.dist.name} {point.dist.version}"
    return f"{point.name}{package}"
