"""Diodes and transistors of the simulator's own, whose junctions are to be those of the design."""

from __future__ import annotations

from kanspice.engine.netlist.sheet import Sheet

_ELEMENTARY_CHARGE_C, _BOLTZMANN_J_PER_K = 1.6021766208e-19, 1.38064852e-23
_SIMULATED_K = 300.15
SIMULATED_V = _BOLTZMANN_J_PER_K * _SIMULATED_K / _ELEMENTARY_CHARGE_C
"""k T / q as ngspice computes it, at its 27 degrees and with the constants of CODATA 2014."""
_NO_LEAKS = ".options gmin=1e-21"
"""ngspice puts 1e-12 siemens across every junction, which is more than one that blocks conducts."""


def ideality(knee_v: float) -> float:
    """The emission coefficient of a junction whose current grows e-fold in so many volts."""
    return knee_v / SIMULATED_V


def without_leaks(sheet: Sheet) -> None:
    """Junctions of this circuit conduct what their equation says."""
    if _NO_LEAKS not in sheet.lines:
        sheet.lines.append(_NO_LEAKS)
