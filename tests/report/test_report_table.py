"""What `kanspice verify` says on a terminal."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from rendered import printed
from synthetic_results import attributed, gap_of, with_everything

from kanspice.experiments.verify.result import GapResult
from kanspice.gap.resolution import Limit


def said(result: GapResult, width: int = 80) -> str:
    """The text with its line breaks and padding taken out."""
    return " ".join(printed(result, width).split())


def test_every_stage_has_its_row_of_figures(result):
    rows = {line.split()[0]: line.split()[1:] for line in printed(result).splitlines() if line.startswith("l")}
    assert rows["l1.crossbar"] == ["0.004", "0.004", "0.006", "2.72", "V", "1.23", "mV"]
    assert rows["l1.input"] == ["0", "0", "0", "1.4", "V", "-"]
    assert rows["l1.norm"] == ["*", "0.004", "1e-12", "0.006", "1.4", "V", "-"]
    assert "* a behavioural block: its formula was simulated, no circuit" in said(result)


def test_everything_is_printed_that_was_measured(result):
    """What with, how far, how sure, whether it matters and is allowed; the outcome is the last word."""
    text = said(with_everything(result))
    for fact in (
        "model examples/digits/model.pt (kanalogue, 4,842 parameters)",
        "4,736 devices (Z21 4,096, Z15 640), 1,234 nodes",
        "ideal, fidelity device",
        "relative RMSE 0.0117, largest relative error 0.0415; RMSE 0.0106, max |error| 0.0375 model units",
        "the gap is the circuit's (1.2e-07 relative RMSE, 4.5e-07 model units at most, over 5 samples solved again",
        "1e-08 relative RMSE, 3e-08 model units at most: 5 samples integrated again",
        "l2.crossbar adds most: relative RMSE 0.008",
        "the same largest output for 100 % (50 of 50)",
        "network 98.0 % (49 of 50), circuit 96.0 % (48 of 50)",
        "relative RMSE 1e-07, largest relative error 3e-07",
        "relative RMSE 0.0101, largest relative error 0.0303",
        "kept relative_rmse 0.01, at most 0.05 EXCEEDED max_relative 0.04, at most 0.02",
        "kept accuracy 0.96, at least 0.95 NOT MEASURED l2.crossbar",
        "note identical device columns were shared ngspice raised gmin",
        "load 0.12 s, compile 0.034 s, simulate 3.21 s, per sample 0.0642 s",
        "simulator peak 222 MB",
    ):
        assert fact in text
    assert text.rpartition("result ")[2].startswith("FAILED: of 4 limits, 1 exceeded and 1 without a value")


def test_a_limit_missed_by_little_is_told_apart(result):
    text = said(replace(result, limits=(Limit("relative_rmse", 0.0500001, 0.05),)))
    assert "EXCEEDED relative_rmse 0.0500001, at most 0.05" in text


@pytest.mark.parametrize("width", [80, 120])
def test_wide_numbers_and_long_names_still_fit(result, width):
    long = replace(result.stages[0], name="layer12." + "crossbar" * 5, largest_v=-1.234e-117, largest_column_v=1.2e-100)
    wide = replace(long, gap=gap_of(-1.12e-111), added=gap_of(-2.22e-222))
    text = printed(replace(result, stages=(wide,)), width)
    for figure in ("-1.12e-111", "-2.22e-222", "-1.68e-111", "-1.23e-117", "1.2e-100"):
        assert re.search(rf"(?<!\S){re.escape(figure)}(?!\S)", text)
    assert max(len(line) for line in text.splitlines()) <= width


def test_names_from_a_stranger_are_shown_not_obeyed(result):
    model = replace(result.model, path="[bold]a[/bold]\x1b[2J:smile:.pt")
    stages = (replace(result.stages[0], name="[red]x"),)
    text = printed(replace(result, model=model, stages=stages), force_terminal=True)
    assert "[bold]a[/bold]\\x1b[2J:smile:.pt" in text
    assert "\x1b[2J" not in text
    assert "[red]x" in text


@pytest.mark.parametrize("width", [80, 200])
def test_causes_have_their_rows(width):
    text = printed(attributed(), width)
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if "0.004" in line}
    assert rows["tia.gain"] == ["1000", "83.5", "±", "1.2", "0.009", "0.004", "1", "/", "0"]
    assert rows["devices.curve"] == ["points", "16.6", "0.004", "0.009", "0", "/", "1"]
    assert "numerical error" in text
