"""What a run of VACASK found: a sample is believed only if its own results are there, whole, expected and finite."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from kanspice.base.arrays import Array
from kanspice.engine.netlist import place_of
from kanspice.engine.simulators.process import Run
from kanspice.engine.simulators.raw import Plot, read_plots
from kanspice.engine.solution import FailedSample, Outcome

_CURRENT = re.compile(r"(\w+):flow\(br\)")
_SCALES = ("time", "frequency")
_ABORTED = re.compile(r"^Analysis 'p(\d+)' aborted", re.M)
_SINGULAR = re.compile(r"zero pivot|factorization failed|singular", re.I)
_COMPLAINT = re.compile(r"failed|NaN|error|cannot|unknown|zero pivot", re.I)
_LONGEST = 300


Reader = Callable[[int, Plot], Array | None]
"""Of a sample and its plot, whose vectors have the names that were asked for: what is kept of it, if it is whole."""


def believed(run: Run, samples: Sequence[int], read: Reader) -> tuple[dict[int, Array], dict[int, FailedSample]]:
    """What is kept of the samples of a block that can be believed, and why the others cannot.

    Sample number i of the block is analysis `p<i>`, whose only results are in `p<i>.raw`.
    """
    complaints = dict(_complaints(run.messages))
    found: dict[int, Array] = {}
    failures: dict[int, FailedSample] = {}
    ended_well = run.returncode == 0 or run.timed_out  # what was killed had written the samples before
    for place, sample in enumerate(samples):
        plot = _plot(run, place) if ended_well and place not in complaints else None
        kept = None if plot is None else read(sample, plot)
        if kept is not None and np.isfinite(kept).all():
            found[sample] = kept
        else:
            failures[sample] = _failure(sample, run, complaints.get(place))
    return found, failures


def columns_of(plot: Plot, names: Sequence[str]) -> Array | None:
    """(points, names) of a real plot; None where it is not what was asked for."""
    if np.iscomplexobj(plot.table) or not set(names) <= set(plot.vectors) or not len(plot.table):
        return None
    place = {name: index for index, name in enumerate(plot.vectors)}
    return np.asarray(plot.table[:, [place[name] for name in names]], dtype=np.float64)


def _plot(run: Run, place: int) -> Plot | None:
    """The one plot of an analysis, if it is whole."""
    plots = read_plots(run.folder / f"p{place}.raw")
    return _renamed(plots[0]) if len(plots) == 1 and plots[0].is_complete else None


def _renamed(plot: Plot) -> Plot:
    """With vectors named as they were asked for."""
    return replace(plot, vectors=tuple(map(_asked_for, plot.vectors)))


def _asked_for(name: str) -> str:
    current = _CURRENT.fullmatch(name)
    if current:
        return f"i({current[1]})"
    return name if name in _SCALES else f"v({name})"


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
