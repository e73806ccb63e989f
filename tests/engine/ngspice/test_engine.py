"""What the engine answers, how sure it is of it, and that nothing that goes wrong comes out as a number."""

from __future__ import annotations

import errno
import os
import re
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from circuits import (
    LINE,
    PEAK,
    crossbar_design,
    crossbar_output,
    design_of,
    inputs_for,
    load_device,
    network,
    polynomial_device,
    specimen_of,
)
from fake_ngspice import CUT, E32, NAN, REAL, patch_last_number, write_fake

from kanspice.base.errors import SimulatorError
from kanspice.circuit.uniqueness import solution_counts
from kanspice.engine.batched.engine import solve as solve_batched
from kanspice.engine.netlist import build_netlist
from kanspice.engine.ngspice import deck as decks
from kanspice.engine.ngspice.deck import NORMAL, TIGHT, Tolerances, eased, sweep_deck, tightened
from kanspice.engine.ngspice.engine import OperatingPoints, solve
from kanspice.engine.ngspice.process import run_deck
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.engine.options import RunOptions
from kanspice.engine.simulators.circuit import CircuitFiles
from kanspice.engine.solution import Outcome
from kanspice.experiments.verify.cross_check import cross_check
from kanspice.experiments.verify.options import VerifyOptions
from kanspice.families.common.following import reference_stages

pytestmark = pytest.mark.ngspice


@pytest.fixture(scope="module")
def model():
    return network([3, 4, 2], [load_device("z21"), PEAK])


@pytest.fixture(scope="module")
def inputs(model):
    return inputs_for(model, 9)


@pytest.fixture(scope="module")
def design(model, inputs):
    return design_of(model, inputs, "tia.gain=1000")


@pytest.fixture(scope="module")
def solved(design, inputs):
    return solve(design, inputs, "device")


def outputs(solution):
    return solution.stage_v["l2.crossbar"]


# --- the answer ---


def test_the_answer_is_the_circuits(design, inputs, solved):
    """Both layers by bisection, column by column."""
    first, second = design.crossbars
    rows = np.clip(inputs, 0.0, 1.4)
    expected = []
    for row in rows:
        hidden = np.clip(crossbar_output(design, first, row)[1], 0.0, 1.4)
        expected.append(crossbar_output(design, second, hidden)[1])
    assert solved.failed == ()
    np.testing.assert_allclose(outputs(solved), expected, rtol=0, atol=1e-8 * np.abs(expected).max())


def test_beyond_a_swing_samples_start_at_the_network(model, inputs, monkeypatch):
    """Each by itself; what checks the numerical error starts from nothing, and finds the same."""
    specimen = specimen_of(model, inputs, "tia.gain=300", "tia.swing_v=0.8", seed=7)
    hints, starts = reference_stages(model, inputs), []

    def run(self, circuit, block, tolerances, *rest, **options):
        starts.append((len(block), tolerances == self.tolerances, bool(rest[-1])))
        return whole(self, circuit, block, tolerances, *rest, **options)

    whole = OperatingPoints._run
    monkeypatch.setattr(OperatingPoints, "_run", run)
    begun = solve(specimen, inputs, "device", hints=hints)
    assert all(hinted == first for _, first, hinted in starts)
    assert sum(first and number == 1 for number, first, _ in starts) >= len(inputs)
    assert begun.numerical_error.max_abs_v < 1e-9
    by_itself = solve(specimen, inputs, "device")
    assert not any(hinted for _, _, hinted in starts[-2:])
    np.testing.assert_allclose(outputs(begun), outputs(by_itself), rtol=0, atol=1e-9)


