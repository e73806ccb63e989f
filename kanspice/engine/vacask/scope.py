"""Which circuits VACASK solves here, and at which levels of detail."""

from __future__ import annotations

from kanspice.base.errors import InputError
from kanspice.circuit import Design
from kanspice.engine.fidelity import Fidelity, check_without_transistors
from kanspice.engine.fidelity import check_fidelity as check_meaning

FIDELITIES: frozenset[Fidelity] = frozenset({"device", "behavioural", "filter"})


def check_design(design: Design) -> None:
    """Raises InputError for a circuit that this engine does not solve, by its name."""
    check_without_transistors(design)
    if design.switching is not None:
        raise _refused("switches between the periods of a KirchhoffNet")


def check_fidelity(design: Design, fidelity: Fidelity) -> None:
    """Raises InputError for one that this engine, or the circuit, does not have."""
    check_meaning(design, fidelity)
    if fidelity not in FIDELITIES:
        raise _refused(f"fidelity {fidelity}")


def _refused(found: str) -> InputError:
    return InputError(
        "VACASK does not solve this",
        where="engine vacask",
        expected="operating points, tones, or periods with ideal switches between them,"
        f" at fidelity {' or '.join(sorted(FIDELITIES))}",
        found=found,
        hint="--engine batched, or ngspice",
    )
