"""Which engines there are: names that the command line can offer without loading one."""

from __future__ import annotations

from kanspice.base.errors import InputError

HOMES = {
    "ngspice": "kanspice.engine.ngspice.record",
    "batched": "kanspice.engine.batched.record",
    "vacask": "kanspice.engine.vacask.record",
}
"""Name -> the module of its record, `ENGINE`: a new engine is a package and a line here."""


def check_of(text: str | int, option: str = "--cross-check") -> tuple[int, str | None]:
    """Of `N` or `N:ENGINE`: how many samples, or draws, another engine solves too, and which.

    Raises InputError for anything else.
    """
    text = str(text)
    count, _, engine = text.partition(":")
    if not count.isdecimal() or (":" in text and engine not in HOMES):
        expected = f"N, or N:ENGINE with one of {', '.join(HOMES)}"
        raise InputError("is no number of samples or draws", where=option, expected=expected, found=text)
    return int(count), engine or None
