"""A curve as VACASK evaluates it."""

from __future__ import annotations

from kanspice.base.arrays import Array
from kanspice.devices import Curve
from kanspice.engine.simulators.process import working_folder
from kanspice.engine.vacask.library import compiled
from kanspice.engine.vacask.program import find_vacask
from kanspice.engine.vacask.sweep import swept
from kanspice.engine.vacask.verilog import Proof, module_of


def sweep_curve(curve: Curve, volts: Array, timeout_at: float | None) -> Array:
    """As `Engine.sweep_curve`. Raises SimulatorError where VACASK is missing, or has not all currents."""
    program, module = find_vacask(), module_of(curve)
    with working_folder() as folder:
        compiled(program, [module], folder, timeout_at)
        (amps,) = swept(program, folder, [(module.name, Proof(volts, curve.numpy(volts)[0]))], timeout_at)
    return amps
