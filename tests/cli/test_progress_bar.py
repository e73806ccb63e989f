"""The progress bar on a terminal: parts of samples, time, memory, and side runs; nothing where there is no terminal."""

from __future__ import annotations

import io
import re

from rich.console import Console

from kanspice.engine.progress import Advance, SideRun
from kanspice.report.progress_bar import progress_bar


def shown(advances, *, terminal=True):
    """What the bar looked like when it was last drawn."""
    text = io.StringIO()
    console = Console(file=text, force_terminal=terminal, width=120, color_system=None)
    with progress_bar(console, "simulating", 2) as move:
        for advance in advances:
            move(advance)
    return re.sub(r"\x1b\[[?\d;]*\w", "", text.getvalue())


def test_parts_of_samples_time_and_memory():
    text = shown([Advance(0.75, 221_000_000), Advance(0.75), Advance(-0.5)])
    assert "simulating" in text
    assert "1.0/2 samples" in text
    assert "50%" in text
    assert "0:00:0" in text
    assert "221 MB" in text


def test_a_side_run_has_a_bar_of_its_own_until_the_next_one():
    first, second = SideRun("trying 25 steps", 4), SideRun("trying 50 steps", 4)
    text = shown([Advance(4, side_run=first), Advance(1, 5_000_000, side_run=second), Advance(1, side_run=second)])
    last = text[text.rindex("simulating") :]
    assert "0.0/2 samples" in last
    assert "trying 50 steps" in last
    assert "2.0/4 samples" in last
    assert "trying 25 steps" not in last


def test_nothing_where_there_is_no_terminal():
    assert shown([Advance(1, 10**6)], terminal=False).strip() == ""
