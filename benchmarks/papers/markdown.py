"""Tables and numbers of the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

NOTHING = "-"
ROWS = Mapping[str, Mapping]


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, text: int = 1) -> list[str]:
    """Lines of a table whose first `text` columns are words, the others numbers; ends with an empty line."""
    rules = ["---"] * text + ["---:"] * (len(header) - text)
    return [_line(header), _line(rules), *map(_line, rows), ""]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def percent(fraction: float | None, digits: int = 1) -> str:
    """Of a fraction: 97.5."""
    return NOTHING if fraction is None else f"{100 * fraction:.{digits}f}"


def many(count: float | None) -> str:
    """With separators."""
    return NOTHING if count is None else f"{count:,.0f}"


def small(value: float | None) -> str:
    """Two digits."""
    return NOTHING if value is None else f"{value:.2g}"


def seconds(value: float | None) -> str:
    """With the unit that fits."""
    if value is None:
        return NOTHING
    if value >= 120:
        return f"{value / 60:.0f} min"
    return f"{value:.3g} s" if value >= 1 else f"{1e3 * value:.3g} ms"


def command(study: str) -> list[str]:
    """What measures a section's rows."""
    return [f"`python -m benchmarks.papers {study}`", ""]


_PREFIXES = ((1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"), (1e-12, "p"), (1e-15, "f"), (1e-18, "a"))


def si(value: float | None, unit: str) -> str:
    """Two or three digits and a prefix: 12.3 uW."""
    if value is None:
        return NOTHING
    factor, prefix = next((each for each in _PREFIXES if value >= each[0]), _PREFIXES[-1])
    return f"{value / factor:.3g} {prefix}{unit}"
