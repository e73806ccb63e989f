"""A call of ngspice: blocks of samples, and a deck's run for each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import final

from kanspice.engine.netlist import build_netlist
from kanspice.engine.ngspice.attempts import Attempt, spread
from kanspice.engine.ngspice.process import OnPoint, run_deck
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.engine.simulators.blocks import Found
from kanspice.engine.simulators.process import Run
from kanspice.engine.simulators.simulation import SimulatorCall, Task

_DECK = "run.cir"


class EngineCall(SimulatorCall):
    """One call of ngspice. Raises SimulatorError when it is missing."""

    def __init__(self, task: Task) -> None:
        self.program = find_ngspice()
        version = self.program.version_text.removeprefix("ngspice-")
        super().__init__(task, "ngspice", version, lambda: build_netlist(task.design, task.fidelity))

    @final
    def spread(self, samples: Sequence[int], attempt: Attempt, *, largest: int) -> Found:
        """What attempts at blocks of at most `largest` of the samples find."""
        return spread(samples, attempt, jobs=self.options.jobs, largest=largest, stop=self.stop)

    @final
    def run(
        self, deck: str, files: Iterable[str] = (), *, beside: Path | None = None, on_point: OnPoint | None = None
    ) -> Run:
        """Runs a deck in a folder of its own in the circuit's, or in another, with some of the files that lie there."""
        folder = self.run_folder(beside)
        for name in files:
            os.link(folder.parent / name, folder / name)
        (folder / _DECK).write_text(deck, encoding="ascii")
        return run_deck(self.program, folder, _DECK, deadline=self.deadline, stop=self.stop, on_point=on_point)