def test_a_check_beyond_a_swing_starts_at_what_it_checks(model, inputs, monkeypatch):
    """At its stages and columns; the operating point is ngspice's own all the same."""
    specimen = specimen_of(model, inputs, "tia.gain=300", "tia.swing_v=40.0", "tia.rail_v=50.0", seed=7)
    found = solve_batched(specimen, inputs, "device", RunOptions())
    wrong = replace(found, stage_v={name: 0.9 * volts for name, volts in found.stage_v.items()})
    for checked, agrees in ((found, True), (wrong, False)):
        starts = []
        options = VerifyOptions(cross_check=3, judge="ngspice")
        monkeypatch.setattr(OperatingPoints, "_hints", hints_into(starts))
        check = cross_check(specimen, inputs, checked, options, "ngspice", hints={}, progress=None, numbers=range(99))
        monkeypatch.undo()
        assert check.passed is agrees
        columns = {round(volts, 12) for each in starts for volts in each.values()}
        assert {round(volts, 12) for volts in found.column_v["l1.crossbar"][list(check.samples)].ravel()} <= columns


def hints_into(starts):
    whole = OperatingPoints._hints

    def hints(self, netlist, sample):
        starts.append(whole(self, netlist, sample))
        return starts[-1]

    return hints


REAL_AMPLIFIERS = ("tia.gain=300", "tia.output_ohm=2e5", "tia.input_bias_a=1e-8")


@pytest.mark.slow
@pytest.mark.parametrize("overrides", [(), ("tia.gain=300",), ("tia.swing_v=0.8",), REAL_AMPLIFIERS])
def test_the_answer_of_a_specimen_is_that_specimens(model, inputs, overrides):
    """Areas, offsets and resistors all different: by bisection with exactly those."""
    spreads = ("devices.area_sigma=0.1", "tia.offset_sigma_v=2e-3", "tia.feedback_sigma=0.02", "tia.rail_v=50.0")
    specimen = specimen_of(model, inputs, *overrides, *spreads, seed=7)
    solution = solve(specimen, inputs, "device")
    first, second = specimen.crossbars
    expected = []
    for row in np.clip(inputs, 0.0, 1.4):
        hidden = np.clip(crossbar_output(specimen, first, row)[1], 0.0, 1.4)
        expected.append(crossbar_output(specimen, second, hidden)[1])
    assert solution.failed == ()
    np.testing.assert_allclose(outputs(solution), expected, rtol=0, atol=1e-8 * np.abs(expected).max())
    assert not specimen.is_ideal


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [2, 4, 20])
def test_the_answer_does_not_depend_on_the_number_of_jobs(design, inputs, solved, jobs):
    again = solve(design, inputs, "device", RunOptions(jobs=jobs))
    np.testing.assert_allclose(outputs(again), outputs(solved), rtol=0, atol=1e-9)


def test_the_answer_does_not_depend_on_the_order_of_the_samples(design, inputs, solved):
    order = np.random.default_rng(0).permutation(len(inputs))
    again = solve(design, inputs[order], "device")
    np.testing.assert_allclose(outputs(again), outputs(solved)[order], rtol=0, atol=1e-9)


def test_a_sample_alone_answers_as_among_others(design, inputs, solved):
    alone = solve(design, inputs[4:5], "device")
    np.testing.assert_allclose(outputs(alone), outputs(solved)[4:5], rtol=0, atol=1e-9)


def test_more_samples_than_one_process_takes():
    design = crossbar_design([PEAK], [[[1.0]]], feedback=1e6)
    rows = np.linspace(0.0, 1.0, 1100)[:, None]
    solution = solve(design, rows, "shared", RunOptions(jobs=2))
    np.testing.assert_allclose(solution.stage_v["l1.crossbar"], PEAK.curve.numpy(rows)[0], rtol=0, atol=1e-12)


def test_a_huge_input_does_not_swallow_its_neighbours():
    """On a straight line from 1e16 to 0.3, ngspice's table gives 0 at its end."""
    design = crossbar_design([PEAK], [[[1.0]]], feedback=1e6)
    rows = np.array([[0.3], [1e16], [0.3], [-1e16], [0.4]])
    solution = solve(design, rows, "shared")
    assert solution.failed == ()
    np.testing.assert_allclose(solution.stage_v["l1.crossbar"][:, 0], [0.6, 0.2, 0.6, 0.0, 0.8], rtol=0, atol=1e-12)


