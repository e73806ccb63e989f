"""Operational amplifiers that come as subcircuits: what each pin is, and what they are supplied with."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from kanspice.base.errors import InputError
from kanspice.base.resources import NETLISTS
from kanspice.base.spice_numbers import spice_number
from kanspice.base.validation import similar
from kanspice.subcircuits.process import CORNERS, PROCESSES, Models
from kanspice.subcircuits.subcircuit import SubcircuitDefinition, read_subcircuit, subcircuit_from

Role = Literal["in+", "in-", "out", "vdd", "vss", "gnd", "bias"]
"""What a pin is. `gnd` is 0 V, the middle of the supplies; into `bias` a current flows from the upper supply."""
ROLES: tuple[Role, ...] = get_args(Role)
_NEEDED = ROLES[:5]
DEFAULT_PINS = "in+,in-,out,vdd,vss"


@dataclass(frozen=True)
class Amplifier:
    """An operational amplifier, and how it is used."""

    subcircuit: SubcircuitDefinition
    roles: tuple[Role, ...]
    """Of its pins, in their order."""
    vdd_v: float
    vss_v: float
    """Supplies, volts above and below ground."""
    bias_a: float = 0.0
    """Into its pin `bias`, if it has one."""
    models: Models | None = None
    """Whose transistors it is made of; None for one that brings its models with it."""
    temperature_c: float = 27.0

    def __post_init__(self) -> None:
        """Raises InputError where pins and roles do not match, or the supplies are none."""
        pins, name = self.subcircuit.pins, self.subcircuit.name
        where = f"pins of {name}"
        if len(pins) != len(self.roles):
            raise InputError(
                f"the subcircuit has {len(pins)} pins, and {len(self.roles)} were named",
                where=where,
                expected=f"what each of {' '.join(pins)} is",
                found=",".join(self.roles),
                hint="say it with --pins, or tia.pins in a technology, as in in+,in-,out,vdd,vss",
            )
        if not self.vss_v < self.vdd_v:
            raise InputError(
                "the supplies leave nothing between them",
                where=where,
                expected="vdd above vss",
                found=f"{self.vdd_v:g} V and {self.vss_v:g} V",
            )
        if ("bias" in self.roles) != (self.bias_a != 0):
            expected = "a current for the pin bias" if "bias" in self.roles else "no current: it has no pin bias"
            raise InputError("the bias does not fit the pins", where=where, expected=expected, found=f"{self.bias_a} A")
        self._check_switches()

    def _check_switches(self) -> None:
        """Raises InputError where the netlist sets what its process's models go by: ngspice has the last value."""
        if self.models is None:
            return
        switches = PROCESSES[self.models.process].switches
        for line in self.subcircuit.lines:
            found = [switch for switch in switches if re.search(rf"\b{switch}\s*=", line, re.I)]
            if found:
                raise InputError(
                    f"the netlist sets {found[0]}, which is a parameter of the models of {self.models.process}",
                    where=self.subcircuit.source,
                    found=repr(line[:120]),
                    hint="take it out: corner and mismatch are those of [process]",
                )

    def definition(self) -> tuple[str, ...]:
        """The cards that define it, those of its transistors first. Raises InputError where these are missing."""
        models = () if self.models is None else self.models.lines()
        return (*models, *self.subcircuit.lines)

    def instance(self, name: str, *, plus: str, minus: str, out: str, vdd: str, vss: str) -> list[str]:
        """The cards of one, between these nodes. name: without the letter that SPICE has in front of it."""
        bias = f"{name}_bias"
        nodes: Mapping[Role, str] = {
            **{"in+": plus, "in-": minus, "out": out, "vdd": vdd, "vss": vss},
            **{"gnd": "0", "bias": bias},
        }
        lines = [f"X{name} {' '.join(nodes[role] for role in self.roles)} {self.subcircuit.name}"]
        if "bias" in self.roles:
            lines.append(f"I{bias} {vdd} {bias} {spice_number(self.bias_a)}")
        return lines


def amplifier_from(fields: Mapping[str, Any]) -> Amplifier:
    """What `dataclasses.asdict` made of one, from a file that anybody can have written.

    Raises InputError or ValueError for what is none.
    """
    models = None if fields["models"] is None else Models(**fields["models"])
    if models is not None and (models.process not in PROCESSES or models.corner not in CORNERS):
        raise ValueError(f"no transistors of {models.process}, {models.corner}")
    numbers = {name: float(fields[name]) for name in ("vdd_v", "vss_v", "bias_a", "temperature_c")}
    if not all(map(math.isfinite, numbers.values())):
        raise ValueError("a supply, a bias or a temperature is not a number")
    roles = parse_roles(",".join(fields["roles"]))
    return Amplifier(subcircuit_from(fields["subcircuit"]), roles, models=models, **numbers)


def parse_roles(text: str) -> tuple[Role, ...]:
    """What pins are, from a list like `in+,in-,out,vdd,vss`. Raises InputError for one that does not name all five."""
    words = [word.strip().lower() for word in text.split(",")]
    roles = tuple(role for word in words for role in ROLES if role == word)
    unknown = [word for word in words if word not in ROLES]
    if unknown:
        raise InputError(
            f"'{unknown[0]}' is nothing that a pin can be",
            where="pins",
            expected=f"some of {', '.join(ROLES)}",
            hint=similar(unknown[0], ROLES),
        )
    missing = [role for role in _NEEDED if role not in roles]
    if missing:
        raise InputError(f"no pin is {missing[0]}", where="pins", expected=DEFAULT_PINS, found=text)
    twice = [role for role in roles if roles.count(role) > 1 and role != "gnd"]
    if twice:
        raise InputError(f"two pins are {twice[0]}", where="pins", found=text)
    return roles


def own_amplifier(models: Models, rail_v: float | None = None, temperature_c: float = 27.0) -> Amplifier:
    """Our operational amplifier in a process. Raises InputError for a process that we have none in.

    rail_v: supply, either sign; the process's own if None.
    """
    path = own_netlist(models.process, "opamp")
    rail_v = PROCESSES[models.process].rail_v if rail_v is None else rail_v
    return Amplifier(
        read_subcircuit(path), parse_roles(DEFAULT_PINS), rail_v, -rail_v, models=models, temperature_c=temperature_c
    )


def own_netlist(process: str, name: str) -> Path:
    """One of our circuits of a process's transistors. Raises InputError where there is none."""
    path = NETLISTS / process / f"{name}.cir"
    if not path.is_file():
        there = sorted(folder.name for folder in NETLISTS.iterdir() if (folder / f"{name}.cir").is_file())
        raise InputError(
            f"kanspice has no '{name}' of {process} transistors",
            where="process.pdk",
            expected=f"one of {', '.join(there)}" if there else None,
        )
    return path
