"""Threads where they share work, and one where they wait for each other."""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from kanspice.base.threads import fitting_threads, one_thread


def threads():
    """Of every library that computes with some; that there is one is numpy's."""
    assert np.ones((2, 2)) @ np.ones(2) is not None
    return {library["num_threads"] for library in threadpool_info()}


def test_small_systems_are_solved_in_one_thread_and_large_ones_in_as_many_as_there_are():
    with threadpool_limits(2):
        assert threads() == {2}
        with fitting_threads(5_000):
            assert threads() == {1}
        with fitting_threads(400_000):
            assert threads() == {2}
        with one_thread(), fitting_threads(400_000):
            assert threads() == {1}
        assert threads() == {2}