def test_inputs_of_any_size_reach_the_circuit_to_the_last_bit_but_one():
    design = crossbar_design([PEAK], [[[1.0]]], v_unit=0.37)
    rows = np.random.default_rng(5).normal(size=(20, 1)) * np.logspace(-12, 6, 20)[:, None]
    solution = solve(design, rows, "shared")
    np.testing.assert_allclose(solution.stage_v["l1.input"], rows * 0.37, rtol=3e-16)


def test_progress_counts_every_sample_once(fake, design, inputs):
    """ngspice says how far it is now and then, several times in one line."""
    said = r" Reference value :  3.00000e+00\r Reference value :  3.00000e+00\r Reference value :  8.00000e+00\r\n"
    fake(REAL + f"printf '{said}'\n")
    seen = []
    assert solve(design, inputs, "device", RunOptions(check_samples=0), progress=seen.append).failed == ()
    assert sum(advance.samples for advance in seen) == pytest.approx(len(inputs))


def test_the_run_deck_holds_numbers_and_our_own_names_only():
    deck = sweep_deck(["in0"], np.array([[0.5], [1.0]]), ["l1_y0"], NORMAL, {"l1_r0": 0.25})
    assert deck.splitlines() == [
        "* kanspice run",
        ".include circuit.cir",
        "vindex sample_index 0 0",
        "bin0 in0 0 v=pwl(v(sample_index),-0.25,0.5,0.25,0.5,0.75,1.0,1.25,1.0)",
        ".nodeset v(l1_r0)=0.25",
        ".options reltol=1e-09 vntol=1e-12 abstol=1e-18",
        ".options itl1=300 itl2=150 acct",
        ".save v(l1_y0)",
        ".dc vindex 0 1 1",
        ".end",
    ]


# --- how sure it is ---


def test_the_numerical_error_is_small_and_measured(solved, inputs):
    error = solved.numerical_error
    assert len(error.samples) == min(RunOptions().check_samples, len(inputs))
    assert set(error.samples) <= set(range(len(inputs)))
    assert 0 <= error.rmse_v <= error.max_abs_v < 1e-9


@pytest.mark.slow
def test_the_numerical_error_is_the_real_one(monkeypatch):
    """With loose tolerances the error is large; the estimate says how large, within a factor of two."""
    device = load_device("a21")
    design = crossbar_design([device], [[[1.0]], [[-0.5]]], gain=50.0, feedback=2e5, swing=0.5)
    rows = np.random.default_rng(2).uniform(0.0, 1.3, (40, 2))
    exact = np.array([crossbar_output(design, design.crossbars[0], row)[1] for row in rows])
    options = RunOptions(check_samples=len(rows))
    estimates, errors = [], []
    for tolerances in (Tolerances(1e-2, 1e-3, 1e-9), Tolerances(1e-4, 1e-5, 1e-12), NORMAL):
        monkeypatch.setattr(decks, "NORMAL", tolerances)
        solution = solve(design, rows, "device", options)
        estimates.append(solution.numerical_error.max_abs_v)
        errors.append(np.abs(solution.stage_v["l1.crossbar"] - exact).max())
    assert errors[0] > errors[1] > 1e-9 > errors[2]
    assert estimates[0] > estimates[1] > estimates[2]
    assert 0.5 * errors[0] < estimates[0] < 2 * errors[0]
    assert 0.5 * errors[1] < estimates[1] < 2 * errors[1]


@pytest.mark.slow
def test_the_seed_chooses_the_samples_that_are_solved_twice(design, inputs):
    chosen = [solve(design, inputs, "device", RunOptions(seed=seed)).numerical_error.samples for seed in (0, 0, 1)]
    assert chosen[0] == chosen[1] != chosen[2]


