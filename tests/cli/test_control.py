"""`kanspice control`: its options, its exit codes, what it writes."""

from __future__ import annotations

import json
import shlex
import shutil

import pytest
from loops import BALANCES, linear

from kanspice.families import save

pytestmark = pytest.mark.slow

FAST = ("--episodes", "2", "--steps", "12", "--engine", "batched")


@pytest.fixture
def balancer(good):
    """The checkpoint of a network that balances the cart-pole, in the working folder."""
    save(linear([[gain] for gain in BALANCES]), good / "balancer.pt")
    return "balancer.pt"


def test_it_prints_writes_and_leaves_with_0(run, balancer, good):
    done = run("control", balancer, "--plant", "cartpole", *FAST, "--json", "loop.json")
    assert done.code == 0
    assert "measured; no limit was given" in done.out
    document = json.loads((good / "loop.json").read_text())
    assert document["schema"] == "kanspice.control/1"
    assert document["control"]["circuit_lengths"] == [12, 12]
    assert document["command"].startswith("kanspice control balancer.pt --plant cartpole")


def test_json_on_standard_output_is_nothing_else(run, balancer):
    done = run("control", balancer, "--plant", "cartpole", *FAST, "--latency", 1, "--json", "-")
    assert json.loads(done.out)["plant"]["latency"] == 1
    assert "answer" in done.err


def test_a_limit_exceeded_is_exit_code_1(run, balancer, good):
    limits, files = ("--max", "action_rmse=1e-9"), ("--markdown", "loop.md", "--junit", "loop.xml")
    done = run("control", balancer, "--plant", "cartpole", *FAST, "--set", "tia.gain=100", *limits, *files)
    assert done.code == 1
    assert "EXCEEDED  action_rmse" in done.out
    assert (good / "loop.md").read_text().startswith("### ❌ FAILED: of 1 limit, 1 exceeded")
    assert 'failures="1" errors="0"' in (good / "loop.xml").read_text()


def test_draws_along_a_sweep(run, balancer, good):
    sweep = ("--trials", "2", "--sweep", "devices.area_sigma=0.02,0.1", "--spot-check", "0")
    done = run("control", balancer, "--plant", "cartpole", *FAST, *sweep, "--json", "loop.json", "-q")
    assert (done.code, done.out) == (0, "")
    document = json.loads((good / "loop.json").read_text())
    assert [len(point["draws"]["seed"]) for point in document["success"]] == [2, 2]
    assert document["spot_checks"] == []


DRAWN = ("--set", "tia.gain=1000", "--trials", "3", "--sweep", "devices.area_sigma=0,0.1", "--spot-check", "0")
FILES = ("control.json", "control.html", "control.md", "control.xml")


def test_draws_in_a_folder_are_the_same_however_many_measure_them_and_how_often(run, balancer, good):
    run("control", balancer, "--plant", "cartpole", *FAST, *DRAWN, "--json", "plain.json")
    assert run("control", balancer, "--plant", "cartpole", *FAST, *DRAWN, "-o", "one").code == 0
    before = [(good / "one" / name).read_bytes() for name in FILES]
    assert run("control", balancer, "--plant", "cartpole", *FAST, *DRAWN, "--jobs", 2, "-o", "two").code == 0
    assert [(good / "two" / name).read_bytes() for name in FILES] == before
    journal = good / "one" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    assert len(lines) == 1 + 3
    journal.write_bytes(b"".join([*lines[:2], b'{"kind": "dra']))
    assert run("control", "--resume", "one").code == 0
    assert [(good / "one" / name).read_bytes() for name in FILES] == before
    assert journal.read_bytes().startswith(b"".join(lines[:2]))
    plain, kept = (json.loads((good / name).read_text()) for name in ("plain.json", "one/control.json"))
    assert kept["success"] == plain["success"]
    assert {name for name in plain if kept[name] != plain[name]} == {"command", "control"}
    assert kept["control"]["step_s"] is None
    assert json.loads((good / "one" / "timing.json").read_text())["circuit_step_s"] > 0
    again = run(*shlex.split(kept["command"])[1:], "--json", "again.json")
    assert again.code == 0
    assert json.loads((good / "again.json").read_text())["success"] == plain["success"]


