"""What an ngspice solves linear systems with, and what that costs: a sheet of resistors, timed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from kanspice.base.processes.folders import fresh_folder
from kanspice.engine.ngspice.program import NgspiceProgram, run_quietly

_SIDE = 64
_TIMEOUT_S = 30.0
_ANSWER = re.compile(r"^v\(far\)\s*=\s*\d", re.IGNORECASE | re.MULTILINE)


def described(program: NgspiceProgram) -> str:
    """The solver that kanspice uses for operating points, where there is a choice, and the seconds that it takes."""
    sparse_s = _sheet_s(program, klu=False)
    if not program.has_klu:
        return f"not in this version, Sparse 1.3 is used{_said(sparse_s)}"
    klu_s = _sheet_s(program, klu=True)
    beside = "" if klu_s is None or sparse_s is None else f", {sparse_s:.2f} s with Sparse 1.3"
    return f"used for operating points{_said(klu_s)}{beside}"


def _said(seconds: float | None) -> str:
    return "" if seconds is None else f": {_SIDE} x {_SIDE} nodes in {seconds:.2f} s of the processor"


def _sheet_s(program: NgspiceProgram, *, klu: bool) -> float | None:
    """Seconds of the processor for the sheet's operating point; None where there is no answer."""
    with fresh_folder() as folder:
        (folder / "sheet.cir").write_text("\n".join(_sheet(klu=klu)) + "\n", encoding="ascii")
        before = os.times()
        try:
            done = run_quietly([str(program.path), "-n", "-b", "sheet.cir"], _TIMEOUT_S, folder)
        except OSError:
            return None
        after = os.times()
    is_answer = _ANSWER.search(done.stdout) is not None
    return after.children_user - before.children_user if is_answer else None


def _sheet(*, klu: bool) -> Iterator[str]:
    """A sheet of 1 ohm between neighbours, from a source at one corner to 1 ohm at the opposite one."""
    yield from (
        "kanspice times a sheet of resistors",
        "v0 n0_0 0 1",
        f"r0 n{_SIDE - 1}_{_SIDE - 1} far 1",
        "rl far 0 1",
    )
    for place in range(_SIDE - 1):
        for other in range(_SIDE):
            yield f"ra{place}_{other} n{place}_{other} n{place + 1}_{other} 1"
            yield f"rb{place}_{other} n{other}_{place} n{other}_{place + 1} 1"
    yield from (".options klu",) if klu else ()
    yield from (".control", "op", "print v(far)", "quit", ".endc", ".end")
