"""Every circuit-level choice and imperfection as one validated object, read from TOML.

Without a file everything is ideal: the circuit then differs from the model by numerical error only.
Unknown keys are errors, so a misspelt imperfection can never be silently left out.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from kanspice.errors import InputError
from kanspice.validation import Table, read_toml, validate

_FinitePositive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]


class Units(Table):
    """What one model unit is in the circuit."""

    v_unit_v: _FinitePositive = 1.0
    """Volts per unit of activation."""
    i_unit_a: _FinitePositive = 1e-6
    """Amps per unit of device current: a device of area 1 carries `i_unit_a * phi(v)`."""


class Tia(Table):
    """Transimpedance amplifiers: one per crossbar column."""

    gain: Annotated[float, Field(strict=True, gt=1)] = math.inf
    """Open-loop voltage gain (V/V); `inf` holds the column at exactly 0 V."""
    rail_v: _FinitePositive = 5.0
    """Largest output voltage, either sign; feedback resistors are chosen so that outputs stay within it."""
    headroom: Annotated[float, Field(strict=True, gt=0, le=1)] = 0.8
    """Fraction of the rail that the largest expected output may use."""


class KirchhoffNetCircuit(Table):
    """Node capacitors of a KirchhoffNet. Its branches' unit current is `units.i_unit_a`."""

    capacitance_f: _FinitePositive = 1e-12
    """From every node to ground, farads: time, and with it the inference's, is proportional to it."""


class Technology(Table):
    """One circuit technology. The defaults are the ideal circuit."""

    name: str = "ideal"
    units: Units = Units()
    tia: Tia = Tia()
    kirchhoffnet: KirchhoffNetCircuit = KirchhoffNetCircuit()

    def to_json(self) -> str:
        """Canonical JSON text (sorted keys; `inf` as `Infinity`), for designs and reports."""
        return json.dumps(self.model_dump(), sort_keys=True)


def load_technology(path: str | Path | None = None, overrides: Sequence[str] = ()) -> Technology:
    """The technology of a TOML file with `SECTION.KEY=VALUE` overrides applied; its name then lists them.

    Raises InputError for an unreadable file, an unknown key (naming the nearest) or a bad value.
    """
    data: dict[str, Any] = {} if path is None else read_toml(Path(path))
    for override in overrides:
        _apply_override(data, override)
    technology = validate(Technology, data, "technology" if path is None else path)
    changes = ["".join(text.split()) for text in overrides]
    return technology.model_copy(update={"name": ", ".join([technology.name, *changes])})


def _apply_override(data: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    section, dot, name = key.strip().partition(".")
    if not (equals and dot and section and name):
        raise InputError(f"bad override '{override}'", where="--set", expected="SECTION.KEY=VALUE, as in tia.gain=1000")
    table = data.setdefault(section, {})
    if not isinstance(table, dict):
        raise InputError(f"'{section}' is not a section", where="--set", found=repr(table))
    table[name.strip()] = _toml_value(text.strip())


def _toml_value(text: str) -> Any:
    try:
        table = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return table["value"] if len(table) == 1 else text
