"""What a run of VACASK found: a sample is believed only if its own results are there, whole, expected and finite."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from kanspice.base.arrays import Array
from kanspice.engine.netlist import place_of
from kanspice.engine.simulators.circuit import CircuitFiles
from kanspice.engine.simulators.process import Run
from kanspice.engine.simulators.raw import Plot, read_plots
from kanspice.engine.solution import FailedSample, Outcome

_CURRENT = re.compile(r"(\w+):flow\(br\)")
_ABORTED = re.compile(r"^Analysis 'p(\d+)' aborted", re.M)
_SINGULAR = re.compile(r"zero pivot|factorization failed|singular", re.I)
_COMPLAINT = re.compile(r"failed|NaN|error|cannot|unknown|zero pivot", re.I)
_LONGEST = 300


def rows_of(
    circuit: CircuitFiles, run: Run, samples: Sequence[int]
) -> tuple[dict[int, Array], dict[int, FailedSample]]:
    """Rows of the samples of a block that can be believed, and why the others cannot."""
    complaints = dict(_complaints(run.messages))
    rows: dict[int, Array] = {}
    failures: dict[int, FailedSample] = {}
    ended_well = run.returncode == 0 or run.timed_out  # what was killed had written the samples before
    for place, sample in enumerate(samples):
        row = _row(circuit, run, place) if ended_well and place not in complaints else None
        if row is not None:
            rows[sample] = row
        else:
            failures[sample] = _failure(sample, run, complaints.get(place))
    return rows, failures


def _row(circuit: CircuitFiles, run: Run, place: int) -> Array | None:
    plots = [_renamed(plot) for plot in read_plots(run.folder / f"p{place}.raw")]
    if len(plots) != 1 or not plots[0].is_complete:
        return None
    table = circuit.table(plots)
    return table[0] if len(table) == 1 and np.isfinite(table[0]).all() else None


def _renamed(plot: Plot) -> Plot:
    """With vectors named as they were asked for."""
    currents = [(_CURRENT.fullmatch(name), name) for name in plot.vectors]
    return replace(plot, vectors=tuple(f"i({found[1]})" if found else f"v({name})" for found, name in currents))


def _complaints(messages: str) -> Iterator[tuple[int, str]]:
    """Of each analysis that was given up, what was said before it was."""
    begins = 0
    for aborted in _ABORTED.finditer(messages):
        yield int(aborted[1]), messages[begins : aborted.start()]
        begins = aborted.end()


def _failure(sample: int, run: Run, said: str | None) -> FailedSample:
    if said is not None:
        outcome = Outcome.SINGULAR if _SINGULAR.search(said) else Outcome.DIVERGED
        complaint = _complaint(said)
        place = place_of(complaint)
        return FailedSample(sample, outcome, f"{complaint} ({place})" if place else complaint)
    if run.timed_out:
        return FailedSample(sample, Outcome.TIMED_OUT)
    if run.was_killed:
        return FailedSample(sample, Outcome.CRASHED, f"VACASK was ended by signal {-run.returncode}")
    if run.returncode != 0:
        return FailedSample(sample, Outcome.CRASHED, _complaint(run.messages))
    return FailedSample(sample, Outcome.CRASHED, "VACASK left no whole result: is the disk full?")


def _complaint(messages: str) -> str:
    """The last line that says what went wrong."""
    lines = [line.strip() for line in messages.splitlines() if line.strip()]
    telling = [line for line in lines if _COMPLAINT.search(line)]
    return (telling or lines or ["it printed nothing"])[-1][:_LONGEST]
