"""Every circuit-level choice and imperfection as one validated object, read from TOML.

Without a file everything is ideal: the circuit then differs from the model by numerical error only.
Unknown keys are errors, so a misspelt imperfection can never be silently left out.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from kanspice.errors import InputError
from kanspice.validation import Table, read_toml, validate

_FinitePositive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
_Positive = Annotated[float, Field(strict=True, gt=0)]
_Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_NotNegative = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class _Cause:
    """Marks a value as an imperfection: its default is the ideal, anything else is a cause of a gap."""


_CAUSE = _Cause()


class Units(Table):
    """What one model unit is in the circuit."""

    v_unit_v: _FinitePositive = 1.0
    """Volts per unit of activation."""
    i_unit_a: _FinitePositive = 1e-6
    """Amps per unit of device current: a device of area 1 carries `i_unit_a * phi(v)`."""


class Tia(Table):
    """Transimpedance amplifiers: one per crossbar column."""

    gain: Annotated[float, Field(strict=True, gt=1), _CAUSE] = math.inf
    """Open-loop voltage gain (V/V); `inf` holds the column at exactly the amplifier's offset, 0 V if it has none."""
    offset_sigma_v: Annotated[_NotNegative, _CAUSE] = 0.0
    """Standard deviation of the amplifiers' input-referred offset voltages."""
    feedback_sigma: Annotated[_NotNegative, _CAUSE] = 0.0
    """Relative standard deviation of the feedback resistors."""
    input_bias_a: Annotated[_Finite, _CAUSE] = 0.0
    """What each amplifier's input takes from its column."""
    output_ohm: Annotated[_NotNegative, _CAUSE] = 0.0
    """Output resistance of the amplifiers, inside their feedback loops; those of infinite gain hide it."""
    swing_v: Annotated[_Positive, _CAUSE] = math.inf
    """Where outputs of amplifiers and subtractors stop, either sign. `inf`: they do not, and a sample that needs more
    than `rail_v` has failed."""
    rail_v: _FinitePositive = 5.0
    """Largest output voltage, either sign; feedback resistors are chosen so that outputs stay within it."""
    headroom: Annotated[float, Field(strict=True, gt=0, le=1)] = 0.8
    """Fraction of the rail that the largest expected output may use."""


class CrossbarDevices(Table):
    """The devices of crossbars as they are made: a device's area is its coefficient."""

    area_sigma: Annotated[_NotNegative, _CAUSE] = 0.0
    """Relative standard deviation of areas. An area that would come out below zero is zero: no device."""
    area_step: Annotated[_NotNegative, _CAUSE] = 0.0
    """Areas are whole multiples of this, in units of the reference device; 0: any area can be made."""
    stuck_open: Annotated[float, Field(strict=True, ge=0, le=1), _CAUSE] = 0.0
    """Fraction of devices that do not conduct at all."""


class Wires(Table):
    """The wires of crossbars, one segment between neighbouring crosspoints, and the drivers of their rows."""

    row_ohm: Annotated[_NotNegative, _CAUSE] = 0.0
    """Of a segment of a row, also of that between driver and first column."""
    column_ohm: Annotated[_NotNegative, _CAUSE] = 0.0
    """Of a segment of a column, also of that between last row and amplifier."""
    driver_ohm: Annotated[_NotNegative, _CAUSE] = 0.0
    """Output resistance of what drives a row."""


class Supply(Table):
    """What the circuit draws from its rails, plus and minus `tia.rail_v`. It tells what an inference costs, not how far
    it is off."""

    quiescent_a: _NotNegative = 0.0
    """What every amplifier (of a column, a subtractor, a row's driver) draws from both rails when its output gives
    nothing."""


class Converters(Table):
    """The digital world's access to a circuit's inputs and outputs."""

    dac_bits: Annotated[int, Field(strict=True, ge=0, le=32), _CAUSE] = 0
    """Resolution of the inputs, over the range of the samples that the circuit is made for; 0: exact."""
    adc_bits: Annotated[int, Field(strict=True, ge=0, le=32), _CAUSE] = 0
    """Resolution of the outputs, over the range of the network's outputs for the same samples; 0: exact."""
    input_noise_v: Annotated[_NotNegative, _CAUSE] = 0.0
    """Standard deviation of what is added to every input of every sample."""


class KirchhoffNetCircuit(Table):
    """Node capacitors of a KirchhoffNet. Its branches' unit current is `units.i_unit_a`."""

    capacitance_f: _FinitePositive = 1e-12
    """From every node to ground, farads: time, and with it the inference's, is proportional to it."""


