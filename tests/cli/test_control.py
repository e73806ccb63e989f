"""`kanspice control`: its options, its exit codes, what it writes."""

from __future__ import annotations

import json
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


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--plant", "cartpolo"), "unknown plant 'cartpolo'"),
        (("--plant", "os:Env-v0"), "a plant's name cannot name a module to import"),
        (("--plant", "arm"), "arm: the network does not fit the plant's observation space"),
        (("--plant", "cartpole", "--max", "rmse=1"), "there is no metric 'rmse'"),
        (("--plant", "cartpole", "--sweep", "tia.gain=1,2"), "say how many with --trials"),
        (("--plant", "cartpole", "--spot-check", "1"), "say how many with --trials"),
        (("--plant", "cartpole", "--trials", "2", "--sweep", "tia.gain"), "bad sweep 'tia.gain'"),
        (("--plant", "cartpole", "--latency", "2"), "--latency"),
        (("--plant", "cartpole", "--json", "balancer.pt"), "would be overwritten"),
        (("--plant", "cartpole", "--fidelity", "filter"), "this fidelity is for PhyKANs"),
        (
            ("--plant", "cartpole", "--engine", "ngspice", "--fidelity", "transient", "--cross-check", 1),
            "no other engine has this fidelity",
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
