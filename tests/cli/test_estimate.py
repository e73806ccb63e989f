"""Estimates: said once, from what was measured, and only of what takes long."""

from __future__ import annotations

import re

import pytest

from kanspice.engine.progress import Advance, SideRun
from kanspice.report.estimate import Estimate, Workload

CHECK = SideRun("cross-check", 10)


class Watched:
    """An estimate with a clock of its own."""

    def __init__(self, work: Workload) -> None:
        self.now, self.said = 0.0, []
        self.estimate = Estimate(work, self.said.append, lambda: self.now)

    def after(self, seconds: float, samples: float, run: SideRun | None = None) -> None:
        self.now += seconds
        self.estimate.note(Advance(samples, side_run=run))


def test_one_measured_sample_tells_how_long_everything_takes():
    watched = Watched(Workload(50, rounds=66, faster="--limit"))
    watched.after(8, 1)  # of which 6 are not the sample's
    watched.after(2, 1)
    assert watched.said == ["estimate: about 1.9 h for 50 samples x 66 circuits, 2 s each; faster: --limit"]
    watched.after(2, 1)
    assert len(watched.said) == 1


def test_a_circuit_that_is_done_with_one_sample_needs_no_second():
    watched = Watched(Workload(1, rounds=100))
    watched.after(3, 1)
    assert watched.said == ["estimate: about 5 min for 1 samples x 100 circuits, 3 s each"]


def test_of_circuits_that_are_solved_at_once_the_second_says_how_long_one_takes():
    """The first does more: 10 s, then 2 s for each of 99 others."""
    watched = Watched(Workload(50, rounds=100, together=True))
    watched.after(10, 50)
    watched.after(5, 8, SideRun("numerical error", 8))
    assert watched.said == []
    watched.after(2, 50)
    assert watched.said == ["estimate: about 3.5 min for 50 samples x 100 circuits, 0.04 s each"]


def test_what_is_short_needs_no_estimate():
    watched = Watched(Workload(50))
    for _ in range(50):
        watched.after(0.15, 1)
    assert watched.said == []


def test_samples_that_end_together_are_no_measure():
    watched = Watched(Workload(100))
    watched.after(5, 1)
    watched.after(0.01, 1)
    assert watched.said == []
    watched.after(4.99, 8)
    assert watched.said == ["estimate: about 1 min for 100 samples, 0.56 s each"]


def test_draws_that_a_journal_has_cost_nothing():
    watched = Watched(Workload(1000, "draws"))
    watched.after(0, 900)
    watched.after(5, 0, CHECK)
    watched.after(2, 1)
    assert watched.said == ["estimate: about 3.4 min for 1,000 draws, 2 s each"]


def test_choosing_time_steps_is_done_once():
    watched = Watched(Workload(10))
    watched.after(60, 4, SideRun("trying 40 steps", 4))
    watched.after(3, 1)
    watched.after(3, 1)
    assert watched.said == ["estimate: about 30 s for 10 samples, 3 s each"]


def test_a_cross_check_has_its_own():
    watched = Watched(Workload(100))
    watched.after(1, 100)
    watched.after(100, 1, CHECK)
    watched.after(100, 1, CHECK)
    assert watched.said == [
        "estimate: about 17 min for 10 samples of the cross-check, 1e+02 s each; faster: a smaller --cross-check"
    ]


def test_steady_work_says_it_after_the_first_parts_and_counts_what_measures_its_error():
    """8 together in 8 s: 1 s each, for 20 and 4 more."""
    watched = Watched(Workload(20, faster="--limit", steady=True, error_parts=4))
    watched.after(100, 20, SideRun("operating points", 20))
    watched.after(8, 8)
    assert watched.said == ["estimate: about 24 s for 20 samples and their numerical error, 1 s each; faster: --limit"]


def test_what_a_simulator_needs_to_begin_is_said_before_it_begins():
    watched = Watched(Workload(50, rounds=2, faster="--engine batched"))
    for first_s in (9.0, 300.0, 300.0):
        watched.estimate.note(Advance(0, 10**9, first_s=first_s))
    said = "estimate: about 5 min until the first sample of each of 2 circuits; faster: --engine batched"
    assert watched.said == [said]


@pytest.mark.slow
@pytest.mark.ngspice
def test_verify_says_it_beside_the_results(run, good, monkeypatch):
    from kanspice.report import estimate

    monkeypatch.setattr(estimate, "LONG_S", 0.0)
    monkeypatch.setattr(estimate, "_WINDOW_S", 0.0)
    done = run("verify", "model.pt", "--inputs", "inputs.npy", "--set", "tia.gain=1000", "--attribute")
    assert done.code == 0
    faster = r"--engine batched --cross-check 2, or fewer samples \(--limit\), or more processes \(--jobs\)"
    said = rf"estimate: about \S+ s for 8 samples x 2 circuits, \S+ s each; faster: {faster}\n"
    assert re.fullmatch(said, done.err)
    quiet = run("verify", "model.pt", "--inputs", "inputs.npy", "--set", "tia.gain=1000", "-q")
    assert (quiet.code, quiet.err) == (0, "")