def test_a_folder_whose_loop_would_be_another_is_refused(run, balancer, good):
    run("control", balancer, "--plant", "cartpole", *FAST, *DRAWN, "-o", "loops")
    said = run("control", balancer, "--plant", "cartpole", *FAST, *DRAWN, "-o", "loops")
    assert (said.code, "kanspice control --resume loops continues it" in said.err) == (2, True)
    assert "expected: kanspice.study-plan/1" in run("study", "--resume", "loops").err
    save(linear([[gain * 1.01] for gain in BALANCES]), good / "balancer.pt")
    said = run("control", "--resume", "loops")
    assert (said.code, "this was another study: its circuits changed" in said.err) == (2, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--plant", "cartpolo"), "unknown plant 'cartpolo'"),
        (("--plant", "os:Env-v0"), "a plant's name cannot name a module to import"),
        (("--plant", "arm"), "arm: the network does not fit the plant's observation space"),
        (("--plant", "cartpole", "--max", "rmse=1"), "there is no metric 'rmse'"),
        (("--plant", "cartpole", "--sweep", "tia.gain=1,2"), "say how many with --trials"),
        (("--plant", "cartpole", "--spot-check", "1"), "say how many with --trials"),
        (("--plant", "cartpole", "--out", "x"), "say how many with --trials"),
        (("--plant", "cartpole", "--trials", "2", "--scheduler", "tcp://nowhere:1"), "with --out DIR"),
        (("--plant", "cartpole", "--cross-check", "2:ngspic"), "is no number of samples"),
        (("--plant", "cartpole", "--cross-check", "2:batched"), "an engine cannot check itself"),
        (("--plant", "cartpole", "--trials", "2", "--spot-check", "1:batched"), "an engine cannot check itself"),
        (("--plant", "cartpole", "--resume", "x"), "the folder says what the study is"),
        ((), "no --plant"),
        (("--plant", "cartpole", "--trials", "2", "--sweep", "tia.gain"), "bad sweep 'tia.gain'"),
        (("--plant", "cartpole", "--latency", "2"), "--latency"),
        (("--plant", "cartpole", "--json", "balancer.pt"), "would be overwritten"),
        (("--plant", "cartpole", "--fidelity", "filter"), "this fidelity is for PhyKANs"),
        (
            ("--plant", "cartpole", "--engine", "ngspice", "--fidelity", "transient", "--cross-check", 1),
            "batched has not this fidelity",
        ),
    ],
)
def test_bad_input_is_exit_code_2(run, balancer, options, said):
    done = run("control", balancer, *FAST, *options)
    assert done.code == 2
    assert said in " ".join(done.err.split())


@pytest.mark.ngspice
@pytest.mark.reference_data
@pytest.mark.parametrize("fidelity", ["behavioural", "filter"])
def test_the_reference_controller_balances_as_a_circuit(run, good, reference_data, fidelity):
    shutil.copytree(reference_data / "phykan" / "cartpole_controller", good / "controller")
    model = ("controller/model.pt", "--config", "controller/config.json", "--plant", "cartpole")
    steps = 60 if fidelity == "behavioural" else 5
    small = ("--episodes", "2", "--steps", steps, "--fidelity", fidelity, "--max", "trajectory_max_abs=1e-8")
    done = run("control", *model, *small, "--json", "loop.json")
    assert done.code == 0, done.out + done.err
    document = json.loads((good / "loop.json").read_text())
    assert document["control"]["circuit_lengths"] == document["control"]["reference_lengths"] == [steps] * 2
    assert document["engine"]["name"] == "ngspice"
    assert document["design"]["fidelity"] == fidelity
    said = "what the network was trained for, as its configuration says: cart-pole force from state"
    assert any(note.startswith(said) for note in document["notes"])