class Branches(Table):
    """How a KirchhoffNet's branches are built.

    `schematic` is Fig. 5 of the KirchhoffNet paper: a conductance and a current source behind a one-sided switch (Eq.
    10), two VCCS and a current source behind one (Eq. 12), differential pairs (Eqs. 11 and 13) whose drives VCCS form.
    """

    realisation: Literal["behavioural", "schematic"] = "behavioural"
    """`behavioural`: each branch a source of exactly its law; other values than the ideals below are then refused."""
    switch_on_ohm: Annotated[_NotNegative, _CAUSE] = 0.0
    """One-sided switch of a ReLU, conducting. 0 is approached: it is 1e-6 of `v_unit_v / i_unit_a`."""
    switch_off_ohm: Annotated[_Positive, _CAUSE] = math.inf
    """The same switch, blocking."""
    source_ohm: Annotated[_Positive, _CAUSE] = math.inf
    """Output resistance of the current sources of a general ReLU (Eq. 12), all three together. `inf` is approached: it
    is 1,000 times `v_unit_v / i_unit_a`."""
    pair_saturation: Annotated[_FinitePositive, _CAUSE] = 1.0
    """Tail current of a differential pair, in units of current, its transconductance being kept; the law's is 1."""
    vccs_saturation: Annotated[_Positive, _CAUSE] = math.inf
    """Largest current of a VCCS, in units of current: it gives I tanh(g v / I) instead of g v."""


class Switches(Table):
    """How a KirchhoffNet's banks of branches take turns at the node capacitors.

    `phased` simulates each period by itself, which is exact for ideal switches. `monolithic` is one circuit with all
    banks, clocks that do not overlap, and a switch between each node and each bank.
    """

    mode: Literal["phased", "monolithic"] = "phased"
    """`phased`: ideal switches; other values than the ideals below are then refused."""
    on_ohm: Annotated[_NotNegative, _CAUSE] = 0.0
    """Between a node and its bank while the bank is on."""
    off_ohm: Annotated[_Positive, _CAUSE] = math.inf
    """What a bank that is off loads each of its nodes with, to ground."""
    rise_s: _NotNegative = 0.0
    """Rise and fall time of the clocks, seconds; 0 is a millionth of the shortest period."""
    hold_s: Annotated[_NotNegative, _CAUSE] = 0.0
    """How long the nodes are left alone after each period, and before the outputs are taken, seconds."""


class Technology(Table):
    """One circuit technology. The defaults are the ideal circuit."""

    name: str = "ideal"
    units: Units = Units()
    tia: Tia = Tia()
    devices: CrossbarDevices = CrossbarDevices()
    wires: Wires = Wires()
    supply: Supply = Supply()
    converters: Converters = Converters()
    kirchhoffnet: KirchhoffNetCircuit = KirchhoffNetCircuit()
    branches: Branches = Branches()
    switches: Switches = Switches()

    @property
    def causes(self) -> tuple[str, ...]:
        """The imperfections that are not at their ideal, as `section.key`, in the order of the sections."""
        return tuple(
            f"{section}.{key}"
            for section, table in self
            if isinstance(table, Table)
            for key, field in type(table).model_fields.items()
            if _CAUSE in field.metadata and getattr(table, key) != field.default
        )

    def without(self, causes: Iterable[str]) -> Technology:
        """The same technology with these imperfections, `section.key`, at their ideal."""
        tables: dict[str, Table] = {}
        for cause in causes:
            section, _, key = cause.partition(".")
            table: Table = tables.get(section, getattr(self, section))
            tables[section] = table.model_copy(update={key: type(table).model_fields[key].default})
        return self.model_copy(update=tables)

    def to_json(self) -> str:
        """Canonical JSON text (sorted keys; `inf` as `Infinity`), for designs and reports."""
        return json.dumps(self.model_dump(), sort_keys=True)


@dataclass(frozen=True)
class Entry:
    """One key of a technology: `section.key`, its value here, and what it means."""

    name: str
    value: float | str
    is_cause: bool
    meaning: str


def entries(technology: Technology) -> list[tuple[str, str, list[Entry]]]:
    """Every section with what it is about and its keys, in order."""
    found = []
    for section, table in technology:
        if isinstance(table, Table):
            about = " ".join((type(table).__doc__ or "").split())
            keys = [
                Entry(f"{section}.{key}", getattr(table, key), _CAUSE in field.metadata, _one_line(field.description))
                for key, field in type(table).model_fields.items()
            ]
            found.append((section, about, keys))
    return found


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


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
