"""`kanspice compile` and `kanspice simulate`: the same circuit and the same numbers as `verify`."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from fake_ngspice import CUT, E32, patch_last_number, write_fake

from kanspice.experiments.verify.run import Evidence, VerifyOptions, verify
from kanspice.families import load
from kanspice.families.common import load_array
from kanspice.technology import load_technology

COMPILE = ("compile", "model.pt", "-o", "circuit")
SIMULATE = ("simulate", "circuit", "--inputs", "inputs.npy", "-o", "out.npz")
DIVIDER = "divider\nv1 a 0 dc 3 ac 2\nr1 a b 1k\nr2 b 0 2k\n"


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- compiled folders ---


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.parametrize("gain", ["inf", "300"])
def test_a_compiled_folder_gives_what_verify_gives(run, good, gain):
    assert run(*COMPILE, "--inputs", "inputs.npy", "--set", f"tia.gain={gain}").code == 0
    done = run(*SIMULATE, "--limit", "5")
    assert done.code == 0
    assert "solved 5 of 5 samples; wrote out.npz" in done.out
    fidelity = json.loads((good / "circuit" / "manifest.json").read_text())["fidelity"]
    assert fidelity == ("shared" if gain == "inf" else "device")
    inputs = load_array("inputs.npy", "the inputs")
    technology = load_technology(None, [f"tia.gain={gain}"])
    # The folder's amplifiers are sized for all eight samples.
    result = verify(load("model.pt"), technology, Evidence(inputs), VerifyOptions(fidelity))
    with np.load("out.npz") as out:
        np.testing.assert_allclose(
            out["outputs"], result.outputs[:5], rtol=0, atol=1e-10 * np.abs(result.outputs).max()
        )
        np.testing.assert_array_equal(out["solved"], np.ones(5, bool))
        last = json.loads((good / "circuit" / "manifest.json").read_text())["outputs"]["volts_per_unit"]
        np.testing.assert_allclose(out["l2.crossbar_v"], out["outputs"] * last, rtol=1e-15)
        assert out["l1.crossbar.columns_v"].shape == (5, 8)
        assert out["l1.input_v"].shape == (5, 3)


@pytest.mark.slow
@pytest.mark.ngspice
def test_outputs_as_csv(run, good):
    run(*COMPILE)
    assert run(*SIMULATE[:-1], "out.csv", "--jobs", "2").code == 0
    assert (good / "out.csv").read_text().splitlines()[0] == "output0,output1"
    expected = np.load("outputs.npy")
    np.testing.assert_allclose(np.loadtxt("out.csv", delimiter=",", skiprows=1), expected, rtol=0, atol=1e-9)


@pytest.mark.slow
@pytest.mark.ngspice
def test_failed_samples_are_marked_and_leave_with_3(run, good, tmp_path, monkeypatch):
    run(*COMPILE)
    monkeypatch.setenv("KANSPICE_NGSPICE", str(write_fake(tmp_path, CUT)))
    done = run(*SIMULATE)
    assert done.code == 3
    assert "sample 7: crashed" in done.err
    with np.load("out.npz") as out:
        assert not out["solved"][7]
        assert np.isnan(out["outputs"][7]).all()
        assert np.isfinite(out["outputs"][out["solved"]]).all()
        assert 0 < out["solved"].sum() < 8


@pytest.mark.slow
def test_compile_says_what_it_wrote(run, good):
    done = run(*COMPILE)
    assert done.code == 0
    assert "wrote circuit" in done.out
    assert "worst case over all inputs" in done.out
    assert "8 sample inputs" in run(*COMPILE, "--inputs", "inputs.npy").out
    assert run(*COMPILE, "-q").out == ""
    assert run("compile", "model.pt").code == 0
    assert (good / "model.circuit" / "manifest.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "tia.gian=1000"], "did you mean 'gain'?"),
        (["--inputs", "outputs.npy"], "3 values per sample"),
        (["--fidelity", "exact"], "--fidelity"),
        (["--curves", "."], "holds no measured points of the model's devices"),
        (["--no-such-option"], "--no-such-option"),
    ],
)
def test_a_bad_option_of_compile_leaves_with_2_and_nothing_behind(run, good, arguments, message):
    before = files(good)
    done = run(*COMPILE, *arguments)
    assert done.code == 2
    assert message in done.err
    assert files(good) == before


@pytest.mark.slow
@pytest.mark.parametrize("target", ["model.pt", ".", "work", "model.pt/circuit"])
def test_compile_leaves_what_is_in_the_way_alone(run, good, target):
    (good / "work").mkdir()
    (good / "work" / "thesis.txt").write_text("mine")
    before = files(good)
    done = run("compile", "model.pt", "-o", target)
    assert done.code == 2
    assert target in done.err
    assert files(good) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("simulate", "circuit"), "a compiled circuit needs inputs"),
        ((*SIMULATE[:3], "outputs.npy"), "3 values per sample"),
        ((*SIMULATE[:3], "none.npy"), "none.npy"),
        ((*SIMULATE[:-1], "out.txt"), "unknown kind of results file"),
        (("simulate", "gone"), "gone"),
        (("simulate", ".", "--inputs", "inputs.npy"), "is not a compiled folder"),
    ],
)
def test_a_bad_argument_of_simulate_leaves_with_2_and_nothing_behind(run, good, arguments, message):
    run(*COMPILE)
    before = files(good)
    done = run(*arguments)
    assert done.code == 2
    assert message in done.err
    assert files(good) == before


@pytest.mark.slow
@pytest.mark.parametrize("name", ["circuit.cir", "design.npz"])
def test_a_circuit_that_was_changed_is_not_simulated(run, good, name):
    run(*COMPILE)
    with (good / "circuit" / name).open("ab") as file:
        file.write(b"\n")
    done = run(*SIMULATE)
    assert done.code == 2
    assert "was changed after compiling" in done.err
    assert not (good / "out.npz").exists()


@pytest.mark.ngspice
def test_results_that_cannot_be_written_are_said(run, good):
    run(*COMPILE)
    (good / "out.npz").mkdir()
    done = run(*SIMULATE)
    assert done.code == 2
    assert "out.npz" in done.err


# --- waveforms ---


@pytest.fixture
def simulate_moving(run, moving):
    model, inputs = moving
    assert run("compile", model, "-o", "moving").code == 0
    return lambda *options: run("simulate", "moving", "--inputs", inputs, *options)


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.parametrize(("options", "samples"), [((), 3), (("--waveforms", "9"), 5), (("--waveforms", "0"), 0)])
def test_voltages_over_time_are_in_the_results(simulate_moving, good, options, samples):
    assert simulate_moving("-o", "out.npz", *options).code == 0
    inputs = np.load("starts.npy")
    with np.load("out.npz") as out:
        names = {name for name in out.files if name.startswith("waveforms.")}
        assert names == {
            f"waveforms.{sample}.{stage}.{what}"
            for sample in range(samples)
            for stage in ("l1.period", "l2.period")
            for what in ("time_s", "node_v")
        }
        for sample in range(samples):
            first, second = (f"waveforms.{sample}.{stage}" for stage in ("l1.period", "l2.period"))
            np.testing.assert_array_equal(out[f"{first}.node_v"][0], inputs[sample])
            end_v = out["outputs"][sample]  # extrapolated, where a waveform is one run's
            np.testing.assert_allclose(out[f"{second}.node_v"][-1], end_v, rtol=0, atol=1e-3)
            assert out[f"{second}.time_s"][-1] == pytest.approx(1.5e-6)
            assert out[f"{second}.node_v"].shape == (len(out[f"{second}.time_s"]), 2)


@pytest.mark.slow
@pytest.mark.ngspice
def test_a_csv_file_has_outputs_alone(simulate_moving, good):
    assert simulate_moving("-o", "out.csv").code == 0
    assert np.loadtxt("out.csv", delimiter=",", skiprows=1).shape == (5, 2)
    done = simulate_moving("-o", "other.csv", "--waveforms", "1")
    assert done.code == 2
    assert "waveforms do not fit into this file" in done.err
    assert not (good / "other.csv").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [((*SIMULATE, "--waveforms", "2"), "operating points have no waveforms"), (("simulate", "deck.cir"), "plain")],
)
def test_waveforms_of_what_has_none_are_refused(run, good, arguments, message):
    run(*COMPILE)
    (good / "deck.cir").write_text(f"{DIVIDER}.op\n.end\n")
    done = run(*arguments, *(() if "--waveforms" in arguments else ("--waveforms", "1")))
    assert done.code == 2
    assert message in done.err
    assert not (good / "out.npz").exists()


# --- netlists from elsewhere ---


@pytest.fixture
def netlist(good):
    def write(*cards):
        (good / "deck.cir").write_text(DIVIDER + "".join(f"{card}\n" for card in cards) + ".end\n")
        return "deck.cir"

    return write


@pytest.mark.ngspice
def test_an_operating_point(run, good, netlist):
    done = run("simulate", netlist(".op"))
    assert done.code == 0
    with np.load("deck.npz") as out:
        assert set(out.files) == {"v(a)", "v(b)", "i(v1)"}
        np.testing.assert_allclose(out["v(b)"], [2.0], rtol=1e-12)
        np.testing.assert_allclose(out["i(v1)"], [-1e-3], rtol=1e-12)


@pytest.mark.ngspice
def test_a_sweep_as_csv(run, good, netlist):
    assert run("simulate", netlist(".dc v1 0 3 1"), "-o", "out.csv").code == 0
    names = (good / "out.csv").read_text().splitlines()[0].split(",")
    table = np.loadtxt("out.csv", delimiter=",", skiprows=1)
    np.testing.assert_allclose(table[:, names.index("v(b)")], [0, 2 / 3, 4 / 3, 2], rtol=1e-9)


@pytest.mark.ngspice
def test_complex_results_have_two_columns_in_csv(run, good, netlist):
    """2 V through 1k and 2k in parallel with 1 uF."""
    assert run("simulate", netlist("c1 b 0 1u", ".ac lin 1 100 100"), "-o", "out.csv").code == 0
    names = (good / "out.csv").read_text().splitlines()[0].split(",")
    row = np.loadtxt("out.csv", delimiter=",", skiprows=1)
    volts = 2 * (2 / 3) / (1 + 2j * np.pi * 100 * (2e3 / 3) * 1e-6)
    assert row[names.index("re(v(b))")] == pytest.approx(volts.real, rel=1e-9)
    assert row[names.index("im(v(b))")] == pytest.approx(volts.imag, rel=1e-9)
    assert (row[names.index("re(frequency)")], row[names.index("im(frequency)")]) == (100, 0)


@pytest.mark.ngspice
def test_complex_and_transient_results_in_one_file(run, good, netlist):
    assert run("simulate", netlist("c1 b 0 1n", ".ac lin 1 1k 1k", ".tran 1u 10u"), "-o", "out.npz").code == 0
    with np.load("out.npz") as out:
        plots = {name.split(".")[0] for name in out.files}
        assert plots == {"1", "2"}
        (complex_one,) = [name for name in out.files if name.endswith("v(b)") and np.iscomplexobj(out[name])]
        volts = (4 / 3) / (1 + 2j * np.pi * 1e3 * (2e3 / 3) * 1e-9)
        np.testing.assert_allclose(out[complex_one], [volts], rtol=1e-9)


@pytest.mark.ngspice
def test_several_plots_do_not_fit_into_one_csv(run, good, netlist):
    done = run("simulate", netlist(".op", ".dc v1 0 1 1"), "-o", "out.csv")
    assert done.code == 2
    assert "2 plots" in done.err
    assert not (good / "out.csv").exists()


@pytest.mark.ngspice
@pytest.mark.parametrize(
    "card",
    [".control\nshell touch pwned\n.endc", "*# shell touch pwned", "r3 b 0 `touch pwned`", ".include /etc/hostname"],
)
def test_a_netlist_that_could_run_commands_is_refused(run, good, netlist, card):
    before = files(good)
    done = run("simulate", netlist(card, ".op"), "-o", "out.npz")
    assert done.code == 2
    assert "not known to be harmless" in done.err
    assert "--trust" in done.err
    assert set(files(good)) == {*before, "deck.cir"}


@pytest.mark.ngspice
def test_trust_runs_it(run, good, netlist):
    assert run("simulate", netlist("*# shell touch trusted", ".op"), "--trust", "-o", "out.npz").code == 0
    assert (good / "trusted").exists()


@pytest.mark.ngspice
@pytest.mark.parametrize("cards", [("v2 a 0 5", ".op"), ("b1 c 0 v=1/v(z)", "vz z 0 0", ".op")])
def test_a_netlist_without_an_answer_leaves_with_3(run, good, netlist, cards):
    done = run("simulate", netlist(*cards), "-o", "out.npz")
    assert done.code == 3
    assert not (good / "out.npz").exists()


@pytest.mark.ngspice
@pytest.mark.parametrize("body", ["exit 0\n", "kill -9 $$\n", patch_last_number(E32), "head -c 999 /dev/zero > $4\n"])
def test_a_simulator_that_misbehaves_leaves_with_3(run, good, netlist, monkeypatch, body):
    monkeypatch.setenv("KANSPICE_NGSPICE", str(write_fake(good.parent, body)))
    done = run("simulate", netlist(".op"), "-o", "out.npz")
    assert done.code == 3
    assert not (good / "out.npz").exists()


def test_inputs_for_a_netlist_are_refused(run, good, netlist):
    done = run("simulate", netlist(".op"), "--inputs", "inputs.npy")
    assert done.code == 2
    assert "has its own sources" in done.err


def test_a_missing_simulator_is_said(run, good, netlist, monkeypatch):
    monkeypatch.setenv("KANSPICE_NGSPICE", "/nowhere/ngspice")
    assert run("simulate", netlist(".op")).code == 3
    run(*COMPILE)
    assert run(*SIMULATE).code == 3
    assert shutil.which("/nowhere/ngspice") is None


@pytest.mark.slow
def test_help_and_version(run):
    assert run("--version").out.startswith("kanspice ")
    for command in ("verify", "compile", "simulate"):
        assert command in run(command, "--help").out
    assert run("nonsense").code == 2


@pytest.mark.ngspice
def test_results_replace_nothing_that_was_not_named(run, good, netlist):
    precious = good / "deck.npz"
    precious.write_bytes(b"precious")
    done = run("simulate", netlist(".op"))
    assert done.code == 2
    assert "exists already" in done.err
    assert precious.read_bytes() == b"precious"
    precious.unlink()
    assert run("simulate", netlist(".op"), "-o", netlist(".op")).code == 2


def test_a_circuit_that_is_not_there_is_no_netlist(run, tmp_path):
    done = run("simulate", tmp_path / "missing", "--inputs", "x.npy")
    assert done.code == 2
    assert "no such folder or netlist" in done.err
