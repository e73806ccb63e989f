"""Quantities as engineers read them: three digits, an SI prefix and the unit."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

UNKNOWN = "not known"
CELSIUS = "°C"
"""Has no prefixes."""


@dataclass(frozen=True)
class Prefix:
    """An SI prefix: what is written before the unit, and what it stands for."""

    symbol: str
    factor: float


_PREFIXES = {-18: "a", -15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
_POWERS = {symbol: power for power, symbol in _PREFIXES.items()}
_ROUNDS_UP = 999.5
_SMALLEST, _LARGEST = 1e-18, 1e12
"""What prefixes are for."""
_LONG_S = 1e3


def prefix(value: float) -> Prefix:
    """What leaves a value one to three digits before the point; nothing for 0, and for what is not finite."""
    exponent = 3 * math.floor(math.log10(abs(value)) / 3) if value and math.isfinite(value) else 0
    known = min(max(exponent, min(_PREFIXES)), max(_PREFIXES))
    return Prefix(_PREFIXES[known], 10.0**known)


def si(value: float | None, unit: str) -> str:
    """A quantity with three digits and a prefix: 12.3 µW; "not known" for None. A ratio, of no unit, has no prefix."""
    if value is None:
        return UNKNOWN
    if not unit:
        return f"{value:.3g}"
    if value and not _SMALLEST <= abs(value) < _LARGEST:
        return f"{value:.3g} {unit}"
    chosen = prefix(value)
    if abs(value / chosen.factor) >= _ROUNDS_UP:
        chosen = prefix(10 * value)
    return f"{value / chosen.factor:.3g} {chosen.symbol}{unit}"


_LONGEST = 16
"""Digits of a quantity, with its sign and point: longer ones are no numbers, as hashes are not."""
_WRITTEN = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+))(?:e([-+]?\d+))?\s*(meg|[fpnuµmkMG]?)(\S*)")


def read_quantity(text: str, name: str) -> float | None:
    """The value of what engineers write for a key: 10k, 1MHz, 20 mV, 4.7meg; None for other text.

    Prefixes are SI's, in which m is milli and M mega, with u for µ and SPICE's meg; not beside an exponent. A unit must
    be the one that the key's name ends in.
    """
    found = _WRITTEN.fullmatch(text.strip())
    if found is None or (found[2] and found[3]) or not (found[3] or found[4]) or len(found[1]) > _LONGEST:
        return None
    digits, exponent, symbol, unit = found.groups(default="0")
    if unit and unit not in _WORDS.get(unit_of(name), ()):
        return None
    power = 6 if symbol == "meg" else _POWERS["µ" if symbol == "u" else symbol]
    return float(f"{digits}e{int(exponent) + power}")


_UNITS = {
    "v_per_rthz": "V/√Hz",
    "v_per_s": "V/s",
    "per_s": "1/s",
    "per_k": "1/K",
    "ohm": "Ω",
    "hz": "Hz",
    "ev": "eV",
    "v": "V",
    "a": "A",
    "f": "F",
    "s": "s",
    "w": "W",
    "k": "K",
    "c": "C",
}
"""What names of values end in, longest first."""
_WORDS = {unit: (unit,) for unit in _UNITS.values()} | {"Ω": ("Ω", "\N{OHM SIGN}", "ohm", "Ohm", "ohms")}
"""Units as they are written. Their case counts: 1mhz is a thousandth of a hertz to nobody."""


def unit_of(name: str) -> str:
    """The unit that a key's name ends in, such as `tia.offset_sigma_v`; "" for a ratio, a count or a word."""
    key = name.rpartition(".")[2]
    if key.startswith("temperature"):
        return CELSIUS
    return next((unit for ending, unit in _UNITS.items() if key.endswith(f"_{ending}")), "")


def quantity(value: float, name: str) -> str:
    """A key's value with the unit that its name ends in: 500 µV; 85 °C; 10000."""
    unit = unit_of(name)
    if not unit or unit == CELSIUS or not math.isfinite(value) or (unit == "s" and value >= _LONG_S):
        return f"{value:g} {unit if math.isfinite(value) else ''}".rstrip()
    return si(value, unit) if value else "0"
