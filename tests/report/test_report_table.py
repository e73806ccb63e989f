"""What `kanspice verify` says on a terminal."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from rendered import printed
from synthetic_results import NAN, attributed, cross_checked, gap_of, synthetic, with_everything, with_failures

from kanspice.experiments.verify.result import GapResult
from kanspice.experiments.verify.wording import solved_again
from kanspice.gap.cross_check import OtherOutcome
from kanspice.gap.resolution import Limit, NumericalGap


def said(result: GapResult, width: int = 80) -> str:
    """The text with its line breaks and padding taken out."""
    return " ".join(printed(result, width).split())


def test_every_stage_has_its_row_of_figures(result):
    rows = {line.split()[0]: line.split()[1:] for line in printed(result).splitlines() if line.startswith("l")}
    assert rows["l1.crossbar"] == ["0.004", "0.004", "0.006", "2.72", "0.00123"]
    assert rows["l1.input"] == ["0", "0", "0", "1.4", "-"]
    assert rows["l1.norm"] == ["*", "0.004", "1e-12", "0.006", "1.4", "-"]
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
        "kept relative_rmse 0.01, limit 0.05 EXCEEDED max_relative 0.04, limit 0.02 NOT MEASURED l2.crossbar",
        "note identical device columns were shared ngspice raised gmin",
        "load 0.12 s, compile 0.034 s, simulate 3.21 s, per sample 0.0642 s",
        "simulator peak 222 MB",
    ):
        assert fact in text
    assert text.rpartition("result ")[2].startswith("FAILED: of 3 limits, 1 exceeded and 1 without a value")


@pytest.mark.parametrize(
    ("gap", "error", "expected"),
    [
        (1e-3, 0.9e-4, "the gap is the circuit's"),
        (1e-3, 2e-4, "warning: part of the gap is numerical error, not circuit"),
        (1e-3, 9e-4, "warning: the gap is numerical error, not circuit"),
        (1e-3, 1.0, "warning: not resolved: the circuit's numerical error is 1 of the outputs' standard deviation"),
        (5e-7, 5e-7, "the circuit agrees with the network: below 1e-06"),
        (0.0, 0.0, "the circuit agrees with the network to within rounding"),
        (1e-14, 0.0, "the circuit agrees with the network to within rounding"),
        (5e-7, 2e-6, "warning: the gap is numerical error, not circuit"),
        (5e-7, 1e-9, "the circuit agrees with the network: below 1e-06"),
        (1e-3, NAN, "warning: numerical error could not be compared"),
    ],
)
def test_numerical_error_is_judged_beside_the_gap(result, gap, error, expected):
    text = said(replace(result, gap=gap_of(gap), numerical=NumericalGap(5, error, error, error)))
    assert expected in text
    assert ("warning" in text) == expected.startswith("warning")


def test_without_a_relative_figure_the_absolute_ones_are_judged(result):
    constant = replace(result.gap, relative_rmse=None, max_relative=None, rmse=1e-3)
    assert "warning: the gap is numerical" in said(
        replace(result, gap=constant, numerical=NumericalGap(1, 1e-3, 1e-3, None))
    )
    zero = replace(constant, rmse=0.0)
    assert "agrees with the network to within rounding" in said(
        replace(result, gap=zero, numerical=NumericalGap(1, 0.0, 0.0, None))
    )


@pytest.mark.parametrize(
    ("engine", "family", "fidelity", "how"),
    [
        ("ngspice", "memkan", "device", ", in reverse order, with tighter tolerances"),
        ("ngspice", "kirchhoffnet", "device", ", with other time steps"),
        ("ngspice", "phykan", "filter", ", in reverse order: the analyses are linear, nothing in them can be tighter"),
        ("ngspice", "phykan", "transient", ", with twice as many time steps"),
        ("batched", "kanalogue", "shared", ", from another start, with whole curves in every device"),
        ("batched", "kirchhoffnet", "device", ", with a tenth of the error in every step"),
        ("batched", "phykan", "filter", ": nothing in its formulae can be tighter"),
        ("batched", "memkan", "device", ": nothing in its formulae can be tighter"),
        ("another", "memkan", "device", ""),
    ],
)
def test_how_samples_were_solved_again(result, engine, family, fidelity, how):
    found = replace(
        result,
        engine=replace(result.engine, name=engine),
        model=replace(result.model, family=family),
        design=replace(result.design, fidelity=fidelity),
    )
    assert solved_again(found) == f"5 samples solved again{how}"


def test_numerical_error_that_was_not_measured_is_a_warning(result):
    assert "warning: numerical error was not measured" in said(replace(result, numerical=None))


def test_failed_samples_are_counted_and_the_first_are_named(result):
    text = said(with_failures(result, 3, 7, 8, 9, 20, 21, 40))
    assert "warning: 7 of 50 samples without a result: in no average; counted as wrong and as disagreement" in text
    assert "sample 3: diverged: seen at 3 V; no operating point, or no next time step" in text
    assert "sample 20: crashed" in text
    assert "sample 21" not in text
    assert "and 2 more" in text
    assert "result FAILED: not every sample was solved" in text
    assert "86.0 % (43 of 50)" in text


def test_without_limits_nothing_is_called_passed(result):
    assert "result measured; no limit was given" in said(replace(result, limits=()))


def test_a_limit_missed_by_little_is_told_apart(result):
    text = said(replace(result, limits=(Limit("relative_rmse", 0.0500001, 0.05),)))
    assert "EXCEEDED relative_rmse 0.0500001, limit 0.05" in text


def test_the_weakest_stage_is_not_made_up(result):
    assert "no stage adds more than rounding" in said(replace(result, stages=result.stages[:1]))
    assert "no stage was measured" in said(with_failures(synthetic(2), 0, 1))


@pytest.mark.slow
@pytest.mark.parametrize("width", [80, 120])
def test_every_kind_of_result_fits_and_no_number_is_cut(extreme, width):
    text = printed(extreme, width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    assert "nan" not in text.lower()
    assert "None" not in text


@pytest.mark.parametrize("width", [80, 120])
def test_wide_numbers_and_long_names_still_fit(result, width):
    long = replace(result.stages[0], name="layer12." + "crossbar" * 5, largest_v=-1.234e-117, largest_column_v=1.2e-100)
    wide = replace(long, gap=gap_of(-1.12e-111), added=gap_of(-2.22e-222))
    text = printed(replace(result, stages=(wide,)), width)
    for figure in ("-1.12e-111", "-2.22e-222", "-1.68e-111", "-1.23e-117", "1.2e-100"):
        assert re.search(rf"(?<!\S){re.escape(figure)}(?!\S)", text)
    assert max(len(line) for line in text.splitlines()) <= width


def test_it_is_plain_without_a_terminal_and_coloured_on_one(result):
    assert "\x1b" not in printed(result)
    assert "\x1b" in printed(result, force_terminal=True, color_system="standard")


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
    assert rows["tia.gain"] == ["1000", "0.009", "0.004", "83.5", "±", "1.2", "1", "/", "0"]
    assert rows["devices.curve"] == ["points", "0.004", "0.009", "16.6", "0", "/", "1"]
    assert "numerical error" in text


def test_shares_say_what_they_are():
    assert "add up to 100 %; this run's numerical error is not counted: ± one standard error of 16 orders" in said(
        attributed()
    )
    assert "exact; 99 circuits, batched engine" in said(attributed(orders=0))
    assert "only of the 40 samples solved in all of them" in said(attributed(samples=40))
    assert "No shares: no sample was solved in all of 99 circuits" in said(attributed(samples=0))


def test_another_engine_is_a_row(result):
    assert "other engine ngspice 42 on 2 samples agrees to 2e-07 of the outputs' standard deviation" in said(
        cross_checked(result, 2e-7)
    )
    assert "disagrees by 2e-05 of the outputs' standard deviation at most (sample 8), allowed 1e-06" in said(
        cross_checked(result, 2e-5)
    )
    differing = said(cross_checked(result, 2e-7, OtherOutcome(3, "multistable", "converged")))
    assert "disagrees about 1 outcome: sample 3 is multistable here and converged there" in differing
    assert "FAILED: the engines disagree, so neither can be believed" in differing
    assert "no sample has a result in either engine" in said(cross_checked(result, None))
