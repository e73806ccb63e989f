"""How long a network may be followed: what was finished is kept, and the rest says why it is not there."""

from __future__ import annotations

import json
import time
from itertools import count

import numpy as np
import pytest
import torch

from kanspice.engine.batched.periods import PeriodSolver
from kanspice.experiments.evidence import Evidence
from kanspice.experiments.followed import Followed
from kanspice.experiments.verify import measured
from kanspice.families import load, save
from kanspice.families.common.following import NO_TIME_LEFT, change_when_tightened, followed_stages
from kanspice.families.common.network import LateError
from kanspice.families.kirchhoffnet.arrays import reference_waveforms
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.circuit import compile_kirchhoffnet
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import FullyConnected
from kanspice.technology import load_technology

INPUTS = np.random.default_rng(0).normal(size=(3, 2))


def network():
    topology = FullyConnected(num_node=3).build()
    generator = torch.Generator().manual_seed(2)
    theta = 0.5 * torch.randn(3, topology.edges, generator=generator)
    return KirchhoffNet([topology], [1.0], branch_function("ShiftTanh2", {}, "here"), thetas=[theta]).eval()


def test_samples_that_there_was_no_time_for_say_so_and_others_are_kept(monkeypatch):
    calls = count()
    monkeypatch.setattr(KirchhoffNet, "block", 1)
    monkeypatch.setattr(time, "monotonic", lambda: float(next(calls)))
    model, expected = network(), followed_stages(network(), INPUTS)[0]["readout"]
    followed_stages(model, INPUTS[:1], 1e9)
    takes = next(calls)
    found, without = followed_stages(model, INPUTS, 1.5 * takes)
    np.testing.assert_array_equal(found["readout"][0], expected[0])
    assert np.isnan(found["readout"][2]).all()
    assert without[2] == NO_TIME_LEFT
    assert 0 not in without


def test_a_network_that_there_is_no_time_for():
    model = network()
    with pytest.raises(LateError, match="no time left"):
        followed_stages(model, INPUTS, 1e-9)
    values = followed_stages(model, INPUTS)[0]["readout"]
    assert np.isinf(change_when_tightened(model, "readout", INPUTS, values, 1e-9)).all()
    times = {"l1.period": np.linspace(0, 1, 3)}
    assert reference_waveforms(model, INPUTS[0], times, 1e-9) is None
    assert reference_waveforms(model, INPUTS[0], times, 1e9) is not None


def test_verify_ends_with_3_where_the_network_takes_too_long(run, tmp_path):
    save(network(), tmp_path / "model.pt")
    np.save(tmp_path / "x.npy", INPUTS)
    files = [tmp_path / "model.pt", "--inputs", tmp_path / "x.npy", "--json", tmp_path / "gap.json"]
    result = run("verify", *files, "--engine", "batched", "--timeout", "0.001")
    assert result.code == 3
    assert "--timeout: there was no time left to follow the network's own voltages" in result.err
    assert not (tmp_path / "gap.json").exists()


@pytest.mark.slow
def test_a_samples_waveforms_end_with_the_time():
    design = compile_kirchhoffnet(network(), load_technology(None, []))
    periods = PeriodSolver(design)
    assert periods.waveforms(0, INPUTS[0], 0.0, time.monotonic() - 1) == ()
    assert len(periods.waveforms(0, INPUTS[0], 0.0, None)) == 1


@pytest.mark.slow
def test_waveforms_of_the_network_that_come_too_late_are_a_note(run, tmp_path, monkeypatch):
    """The first sample's takes too long, the second's is there: it alone has waveforms."""
    calls = count()

    def first_is_late(*arguments):
        return reference_waveforms(*arguments) if next(calls) else None

    monkeypatch.setattr(measured, "reference_waveforms", first_is_late)
    save(network(), tmp_path / "model.pt")
    np.save(tmp_path / "x.npy", INPUTS)
    arguments = ("--inputs", tmp_path / "x.npy", "--engine", "batched", "--waveforms", "2", "--timeout", "300")
    done = run("verify", tmp_path / "model.pt", *arguments, "--json", "-")
    assert done.code == 0
    found = json.loads(done.out)
    late = [note for note in found["notes"] if "no waveforms" in note]
    limit = "--timeout, 300 s for each"
    assert late == [f"no waveforms of sample 0: the network's own were not found within {limit}; raise it"]


def test_samples_that_only_size_the_circuit_have_a_time_limit_too(tmp_path, monkeypatch):
    """Those beyond `--limit`, from which an ADC has its range."""
    save(network(), tmp_path / "model.pt")
    limits, within = [], KirchhoffNet.within

    def limited(model, timeout_s):
        limits.append(timeout_s)
        return within(model, timeout_s)

    monkeypatch.setattr(KirchhoffNet, "within", limited)
    technology = load_technology(None, ["converters.adc_bits=8"])
    found = Followed.of(load(tmp_path / "model.pt"), Evidence(INPUTS).limited(1), technology, 100.0)
    assert limits == [100.0, 100.0]
    assert len(found.sizing.inputs) == len(INPUTS)
