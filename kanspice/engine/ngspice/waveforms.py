"""Node voltages over time: single samples solved once more, with every point of them kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import Design, OdePeriod
from kanspice.engine.netlist.names import layer_of, period_node
from kanspice.engine.ngspice.attempts import doubt_in
from kanspice.engine.ngspice.deck import PeriodCircuit, waveform_deck
from kanspice.engine.ngspice.process import RAW_FILE
from kanspice.engine.ngspice.switched import marks_s, switched_deck, switched_plots, tables_of_periods
from kanspice.engine.ngspice.tables import plot_table
from kanspice.engine.simulators.blocks import Found
from kanspice.engine.simulators.process import Run
from kanspice.engine.simulators.raw import read_plots
from kanspice.engine.simulators.stepping import Stepping
from kanspice.engine.solution import FailedSample, Outcome, Waveform

_TIME_SLACK = 1e-9
_SAME = 1e-3
"""Of the largest voltage: by so much more may a run with other steps end elsewhere; another state would be far away."""


class Tracer:
    """An attempt at blocks of one sample: it fails as any other does, and keeps the waveforms of the rest.

    inputs_v: (samples, inputs), volts. late_s: (samples,) by how much each one's outputs are taken later. steppings: as
    usual, and for a sample that did not converge. run: runs a deck in a folder with all of the netlist's files.
    """

    def __init__(
        self,
        design: Design,
        inputs_v: Array,
        late_s: Array,
        steppings: tuple[Stepping, Stepping],
        run: Callable[[str], Run],
    ) -> None:
        self._design, self._inputs_v, self._late_s = design, inputs_v, late_s
        self._steppings, self._run = steppings, run
        self._kept: dict[int, tuple[Waveform, ...]] = {}

    def __call__(self, block: list[int], *, hinted: bool = False) -> tuple[Found, FailedSample | None]:
        """Follows the sample through all periods; its row is their ends, as that of every other attempt is."""
        (sample,) = block
        follow = self._follow_periods if self._design.switching is None else self._follow_circuit
        tables, doubt = follow(sample, self._steppings[hinted])
        if doubt is not None:
            return Found(), doubt
        named = zip(self._design.periods, tables, strict=True)
        self._kept[sample] = tuple(_waveform(sample, period, table) for period, table in named)
        return Found({sample: self._ends_v(sample)}), None

    def same_as(self, results: Mapping[int, tuple[Array, Array]]) -> dict[int, tuple[Waveform, ...]]:
        """The waveforms of those samples that came to where their results are.

        results: sample -> voltages (all periods' nodes,) extrapolated, and of the run that they come from: a waveform
        is nearer to the first than that run is.
        """
        return {
            sample: self._kept[sample]
            for sample, (row, run) in results.items()
            if sample in self._kept
            and np.abs(self._ends_v(sample) - row).max() <= np.abs(run - row).max() + _SAME * np.abs(row).max()
        }

    def _ends_v(self, sample: int) -> Array:
        return np.concatenate([waveform.node_v[-1] for waveform in self._kept[sample]])

    def _follow_periods(self, sample: int, stepping: Stepping) -> tuple[list[Array], FailedSample | None]:
        """Tables (points, 1 + nodes) of time since the inference began and voltages, each period in its own run."""
        tables: list[Array] = []
        before_v, start_s, ends_v = self._inputs_v[[sample]], 0.0, dict[str, Array]()
        for period, end_s in zip(self._design.periods, self._ends_s(sample), strict=True):
            start_v, circuit = period.start_v(before_v)[0], PeriodCircuit.of(self._design, period)
            run = self._run(waveform_deck(circuit, start_v, end_s - start_s, stepping, RAW_FILE))
            table = _period_table(circuit, run, start_v)
            table[:, 0] += start_s
            doubt = doubt_in(run, sample, 1, 1) or _unfinished(sample, [table], [end_s])
            if doubt is not None:
                return [], doubt
            tables.append(table)
            ends_v[period.name], start_s = table[-1:, 1 : 1 + period.nodes], end_s
            before_v = self._design.carried_v(period, ends_v)
        return tables, None

    def _follow_circuit(self, sample: int, stepping: Stepping) -> tuple[list[Array], FailedSample | None]:
        """The same from one run of the whole circuit."""
        design, inputs_v, late_s = self._design, self._inputs_v[[sample]], self._late_s[[sample]]
        run = self._run(switched_deck(design, inputs_v, late_s, stepping, RAW_FILE))
        plots = switched_plots(design, run.folder / RAW_FILE)
        doubt = doubt_in(run, sample, len(plots), 1)
        if doubt is not None:
            return [], doubt
        tables = tables_of_periods(design, plots[0], design.periods[0].start_v(inputs_v)[0], float(late_s[0]))
        return tables, _unfinished(sample, tables, self._ends_s(sample))

    def _ends_s(self, sample: int) -> list[float]:
        marks = marks_s(self._design, float(self._late_s[sample]))
        return [marks[period.name] for period in self._design.periods]


def _waveform(sample: int, period: OdePeriod, table: Array) -> Waveform:
    """Of a table (points, 1 + nodes), or with what supplies deliver in one more."""
    supply_w = table[:, -1] if table.shape[1] > 1 + period.nodes else None
    return Waveform(sample, period.name, table[:, 0], table[:, 1 : 1 + period.nodes], supply_w)


def _period_table(circuit: PeriodCircuit, run: Run, start_v: Array) -> Array:
    """(points, 1 + nodes): time since the period began and voltages; empty where they are not what was asked for.

    The first point is where the capacitors were set to: ngspice begins with the end of its first step, or, of
    transistors, with the operating point there; what supplies deliver is then a column more.
    """
    layer = layer_of(circuit.period.name)
    nodes = [period_node(layer, node) for node in range(1, circuit.period.nodes + 1)]
    plots = read_plots(run.folder / RAW_FILE)
    found = plot_table(plots[0], nodes, circuit.transistors) if len(plots) == 1 else None
    if found is None:
        return np.empty((0, 1 + len(nodes)))
    return found if circuit.settles else np.concatenate([[[0.0, *start_v]], found])


def _unfinished(sample: int, tables: Sequence[Array], ends_s: Sequence[float]) -> FailedSample | None:
    """A failure where the points of some period do not lead, one after the other, to its end."""
    for table, end_s in zip(tables, ends_s, strict=True):
        time_s = table[:, 0]
        came = bool(time_s.size) and abs(time_s[-1] - end_s) <= _TIME_SLACK * end_s
        if not (came and np.isfinite(table).all() and (np.diff(time_s) > 0).all()):
            return FailedSample(sample, Outcome.DIVERGED, "there is no waveform to the end of every period")
    return None
