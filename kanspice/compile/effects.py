"""Imperfections that a circuit cannot have are refused: left out in silence, they would pass for harmless ones."""

from __future__ import annotations

from collections.abc import Collection

from kanspice.errors import InputError
from kanspice.technology import Technology


def refuse_changed(technology: Technology, section: str, *, expected: str) -> None:
    """Raises InputError where any value of the section, imperfection or not, is not its default."""
    table, defaults = (getattr(each, section) for each in (technology, Technology()))
    changed = [f"{section}.{key}" for key in type(table).model_fields if getattr(table, key) != getattr(defaults, key)]
    if changed:
        raise InputError(f"{', '.join(changed)} would have no effect", where="technology", expected=expected)


def refuse_without_effect(technology: Technology, section: str, *, expected: str, but: Collection[str] = ()) -> None:
    """Raises InputError where a value of the section is not its ideal, except for keys in `but`."""
    allowed = {f"{section}.{key}" for key in but}
    acting = (*technology.causes, *technology.dynamics)
    useless = [name for name in acting if name.startswith(f"{section}.") and name not in allowed]
    if useless:
        raise InputError(f"{', '.join(useless)} would have no effect", where="technology", expected=expected)