def test_no_samples_to_check_means_no_claim(design, inputs):
    assert solve(design, inputs[:2], "device", RunOptions(check_samples=0)).numerical_error is None


def test_tight_is_tighter():
    assert (TIGHT.reltol, TIGHT.vntol, TIGHT.abstol) < (NORMAL.reltol, NORMAL.vntol, NORMAL.abstol)


# --- circuits that have no answer, or several ---


def bistable(rows, **options):
    """5 phi(r - c) = 3 c, in volts and microamperes: at r = 1.5 V solved by c = 1/3, 3/4 and 15/13; at 0.4 V by one."""
    return solve(crossbar_design([PEAK], [[[5.0]]], gain=2.0, feedback=1e6), rows, "device", **options)


def test_a_circuit_with_several_states_has_no_answer():
    solution = bistable(np.array([[1.5], [0.4], [1.5]]))
    assert [(f.index, f.outcome) for f in solution.failed] == [(0, Outcome.MULTISTABLE), (2, Outcome.MULTISTABLE)]
    assert "l1.crossbar 0, column p, has 3 states" in solution.failed[0].advice
    assert "raise the amplifiers' gain" in solution.failed[0].advice
    assert np.isnan(solution.stage_v["l1.crossbar"][[0, 2]]).all()
    assert np.isfinite(solution.stage_v["l1.crossbar"][1]).all()


def test_states_are_counted_by_hand():
    design = crossbar_design([PEAK], [[[5.0]], [[0.0]]], gain=2.0, feedback=1e6)
    counts = solution_counts(design, design.crossbars[0], np.array([[1.5, 0.0], [0.4, 0.0]]))
    np.testing.assert_array_equal(counts, [[3, 1], [1, 1]])
    steady = crossbar_design([PEAK], [[[5.0]], [[0.0]]], gain=20.0, feedback=1e6)
    np.testing.assert_array_equal(solution_counts(steady, steady.crossbars[0], np.array([[1.5, 0.0]])), [[1, 1]])


def test_the_other_branch_is_not_an_answer_either():
    """From whichever side the sweep comes, and wherever Newton's method starts."""
    hints = {"l1.input": np.array([[1.5]]), "l1.crossbar": np.array([[2.0]])}
    for rows in (np.linspace(0.4, 1.5, 12)[:, None], np.linspace(1.5, 0.4, 12)[:, None]):
        solution = bistable(rows)
        assert Outcome.MULTISTABLE in {failure.outcome for failure in solution.failed}
        assert np.isnan(solution.stage_v["l1.crossbar"][np.isclose(rows[:, 0], 1.5)]).all()
    assert bistable(np.array([[1.5]]), hints=hints).failed[0].outcome is Outcome.MULTISTABLE


# --- amplifiers beyond their rails ---


@pytest.mark.parametrize("gain", [np.inf, 1e9])
@pytest.mark.parametrize("fidelity", ["shared", "device"])
def test_a_sample_that_needs_more_than_the_rail_has_no_answer(gain, fidelity):
    """I = 2 V uA into 1 Mohm: 0.6 V of input need 1.2 V of the amplifier, 0.4 V need 0.8 V; the other column, 0.2."""
    line = polynomial_device("line", [0.0, 2.0], [[0.0, 2.0]])
    design = crossbar_design([line], [[[-1.0]]], [0.2], gain=gain, rail=1.0)
    solution = solve(design, np.array([[0.6], [0.4], [0.7]]), fidelity)
    assert [(f.index, f.outcome) for f in solution.failed] == [(0, Outcome.BEYOND_RAIL), (2, Outcome.BEYOND_RAIL)]
    advice = solution.failed[0].advice
    assert "l1.crossbar 0, column n, needs 1.2 V of an amplifier whose rail is 1 V" in advice
    assert "lower tia.headroom" in advice
    np.testing.assert_allclose(solution.stage_v["l1.crossbar"][1], [-0.6], rtol=1e-8)


