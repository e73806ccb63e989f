"""What `simulate` gives: the answers of a compiled circuit, or the vectors of a netlist from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.circuit import Design
from kanspice.engine.ngspice.foreign import NetlistRun
from kanspice.engine.simulators.raw import Plot
from kanspice.engine.solution import Solution, Waveform
from kanspice.gap import decoded_outputs
from kanspice.report.blocks import Facts, Failures, Notes, Page, Section
from kanspice.report.formatting import many, plain
from kanspice.report.frames import numbered
from kanspice.report.shown import Shown
from kanspice.report.verdict import Verdict

_COMMAND = "kanspice simulate"
_SHOWN_VECTORS = 8

Tables = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, repr=False)
class Simulation(Shown):
    """A circuit's answers. Rows of samples without a result are NaN; `solution` says why they have none."""

    design: Design
    solution: Solution

    @cached_property
    def outputs(self) -> Array:
        """(samples, outputs) in model units."""
        return decoded_outputs(self.design, self.solution)

    @property
    def solved(self) -> npt.NDArray[np.bool_]:
        """(samples,) which have a result."""
        return self.solution.solved

    @property
    def exit_code(self) -> int:
        """0 every sample has a result, 3 some have none."""
        return 3 if self.solution.failed else 0

    def tables(self) -> Tables:
        """Everything by name: outputs, what was solved, voltages of stages and columns, and kept waveforms."""
        found = {"outputs": self.outputs, "solved": self.solved}
        found |= {f"{name}_v": volts for name, volts in self.solution.stage_v.items()}
        found |= {f"{name}.columns_v": volts for name, volts in self.solution.column_v.items()}
        return found | _waveform_tables(self.solution.waveforms)

    def csv(self, _target: Path) -> tuple[npt.NDArray[Any], list[str]]:
        """One table and the names of its columns: the outputs."""
        return self.outputs, [f"output{index}" for index in range(self.design.output_width)]

    def page(self) -> Page:
        solution, solved = self.solution, int(self.solved.sum())
        failed = solution.failed
        return Page(
            title=f"Answers of a {self.design.family} circuit",
            subject=f"a {self.design.family} circuit",
            command=_COMMAND,
            answer=Verdict(f"solved {solved:,} of {many(solution.samples, 'sample')}", warning=bool(failed)),
            outcome=None,
            exit_code=self.exit_code,
            lead=[Facts([("engine", f"{solution.engine} {solution.engine_version}")]), Notes(solution.notes)],
            sections=[Section("Samples without a result", [Failures(failed)])] if failed else [],
            checks=[],
        )

    def columns(self) -> Tables:
        """A row for each sample: how it ended, and its outputs in model units."""
        outcomes = {failure.index: failure.outcome.value for failure in self.solution.failed}
        samples = range(self.solution.samples)
        return {
            "sample": np.arange(self.solution.samples),
            "outcome": np.array([outcomes.get(sample, "converged") for sample in samples]),
            **numbered("output", self.outputs),
        }


@dataclass(frozen=True, repr=False)
class NetlistResult(Shown):
    """The vectors of a netlist's analyses. name: of its file."""

    name: str
    run: NetlistRun

    exit_code = 0

    @property
    def plots(self) -> tuple[Plot, ...]:
        """One for each analysis."""
        return self.run.plots

    def tables(self) -> Tables:
        """Vector name -> (points,); prefixed with the plot's number where there are several."""
        several = len(self.plots) > 1
        return {
            f"{number}.{name}" if several else name: plot.table[:, column]
            for number, plot in enumerate(self.plots, 1)
            for column, name in enumerate(plot.vectors)
        }

    def csv(self, target: Path) -> tuple[npt.NDArray[Any], list[str]]:
        """The plot as a table, and the names of its columns. Raises InputError where there are several."""
        if len(self.plots) != 1:
            found = f"{len(self.plots)} plots"
            raise InputError("a .csv file holds one plot", where=target, found=found, hint="use .npz")
        return self._first()

    def _first(self) -> tuple[npt.NDArray[Any], list[str]]:
        """The first plot; a complex vector becomes a real and an imaginary column."""
        plot = self.plots[0]
        if not np.iscomplexobj(plot.table):
            return plot.table, list(plot.vectors)
        parts = np.stack([plot.table.real, plot.table.imag], axis=2).reshape(len(plot.table), -1)
        return parts, [f"{part}({name})" for name in plot.vectors for part in ("re", "im")]

    def lines(self) -> list[str]:
        """What each plot holds, in a sentence."""
        return [
            f"{plain(plot.name)}: {plot.table.shape[0]} points of {plain(', '.join(plot.vectors[:_SHOWN_VECTORS]))}"
            for plot in self.plots
        ]

    def page(self) -> Page:
        return Page(
            title=f"Analyses of {plain(self.name)}",
            subject=plain(self.name),
            command=_COMMAND,
            answer=Verdict("; ".join(self.lines())),
            outcome=None,
            exit_code=self.exit_code,
            lead=[Facts([("engine", f"ngspice {self.run.engine_version}")])],
            sections=[],
            checks=[],
        )

    def columns(self) -> Tables:
        """A row for each point of the first plot."""
        table, names = self._first()
        return {name: table[:, column] for column, name in enumerate(names)}


def _waveform_tables(waveforms: Iterable[Waveform]) -> dict[str, npt.NDArray[Any]]:
    tables: dict[str, npt.NDArray[Any]] = {}
    for waveform in waveforms:
        name = f"waveforms.{waveform.sample}.{waveform.stage}"
        tables |= {f"{name}.time_s": waveform.time_s, f"{name}.node_v": waveform.node_v}
    return tables
