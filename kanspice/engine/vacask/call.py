"""What every call of VACASK is made of: its program, the modules that its circuit needs, and runs of a deck."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import final

from kanspice.engine.netlist import Netlist
from kanspice.engine.simulators.process import Run, run_program
from kanspice.engine.simulators.simulation import SimulatorCall, Task
from kanspice.engine.vacask.library import compiled, parts
from kanspice.engine.vacask.program import TESTED_VERSION, find_vacask, simulator_environment
from kanspice.engine.vacask.verilog import VerilogModule

_DECK = "run.sim"


class VacaskCall(SimulatorCall):
    """One call of VACASK. Raises SimulatorError when it is missing."""

    def __init__(self, task: Task, build: Callable[[], tuple[Netlist, Sequence[VerilogModule]]]) -> None:
        """build: writes the circuit, and the modules that it needs besides parts.va."""
        self.program = find_vacask()
        modules = [parts()]

        def netlist() -> Netlist:
            circuit, own = build()
            modules.extend(own)
            return circuit

        super().__init__(task, "vacask", self.program.version, netlist)
        if not self.program.is_tested:
            self.notes.append(f"VACASK {self.program.version}: kanspice is tested with {TESTED_VERSION}")
        self.loaded = compiled(self.program, modules, self.circuit.folder, self.deadline)
        """Files of compiled modules, beside the circuit."""

    @final
    def run(self, deck: str, on_result: Callable[[int, int], None]) -> Run:
        """Runs a deck in a folder of its own in the circuit's.

        on_result: told now and then of how many analyses are done, and of the most memory that the process has held.
        """
        folder = self.run_folder()
        (folder / _DECK).write_text(deck, encoding="ascii")

        def on_poll(held_bytes: int) -> None:
            on_result(max(len(list(folder.glob("p*.raw"))) - 1, 0), held_bytes)

        arguments = [str(self.program.simulator), "-qp", "-sp", "-se", _DECK]
        environment = simulator_environment(folder)
        return run_program(arguments, folder, environment, deadline=self.deadline, stop=self.stop, on_poll=on_poll)