def test_samples_that_the_amplifiers_were_not_sized_for_are_noticed():
    """The first 256 carry nothing: sized for them alone, the feedback is far too large for the others."""
    model = network([2, 2], [PEAK], norm="none", input_stage="None")
    inputs = np.zeros((260, 2))
    inputs[256:] = 0.5
    solution = solve(design_of(model, inputs[:256], "tia.rail_v=0.5"), inputs, "shared")
    assert [failure.index for failure in solution.failed] == [256, 257, 258, 259]
    assert {failure.outcome for failure in solution.failed} == {Outcome.BEYOND_RAIL}


def test_a_subtractor_beyond_its_rail_has_no_answer_unless_a_clip_hides_it():
    """Hidden outputs of several volts behind amplifiers that fit a rail of 0.1 V."""
    inputs = np.array([[0.5, 0.5], [0.0, 0.0]])
    outcomes = {}
    for stage in ("None", "PosHC", "sigmoid"):
        model = network([2, 2, 1], [PEAK], norm="none", input_stage=stage, seed=3)
        solution = solve(design_of(model, inputs, "tia.rail_v=0.1"), inputs, "shared")
        outcomes[stage] = [failure.outcome for failure in solution.failed]
    assert Outcome.BEYOND_RAIL in outcomes["None"]
    assert Outcome.BEYOND_RAIL in outcomes["PosHC"]  # the clip's 1.4 V are beyond 0.1 V too
    assert outcomes["sigmoid"] == []  # its input is scaled to fit


# --- programs that misbehave ---


