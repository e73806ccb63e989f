"""A circuit that VACASK solves and whose answer is known: is what is installed what kanspice writes for?"""

from __future__ import annotations

import time

import numpy as np

from kanspice.base.errors import SimulatorError
from kanspice.devices import PiecewisePolynomial
from kanspice.engine.simulators.process import run_program, working_folder
from kanspice.engine.simulators.raw import read_plots
from kanspice.engine.vacask.elements import GROUND, element
from kanspice.engine.vacask.library import compiled
from kanspice.engine.vacask.program import VacaskProgram, simulator_environment
from kanspice.engine.vacask.verilog import module_of

ANSWER_V = 2.0
_TIMEOUT_S = 30.0
# A device of I = 1 mA/V behind a source of 3 V and a resistor of 500 ohm, itself another device: 2 V are left.
_LINE = PiecewisePolynomial(np.array([-10.0, 10.0]), np.array([[-10.0, 1.0]]))


def divided_v(program: VacaskProgram) -> float:
    """What a divider leaves of 3 V: 2 V, in a version that understands kanspice. Raises SimulatorError."""
    module = module_of(_LINE)
    name = module.name
    with working_folder() as folder:
        (file,) = compiled(program, [module], folder, None)
        deck = [
            "kanspice self-test",
            "ground 0",
            f'load "{file}"',
            "model vsource vsource",
            f"model {name} {name}",
            element("v", ("top", GROUND), "vsource", dc=3.0),
            element("upper", ("top", "middle"), name, amps=2e-3),
            element("lower", ("middle", GROUND), name, amps=1e-3),
            "control",
            '  options rawfile="binary" reltol=1e-12 vntol=1e-13 abstol=1e-15',
            "  save v(middle)",
            "  analysis answer op",
            "endc",
            "",
        ]
        (folder / "run.sim").write_text("\n".join(deck), encoding="ascii")
        arguments = [str(program.simulator), "-qp", "-sp", "-se", "run.sim"]
        run = run_program(arguments, folder, simulator_environment(folder), deadline=time.monotonic() + _TIMEOUT_S)
        plots = read_plots(folder / "answer.raw")
    if run.returncode != 0 or len(plots) != 1 or plots[0].table.shape != (1, 1):
        found = run.messages.strip()[-200:] or f"nothing, exit status {run.returncode}"
        raise SimulatorError("VACASK gave no answer", where=program.simulator, found=found)
    return float(plots[0].table[0, 0].real)
