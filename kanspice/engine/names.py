"""Which engines there are: names that the command line can offer without loading one."""

from __future__ import annotations

from kanspice.base.errors import InputError

HOMES = {
    "ngspice": "kanspice.engine.ngspice.record",
    "batched": "kanspice.engine.batched.record",
    "vacask": "kanspice.engine.vacask.record",
    "auto": "kanspice.engine.auto",
}
"""Name -> the module of its record, `ENGINE`: a new engine is a package and a line here."""


def judges_of(text: str | int, option: str = "--cross-check") -> tuple[int, tuple[str, ...]]:
    """Of `N`, `N:ENGINE` or `N:ENGINE,ENGINE`: how many samples, or draws, other engines solve too, and which.

    Raises InputError for anything else, and for an engine twice.
    """
    text = str(text)
    count, _, named = text.partition(":")
    engines = tuple(named.split(",")) if ":" in text else ()
    if not count.isdecimal() or not set(engines) <= HOMES.keys() or len(set(engines)) < len(engines):
        expected = f"N, or N:ENGINE with one of {', '.join(HOMES)}"
        raise InputError("is no number of samples or draws", where=option, expected=expected, found=text)
    return int(count), engines


def check_of(text: str | int, option: str = "--cross-check") -> tuple[int, str | None]:
    """The same where one engine checks."""
    count, engines = judges_of(text, option)
    if len(engines) > 1:
        hint = "verify takes several"
        raise InputError("one engine checks here", where=option, expected="N:ENGINE", found=str(text), hint=hint)
    return count, engines[0] if engines else None
