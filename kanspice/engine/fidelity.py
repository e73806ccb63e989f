"""How a design is written down: which levels of detail each sort of circuits has."""

from __future__ import annotations

from collections.abc import Container
from typing import Literal, assert_never, get_args

from kanspice.base.errors import InputError
from kanspice.circuit import Crossbar, Design, Sort
from kanspice.circuit.branch_laws import LAWS

Fidelity = Literal["shared", "device", "merged", "behavioural", "filter", "transient"]
FidelityChoice = Literal["auto"] | Fidelity

_OWNERS: dict[Fidelity, str] = {
    "shared": "crossbars",
    "device": "crossbars, KirchhoffNets and MemKANs",
    "merged": "KirchhoffNets",
    "behavioural": "PhyKANs",
    "filter": "PhyKANs",
    "transient": "PhyKANs",
}


def fidelities(design: Design) -> tuple[Fidelity, ...]:
    """Those that its sort of circuits has, the one that leaves out nothing of its operating points first."""
    sort = design.sort
    match sort:
        case Sort.PERIODS:
            return "device", "merged"
        case Sort.CROSSBARS:
            return "device", "shared"
        case Sort.FILTERS:
            return "behavioural", "filter", "transient"
        case Sort.SYNAPSES:
            return ("device",)
        case _:
            assert_never(sort)


def check_fidelity(design: Design, fidelity: Fidelity) -> None:
    """Raises InputError for a fidelity that means nothing for the design."""
    known = fidelities(design)
    if fidelity not in known:
        expected = " or ".join(known)
        owners = _OWNERS.get(fidelity)
        problem = "there is no such fidelity" if owners is None else f"this fidelity is for {owners}"
        raise InputError(problem, where="--fidelity", expected=expected, found=fidelity)
    if fidelity == "merged" and (design.schematic is not None or design.transistors is not None):
        problem = "each branch of a schematic, or of transistors, is built by itself"
        raise InputError(problem, where="--fidelity", expected="device", found=fidelity)


def check_without_transistors(design: Design) -> None:
    """Raises InputError for branches of transistors, whose models ngspice alone has."""
    if design.transistors is not None:
        raise InputError(
            "only ngspice has the models of transistors",
            where="--engine",
            expected="ngspice, for branches.realisation = 'transistor'",
            hint="--engine ngspice, or branches.realisation = 'schematic' for a macro-model",
        )


def check_shared(crossbar: Crossbar) -> None:
    """Raises InputError for a crossbar whose devices cannot share their row's curve."""
    if crossbar.has_own_voltages:
        raise InputError(
            "devices of a row see different voltages",
            where="--fidelity",
            expected="device, or auto, with wires and with shifted devices",
            found="shared",
        )


def resolve_fidelity(
    design: Design, choice: FidelityChoice, known: Container[Fidelity] = frozenset(get_args(Fidelity))
) -> Fidelity:
    """`auto` -> `shared` when every device on a row sees the row's voltage anyway, `device` otherwise.

    And `device` for an engine that has not got `shared`, which is the same circuit then, or `merged`. known: what it
    has.

    For a KirchhoffNet -> `merged` where branches between the same two nodes add up to one piecewise linear element: 1.3
    times as fast for one branch, 3 times for four. Sums of other laws are slower than their parts by a few percent.
    """
    if choice != "auto":
        return choice
    if design.is_ideal and "shared" in known:
        return "shared"
    laws = [LAWS[period.law] for period in design.periods]
    merges = bool(laws) and all(law.adds_up for law in laws) and design.schematic is None
    return "merged" if merges and "merged" in known else fidelities(design)[0]
