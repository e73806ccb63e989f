"""The hand-written subcircuits that compiled netlists use."""

from __future__ import annotations

from collections.abc import Iterable

from kanspice.base.errors import KanspiceError
from kanspice.base.resources import NETLISTS
from kanspice.subcircuits.process import PROCESSES


def subcircuit_text(name: str) -> str:
    """The text of `netlists/<name>.cir`, or, for a cell of a process's transistors, `netlists/<process>/<cell>.cir`.

    Raises KanspiceError when the installation lacks it.
    """
    process, _, cell = name.partition("_")
    path = NETLISTS / process / f"{cell}.cir" if process in PROCESSES else NETLISTS / f"{name}.cir"
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        hint = "install kanspice again: its subcircuit library is incomplete"
        raise KanspiceError("subcircuit missing", where=path, hint=hint) from error


def library_text(names: Iterable[str]) -> str:
    """The named subcircuits in one text, each once, in alphabetical order."""
    return "\n".join(subcircuit_text(name) for name in sorted(set(names)))
