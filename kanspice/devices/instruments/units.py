"""Units of voltage and current as headers and cells of tables have them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from kanspice.base.errors import InputError

Quantity = Literal["voltage", "current", "density", "other"]

_PREFIX = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3}
"""No M: nobody measures devices in megavolts or megaamperes, but some write millivolts so."""
_WORDS = {
    "volt": "V",
    "volts": "V",
    "volt dc": "V",
    "amp": "A",
    "amps": "A",
    "ampere": "A",
    "amperes": "A",
    "amp dc": "A",
    "millivolt": "mV",
    "millivolts": "mV",
    "milliamp": "mA",
    "milliamps": "mA",
    "microamp": "uA",
    "microamps": "uA",
    "nanoamp": "nA",
    "nanoamps": "nA",
}
_SYMBOL = re.compile(r"([fpnuµμmk]?)([VA])")
_LOWER = re.compile(r"([pnuµμm]?)([va])")
_DENSITY = re.compile(r"[fpnuµμmk]?A\s*(/|\s|\*|·)?\s*([cmuµμn]?m)\s*((\^|\*\*)?\s*(-?2|²|⁻²))?")
_OTHER = re.compile(r"(m|u|µ|n)?(s|sec|Ohm|ohm|ohms|Ω|W|S|Hz|F|C|K|%)|°C|a\.?u\.?|arb\.? ?units?|Hour|hours?|min")


@dataclass(frozen=True)
class Unit:
    """text: as it is written, with u for micro. si: volts or amperes in it, where it is of one of these."""

    text: str
    quantity: Quantity
    si: float = 1.0


def unit_of(text: str) -> Unit | None:
    """The unit that a text is; None where it is none."""
    stripped = text.strip().strip("()[]{}").strip()
    stripped = _WORDS.get(stripped.lower(), stripped)
    lower = _LOWER.fullmatch(stripped)
    found = _SYMBOL.fullmatch(stripped if lower is None else lower[1] + lower[2].upper())
    if found is not None:
        prefix, base = found.groups()
        shown = f"{'u' if prefix in ('µ', 'μ') else prefix}{base}"
        return Unit(shown, "voltage" if base == "V" else "current", _PREFIX[prefix])
    if _DENSITY.fullmatch(stripped):
        return Unit(stripped, "density")
    return Unit(stripped, "other") if _OTHER.fullmatch(stripped) else None


def asked_unit(text: str, quantity: Quantity, option: str) -> Unit:
    """The unit that an option asks for. Raises InputError, naming `option`, for one that is not of `quantity`."""
    found = unit_of(text)
    if found is not None and found.quantity == quantity:
        return found
    symbol = "V" if quantity == "voltage" else "A"
    raise InputError(
        f"this is no unit of {quantity}",
        where=option,
        expected=f"{symbol}, m{symbol}, u{symbol} or n{symbol}",
        found=text,
    )


_LONGEST = 200
"""Characters of a column's name that are looked at."""
_IN_BRACKETS = re.compile(r"(.*?)\s*[(\[{]\s*([^()\[\]{}]*?)\s*[)\]}]\s*")
_BEHIND = re.compile(r"(.*?)\s*(?:/|,|:|\bin\b|_|\s)\s*(?![av]$)([^\s/_()\[\]{}]+(?:/\w+²?)?)")
"""V_a is the voltage of an anode, not one in amperes."""
_LOGARITHM = re.compile(r"(?<![A-Za-z])([Ll][Oo][Gg](arithm\w*)?|lg|ln|dB)(?![a-z])")
_MAGNITUDE = re.compile(r"(?<![a-z])(abs|magnitude|betrag)(?![a-z])|\|.+\|", re.IGNORECASE)
_DERIVATIVE = re.compile(r"(?<![A-Za-z])d\w+\s*/\s*d\w+")
_FACTOR = re.compile(
    r"\d[eE][+-]?\d|10\s*(\^|\*\*|⁻)|[/·]\s*x?\d|[*×](?!\s*[cmuµμn]?m)|\d\s*·|(?<![A-Za-z])x\s*\d|^\s*-|"
    r"[(\[{]\s*x?[\d.]+\s*[fpnuµμmkM]?[VAva]\b"
)
_NODE = re.compile(r"[vViI]\((?![fpnuµμmkMU]?[vVaA]\))[^()]*\)")
"""SPICE's name of a voltage or a current: V(out), I(D1)."""
_BRACKETS = re.compile(r"[(\[{]([^()\[\]{}]*)[)\]}]|^\s*([MGTU][VA])\s*$")
_SAID = re.compile(r".+?(?:/|\bin\s)\s*(\S.*)|.*[_ ](M[VA])")
_LABEL = re.compile(r"((smu|ch|channel|kanal|dut|device|port|probe)[ _.]?)?\d+", re.IGNORECASE)
"""In brackets, and no unit: which device."""


def misread(header: str) -> str | None:
    """What of a column's header says that its numbers are not in the unit that it seems to have; None for nothing."""
    header = header[:_LONGEST]
    if _LOGARITHM.search(header):
        return "a logarithm"
    if _MAGNITUDE.search(header):
        return "absolute values"
    if _DERIVATIVE.search(header):
        return "a derivative"
    return "a factor" if _FACTOR.search(header) else None


def unknown_unit(header: str) -> str | None:
    """What stands where a unit stands in a header that has none which is known; None where nothing does."""
    header = header[:_LONGEST].strip()
    if _NODE.fullmatch(header):
        return None
    texts = [(inside or bare or "").strip() for inside, bare in _BRACKETS.findall(header)]
    said = _SAID.fullmatch(header)
    texts += [said[1] or said[2]] if said else []
    return next((text for text in texts if text and not _LABEL.fullmatch(text)), None)


def name_and_unit(header: str) -> tuple[str, Unit | None]:
    """The name of a column and its unit: `V (mV)`, `V [mV]`, `V / mV`, `V in mV`, `V_mV`; None where it has none."""
    header = header[:_LONGEST]
    for pattern in (_IN_BRACKETS, _BEHIND):
        found = pattern.fullmatch(header.strip())
        if found is not None and found[1]:
            unit = unit_of(found[2])
            if unit is not None:
                return found[1].strip(), unit
    return header.strip(), None
