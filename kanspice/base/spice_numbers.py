"""Numbers as SPICE reads them: exact, and never mistaken for a suffix (`1M` is a milli in SPICE)."""

from __future__ import annotations


def spice_number(value: float) -> str:
    """The shortest plain decimal text that reads back as exactly `value` (at most 17 digits)."""
    return repr(float(value))
