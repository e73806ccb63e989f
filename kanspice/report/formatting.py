"""How a report writes numbers and names: three significant digits, and text that cannot disturb a terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping

from kanspice.base import visible
from kanspice.gap.causes import Share

plain, escaped = visible.plain, visible.escaped
"""As every report writes what a stranger has named."""
NOTHING = "-"
"""What stands where there is no figure."""


def number(value: float | None) -> str:
    """Three significant digits as engineers read them: 0.0123, 1.2e-07, 1230; "-" for None and NaN."""
    if value is None or math.isnan(value):
        return NOTHING
    if 999.5 <= abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.3g}"


def share(fraction: float | None, samples: int) -> str:
    """A fraction of the samples as a percentage and a count: "98.0 % (49 of 50)"; never rounded to all or none."""
    if fraction is None or math.isnan(fraction):
        return NOTHING
    return f"{percentage(fraction)} ({round(fraction * samples):,} of {samples:,})"


def percentage(fraction: float) -> str:
    """A fraction as a percentage, "98.0 %"; never rounded to all or none."""
    if fraction in {0.0, 1.0}:
        return f"{100 * fraction:.0f} %"
    return f"{min(max(100 * fraction, 0.1), 99.9):.1f} %"


def setting(value: float | str | None) -> str:
    """A value of a technology: three digits, or its word."""
    return plain(value) if isinstance(value, str) else number(value)


def percent(part: Share | None) -> str:
    """A part of the whole in percent, with its standard error where it has one: "12.3", "12.3 ± 0.4"; "-" for None."""
    if part is None:
        return NOTHING
    value = f"{100 * part.fraction:.1f}".replace("-0.0", "0.0")
    return f"{value} ± {100 * part.standard_error:.1f}" if part.standard_error > 0 else value


def counted(value: object) -> str:
    """A count with thousands separated; anything else as it is."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return known(value)


def known(value: object) -> str:
    """A value as it is, "-" for None."""
    return NOTHING if value is None else plain(value)


def many(count: int, noun: str) -> str:
    """A count and its noun: "1 sample", "1,200 samples"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def devices(value: object) -> str:
    """How many devices, and of which kinds where that is known: "4,736 devices (Z21 4,096, Z15 640)"."""
    if not isinstance(value, Mapping):
        return f"{counted(value)} devices"
    parts = ", ".join(f"{plain(name)} {counted(part)}" for name, part in value.items())
    total = sum(part for part in value.values() if isinstance(part, int))
    return f"{total:,} devices ({parts})" if parts else "0 devices"


def pair(value: float, limit: float) -> tuple[str, str]:
    """Two figures, with as many digits as it takes to see that they differ."""
    short = number(value), number(limit)
    if short[0] != short[1] or value == limit:
        return short
    told_apart = ((f"{value:.{digits}g}", f"{limit:.{digits}g}") for digits in range(4, 18))
    return next((texts for texts in told_apart if texts[0] != texts[1]), short)


def encodable(text: str) -> str:
    """Text that UTF-8 can hold: lone surrogates (a file name that is no Unicode) become a backslash and digits."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def lasting(seconds: float) -> str:
    """A time to wait, to one digit or two: "40 s", "12 min", "9.9 h"."""
    unit, length = next(((u, s) for u, s in (("h", 3600.0), ("min", 60.0)) if seconds >= s), ("s", 1.0))
    return f"{seconds / length:.2g} {unit}" if seconds / length < 99.5 else f"{seconds / length:.0f} {unit}"


def durations(timing: Mapping[str, float]) -> str:
    """Timing as a sentence part: "load 0.1 s, simulate 3.2 s, per sample 0.064 s"."""
    named = [(key.removesuffix("_s").replace("_", " "), value) for key, value in timing.items()]
    return ", ".join(f"{plain(name)} {number(value)} s" for name, value in named) or NOTHING


def peaks(memory: Mapping[str, int | None]) -> str:
    """Memory as a sentence part: "simulator peak 120 MB, kanspice peak 300 MB"."""
    named = [(key.removesuffix("_bytes").replace("_", " "), value) for key, value in memory.items() if value]
    return ", ".join(f"{plain(name)} {megabytes(value)}" for name, value in named) or NOTHING


def megabytes(size: float) -> str:
    """Bytes as megabytes, in words."""
    return f"{size / 1e6:,.0f} MB"