@pytest.fixture
def small(design, inputs):
    """A design and three samples for it."""
    return design, inputs[:3]


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Makes a script the simulator."""

    def use(body: str):
        monkeypatch.setenv("KANSPICE_NGSPICE", str(write_fake(tmp_path, body)))

    return use


def outcomes(solution):
    return [failure.outcome for failure in solution.failed]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "outcome", "detail"),
    [
        ("exit 0\n", Outcome.CRASHED, "it printed nothing"),
        ("echo Error: out of memory; exit 1\n", Outcome.CRASHED, "Error: out of memory"),
        ("kill -9 $$\n", Outcome.CRASHED, "ended by signal 9"),
        ("kill -11 $$\n", Outcome.CRASHED, "ended by signal 11"),
        (REAL + "sed -i s/l1_y0/l1_z0/ $4\n", Outcome.CRASHED, ""),
        (REAL + "sed -i 's/No. Variables: /No. Variables: 9/' $4\n", Outcome.CRASHED, ""),
        (REAL + "cat $4 $4 > both; mv both $4\n", Outcome.CRASHED, ""),
        ("head -c 100000 /dev/urandom > $4\n", Outcome.CRASHED, ""),
        (REAL + "echo 'Warning: singular matrix:  check node l1_c3p'\n", Outcome.SINGULAR, "layer 1, output 3"),
        (REAL + "echo 'Warning: source stepping failed'\n", Outcome.DIVERGED, "source stepping failed"),
        (REAL + "echo 'doAnalyses: TRAN:  Timestep too small'\n", Outcome.DIVERGED, "Timestep too small"),
        (REAL + "echo 'run simulation(s) aborted' >&2\n", Outcome.DIVERGED, "aborted"),
    ],
)
def test_a_run_in_doubt_gives_no_number(fake, small, body, outcome, detail):
    fake(body)
    solution = solve(*small, "device")
    assert outcomes(solution) == [outcome] * 3
    assert all(detail in failure.advice for failure in solution.failed)
    assert np.isnan(outputs(solution)).all()
    assert solution.numerical_error is None


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["", "kill -9 $$\n"], ids=["cut off", "killed half-way"])
def test_points_that_are_not_there_are_failures(fake, design, inputs, solved, ending):
    fake(CUT + ending)
    solution = solve(design, inputs, "device")
    assert 0 < len(solution.failed) < len(inputs)
    assert set(outcomes(solution)) == {Outcome.CRASHED}
    first_lost = solution.failed[0].index
    assert [failure.index for failure in solution.failed] == list(range(first_lost, len(inputs)))
    np.testing.assert_allclose(outputs(solution)[:first_lost], outputs(solved)[:first_lost], rtol=0, atol=1e-9)
    assert np.isnan(outputs(solution)[first_lost:]).all()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "outcome"), [(NAN, Outcome.CRASHED), (E32, Outcome.OUT_OF_RANGE)])
def test_a_number_that_cannot_be_is_a_failure(fake, design, inputs, number, outcome):
    fake(patch_last_number(number))
    solution = solve(design, inputs, "device")
    assert [(failure.index, failure.outcome) for failure in solution.failed] == [(len(inputs) - 1, outcome)]


def test_a_point_of_another_sample_is_not_taken(fake, design, inputs):
    """A sweep with a point left out in the middle would shift every later sample."""
    fake(REAL.replace('"$@"', '"$@"; sed -i "s/.dc vindex 0 8 1/.dc vindex 1 9 1/" $5; ') + REAL)
    solution = solve(design, inputs, "device")
    assert set(outcomes(solution)) == {Outcome.CRASHED}
    assert len(solution.failed) == len(inputs)


def is_gone(pid_file: Path) -> bool:
    status = Path(f"/proc/{pid_file.read_text().strip()}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"


def eventually(condition) -> bool:
    for _ in range(100):
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["wait", "exit 0"], ids=["hangs", "leaves a child with its output open"])
def test_a_simulator_that_does_not_end_is_killed_with_its_children(fake, design, inputs, tmp_path, ending):
    fake(f"sleep 300 & echo $! > {tmp_path}/child; {ending}\n")
    started = time.monotonic()
    solution = solve(design, inputs[:4], "device", RunOptions(timeout_s=0.4, jobs=2))
    assert time.monotonic() - started < 20
    assert set(outcomes(solution)) == {Outcome.TIMED_OUT if ending == "wait" else Outcome.CRASHED}
    assert len(solution.failed) == 4
    assert eventually(lambda: is_gone(tmp_path / "child"))
    if ending == "wait":
        assert "--timeout" in solution.failed[0].advice


def test_a_simulator_that_vanishes_is_an_error(fake, design, inputs, tmp_path):
    fake('rm "$0"\n')
    assert set(outcomes(solve(design, inputs[:1], "device", RunOptions(check_samples=0)))) == {Outcome.CRASHED}
    with pytest.raises(SimulatorError, match="cannot be started"):
        solve(design, inputs[:1], "device")


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """A folder of its own for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize("broken", ["os.link", "pathlib.Path.write_text", "pathlib.Path.mkdir"])
def test_a_full_disk_is_an_error_and_leaves_nothing(design, inputs, monkeypatch, temporary, broken):
    def full(*_args, **_options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(broken, full)
    with pytest.raises(SimulatorError, match="No space left on device") as raised:
        solve(design, inputs, "device")
    monkeypatch.undo()
    assert "TMPDIR" in raised.value.message
    assert raised.value.exit_code == 3
    assert list(temporary.iterdir()) == []


def test_no_folder_for_temporary_files_is_an_error(design, inputs, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere/at/all")
    with pytest.raises(SimulatorError, match="the working folder cannot be used"):
        solve(design, inputs, "device")


def test_nothing_is_left_behind(design, inputs, temporary):
    solve(design, inputs[:2], "device")
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_hard_points_start_from_the_reference(fake, design, model, inputs):
    """A simulator that complains unless it is told where to start: every sample is tried alone, with hints."""
    fake("grep -q nodeset $5 || echo 'Warning: source stepping failed'\n" + REAL)
    hints = reference_stages(model, inputs)
    solution = solve(design, inputs[:3], "device", RunOptions(check_samples=0), hints=hints)
    assert solution.failed == ()


def test_nothing_starts_from_a_reference_that_is_not_finite(fake, design, model, inputs):
    """As in a loop, where a circuit goes to observations at which the network has no value."""
    fake(
        "grep -qi 'nodeset.*=[ ]*[-+]*[ni][an]' $5 && exit 1; grep -q nodeset $5 || "
        "echo 'Warning: source stepping failed'\n" + REAL
    )
    hints = reference_stages(model, inputs)
    for values, size in zip(hints.values(), (np.nan, np.inf), strict=False):
        values[0] = size
    solution = solve(design, inputs[:2], "device", RunOptions(check_samples=0), hints=hints)
    assert solution.failed == ()


def test_klu_is_asked_for_only_where_it_exists():
    def deck(**options: bool) -> str:
        return sweep_deck(["in0"], np.array([[0.5]]), ["l1_y0"], NORMAL, **options)

    assert " klu" in deck(klu=True)
    assert "klu" not in deck()


@pytest.mark.slow
def test_a_doubt_after_any_amount_of_output_is_heard(fake, small):
    fake(
        REAL + "for i in $(seq 6000); do echo 'Note: Starting dynamic gmin stepping, and more of the like'; done\n"
        "echo 'Warning: singular matrix:  check node l1_c0p'\n"
    )
    solution = solve(*small, "shared", RunOptions(check_samples=0))
    assert set(outcomes(solution)) == {Outcome.SINGULAR}


def test_the_worst_samples_are_among_those_solved_again(solved, design, inputs):
    last = design.stages[-1]
    hints = {last.compares_to: solved.stage_v[last.name] / last.output_v_per_unit}
    hints[last.compares_to][3] += 1.0
    again = solve(design, inputs, "device", RunOptions(check_samples=2), hints=hints)
    assert 3 in again.numerical_error.samples


def test_behind_wires_nothing_is_asked_for_that_rounding_does_not_leave():
    """With less the digits example in the technology `typical` did not converge again in 60 iterations."""
    plain = crossbar_design([PEAK, LINE], np.ones((2, 2, 2)))
    (crossbar,) = plain.crossbars
    wired = replace(plain, stages=tuple(replace(s, row_ohm=1.0) if s is crossbar else s for s in plain.stages))
    assert tightened(plain) == TIGHT
    assert eased(plain, NORMAL) == NORMAL
    assert eased(wired, NORMAL) == replace(NORMAL, abstol=1e-15)
    assert TIGHT.reltol < tightened(wired).reltol < NORMAL.reltol
    assert TIGHT.vntol < tightened(wired).vntol < NORMAL.vntol


def test_each_sample_of_a_typical_circuit_goes_on_from_the_one_before(tmp_path):
    """A clamp on its way to a solution once gave 1e30 V, and an amplifier's limit, where there is none, sent Newton's
    method to and fro between its two ends: 150 iterations for every sample, and then it began anew."""
    model = network([8, 4, 2], [load_device("z21")])
    inputs = np.random.default_rng(0).uniform(0, 1, (4, 8))
    design = specimen_of(model, inputs, "tia.gain=1e4", "tia.output_ohm=100", "clippers.knee_v=2e-3")
    circuit = CircuitFiles.lay_out(build_netlist(design, "device"), tmp_path / "circuit")
    deck = sweep_deck(circuit.netlist.inputs, design.inputs_v(inputs), circuit.nodes, NORMAL)
    (circuit.folder / "run.cir").write_text(deck)
    messages = run_deck(find_ngspice(), circuit.folder, "run.cir").messages
    iterations = re.search(r"Total iterations = (\d+)", messages)
    assert iterations is not None
    assert int(iterations[1]) < 4 * 20
