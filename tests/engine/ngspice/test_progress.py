"""What is said while a simulation runs: parts of samples that add up, memory, and side runs."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from periods import design_of_periods, period

from kanspice.base.process_memory import peak_bytes
from kanspice.engine.ngspice.engine import solve
from kanspice.engine.options import RunOptions
from kanspice.engine.progress import Advance, SideRun
from kanspice.engine.simulators.blocks import BlockProgress, PeriodClock

pytestmark = pytest.mark.slow


def test_time_within_a_period_is_part_of_a_sample():
    told = []
    clock = PeriodClock(BlockProgress(told.append, 3), 2.0, before=0.75, share=0.75)
    for time_s in (0.5, 2.0, 1.0, 1.5, 0.5):  # three samples, the second one not seen to its end
        clock(time_s, 10**6)
    np.testing.assert_allclose(
        np.cumsum([advance.samples for advance in told]), 0.75 + 0.75 * np.array([0.25, 1, 1.5, 1.75, 2.25])
    )
    assert {advance.simulator_bytes for advance in told} == {10**6}


def test_what_is_solved_again_is_taken_back():
    told = []
    block = BlockProgress(told.append, 4, SideRun("trying 50 steps", 4))
    block.reach(3)
    block.reach(2)
    block.end(again=True)
    block.reach(7)
    block.end(again=False)
    assert [advance.samples for advance in told] == [3, -3, 4]
    assert {advance.side_run for advance in told} == {SideRun("trying 50 steps", 4)}


@pytest.mark.ngspice
@pytest.mark.parametrize("jobs", [1, 2])
def test_parts_of_samples_add_up_to_all_of_them_and_side_runs_to_theirs(jobs):
    branches = {"edges": [(1, 0), (2, 1), (0, 2)], "theta": [[0.1, -0.2, 0.3], [1.0, -0.5, 0.7]]}
    design = design_of_periods(period("ShiftRelu1", **branches), period("ShiftRelu1", **branches, index=2))
    told = []
    inputs = np.random.default_rng(0).normal(size=(30, 2))
    solution = solve(design, inputs, "merged", RunOptions(jobs=jobs), progress=told.append)
    assert solution.failed == ()
    done: defaultdict[SideRun | None, float] = defaultdict(float)
    for advance in told:
        done[advance.side_run] += advance.samples
    assert done.pop(None) == pytest.approx(30)
    assert done
    for side_run, samples in done.items():
        assert samples == pytest.approx(side_run.samples)
        assert side_run.name.startswith("trying")


@pytest.mark.ngspice
@pytest.mark.skipif(peak_bytes() == 0, reason="this system does not say how much memory a process has held")
def test_the_simulator_s_memory_is_in_the_result():
    told: list[Advance] = []
    edges = [(i, j) for i in range(40) for j in range(40) if i != j]
    theta = np.random.default_rng(1).normal(0, 0.1, (2, len(edges)))
    design = design_of_periods(period("ShiftRelu1", edges, theta))
    solution = solve(design, np.ones((1, 39)), "device", RunOptions(steps=50), progress=told.append)
    announced, *during = (advance.simulator_bytes for advance in told)
    assert solution.simulator_peak_bytes is not None
    assert 10**6 < solution.simulator_peak_bytes <= announced == solution.engine_at_most_bytes < 10**9
    assert max(during) <= solution.simulator_peak_bytes
