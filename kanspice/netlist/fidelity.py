"""How a design is written down: which levels of detail each kind of circuit has."""

from __future__ import annotations

from typing import Literal

from kanspice.design import Design, FilterBank
from kanspice.errors import InputError

Fidelity = Literal["shared", "device", "merged", "behavioural", "filter", "transient"]

_OWNERS: dict[Fidelity, str] = {
    "shared": "crossbars",
    "device": "crossbars, KirchhoffNets and MemKANs",
    "merged": "KirchhoffNets",
    "behavioural": "PhyKANs",
    "filter": "PhyKANs",
    "transient": "PhyKANs",
}


def fidelities(design: Design) -> tuple[Fidelity, ...]:
    """Those that the design's kind of circuit has, the one that leaves out nothing of its operating points first."""
    if design.periods:
        return "device", "merged"
    if design.crossbars:
        return "device", "shared"
    has_filters = any(isinstance(bank, FilterBank) for bank in design.banks)
    return ("behavioural", "filter", "transient") if has_filters else ("device",)


def check_fidelity(design: Design, fidelity: Fidelity) -> None:
    """Raises InputError for a fidelity that means nothing for the design."""
    known = fidelities(design)
    if fidelity not in known:
        expected = " or ".join(known)
        problem = f"this fidelity is for {_OWNERS[fidelity]}"
        raise InputError(problem, where="--fidelity", expected=expected, found=fidelity)
    if fidelity == "merged" and design.schematic is not None:
        problem = "each branch of a schematic is built by itself"
        raise InputError(problem, where="--fidelity", expected="device", found=fidelity)
