"""Identified chips: found where the technology has them, refused where it has not."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from circuits import LINE, inputs_for, network, technology
from synthetic_calibrations import IDENTIFICATIONS

import kanspice
from kanspice.base.draws import Draw
from kanspice.base.errors import InputError
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve
from kanspice.experiments.identify.document import identification_json
from kanspice.experiments.identify.result import UNEXPLAINED, DrawnFits
from kanspice.experiments.identify.run import Identified, Investigated
from kanspice.experiments.identify.trust import drawn_fits
from kanspice.experiments.identify.twin import Twin
from kanspice.families import compile_macro_model, sizing_for
from kanspice.families.loading import loaded_from
from kanspice.gap import decoded_outputs

MODEL = network([6, 5, 3], [LINE], norm="none")
INPUTS = inputs_for(MODEL, 60)
SAID = ("devices.area_sigma=0.05", "tia.offset_sigma_v=0.001")
NOISE = 1e-3


def measured(*, seed=5, dead=None, more=(), said=SAID):
    """What a chip gives, with noise; nothing for the last samples. dead: a pair of columns without devices."""
    loaded, known = loaded_from(MODEL), technology(*said, *more)
    chip = compile_macro_model(loaded, known, sizing_for(loaded, known, INPUTS), Draw(seed))
    if dead is not None:
        first = chip.crossbars[0]
        area = np.where(np.arange(first.width)[:, None] == dead, 0.0, first.area)
        chip = replace(chip, stages=tuple(replace(s, area=area) if s is first else s for s in chip.stages))
    solution = solve("batched", chip, INPUTS, "device", RunOptions(check_samples=0))
    outputs = decoded_outputs(chip, solution)
    spread = np.sqrt(np.mean(np.var(outputs, axis=0)))
    outputs += NOISE * spread * np.random.default_rng(seed).standard_normal(outputs.shape)
    outputs[50:] = np.nan
    return outputs


def investigated(outputs):
    loaded, known = loaded_from(MODEL), technology(*SAID)
    twin = Twin(loaded, known, sizing_for(loaded, known, INPUTS))
    expected = MODEL(torch.from_numpy(INPUTS)).detach().numpy()
    spread = np.sqrt(np.mean(np.var(expected, axis=0)))
    return Investigated(twin, INPUTS, expected, outputs, spread, NOISE * spread)


def identify(outputs, **options):
    return kanspice.identify(MODEL, INPUTS, outputs, tech=technology(*SAID), noise=NOISE, **options)


def test_a_chip_of_the_technology_is_found(tmp_path):
    outputs = measured()
    outputs[7, 1] = np.nan
    result = identify(outputs, output=tmp_path / "chip.npz")
    assert result.is_explained
    assert result.exit_code == 0
    assert (result.fitted, result.judged) == (40, 10)
    assert result.error < 0.1 * result.nominal_error
    assert 0.75 < result.covered <= 1
    assert {each.sample for each in result.telling} <= set(range(50, 60))
    verified = kanspice.verify(MODEL, INPUTS, tech=technology(*SAID), engine="batched", specimen=tmp_path / "chip.npz")
    assert verified.gap.relative_rmse == pytest.approx(result.gap, rel=0.2)


def test_a_dead_column_is_none_of_a_chip_of_the_technology():
    result = identify(measured(dead=1))
    assert not result.is_explained
    assert result.exit_code == 1
    assert result.came_near
    assert result.effort > 1.5
    assert result.suspects[0].is_found
    assert result.suspects[0].name in {"l1.crossbar column 2, missing", "l1.crossbar column 3, missing"}


@pytest.mark.parametrize("seed", [5, 14])
def test_a_good_chip_of_a_circuit_far_from_linear_is_not_rejected(seed):
    """Deep in a swing of 1 V outputs hardly follow areas: of 16 good chips four fits miss, some with a cause named."""
    deep = ("devices.area_sigma=0.3", "tia.swing_v=1")
    outputs = measured(seed=seed, said=deep)
    result = kanspice.identify(MODEL, INPUTS, outputs, tech=technology(*deep), noise=NOISE)
    assert not result.is_explained
    assert not result.came_near
    assert result.exit_code == 3
    assert (result.drawn.missed, result.drawn.are_linear) == (0, False)
    said = result.page().outcome.text
    assert "outputs are not linear enough" in said
    assert "did not come near" not in said
    assert "missing from the technology" not in said


@pytest.mark.parametrize(
    ("drawn", "kind", "there", "not_there"),
    [
        (DrawnFits(3, 1, 0.02), "FitNotNear", ["the fit did not come near", "1 of 3"], ["linear"]),
        (DrawnFits(1, 0, 0.31), "NotLinear", ["0.31", "explain 1 drawn chip"], ["did not come near"]),
        (DrawnFits(1, 1, 0.31), "FitNotNear", ["the fit did not come near", "0.31"], []),
        (DrawnFits(4, 0, 0.02), "NotExplained", ["REJECTED"], ["NOT KNOWN", "linear"]),
    ],
)
def test_a_chip_that_is_not_explained_says_why_it_is_not_known(drawn, kind, there, not_there):
    result = replace(IDENTIFICATIONS["rejected"](), drawn=drawn)
    said = result.page().outcome.text
    assert all(part in said for part in there)
    assert not any(part in said for part in not_there)
    assert result.page().checks[0].problem.kind == kind
    assert result.exit_code == (1 if kind == "NotExplained" else 3)
    written = json.loads(identification_json(result))
    assert written["drawn"] == {
        "chips": drawn.chips,
        "missed": drawn.missed,
        "bends": drawn.bends,
        "are_linear": drawn.bends < 0.1,
    }


def test_drawn_chips_are_fitted_until_one_is_missed(monkeypatch):
    explained = iter([True, True, False])
    monkeypatch.setattr(Identified, "is_explained", property(lambda _: next(explained)))
    assert drawn_fits(investigated(measured())) == DrawnFits(3, 1, pytest.approx(0, abs=0.1))


@pytest.mark.slow
def test_every_fit_is_told():
    """Of the chip, in one count with the drawn chips; of each of these beside it, in a count of its own."""
    told = []

    @contextmanager
    def bar(what, total, unit="samples", work=None):
        told.append((what, total, unit))
        yield told.append

    result = identify(measured(dead=1), progress=bar)
    (begun, *advances), chips = told, result.drawn.chips
    assert begun == ("fitting", 6 + 4, "fits")
    assert chips == 4
    own = [each.samples for each in advances if each.side_run is None]
    assert len(own) - chips > 12
    assert sum(own) == pytest.approx(6 + chips)
    sides = {each.side_run for each in advances if each.side_run is not None}
    assert {side.name for side in sides} == {f"drawn chip {place} of 4" for place in (1, 2, 3, 4)}
    for side in sides:
        assert sum(each.samples for each in advances if each.side_run == side) == pytest.approx(side.samples)


def test_a_good_chip_of_large_areas_is_found_from_another_start():
    """From where parts are as meant to be, Gauss-Newton steps end at 4.8 times what a chip of the technology takes."""
    large = ("devices.area_sigma=0.3", "tia.offset_sigma_v=0.005")
    result = kanspice.identify(MODEL, INPUTS, measured(seed=11, said=large), tech=technology(*large), noise=NOISE)
    assert result.is_explained
    assert result.effort < 1.5


def test_a_cause_that_is_left_out_is_named():
    result = identify(measured(more=["tia.gain=30"]))
    assert not result.is_explained
    loudest = next(suspect for suspect in result.suspects if suspect.is_key)
    assert loudest.name == "tia.gain"
    assert loudest.said == np.inf
    assert loudest.value == pytest.approx(30, rel=0.3)
    assert loudest.value < loudest.seen < np.inf
    assert "tia.gain" in result.page().outcome.text


def test_shares_are_of_the_gap_that_was_measured():
    outputs = measured()
    outputs[5, 1] = np.nan
    result = identify(outputs)
    expected = MODEL(torch.from_numpy(INPUTS)).detach().numpy()
    apart = (outputs - expected)[:50:5]
    spread = np.sqrt(np.mean(np.var(expected, axis=0)))
    assert result.gap_apart == pytest.approx(np.sqrt(np.nanmean(apart**2)) / spread, rel=1e-6)
    assert sum(cause.share for cause in result.causes) == pytest.approx(1)
    shares = {cause.name: cause.share for cause in result.causes}
    assert shares["devices.area_sigma"] > 0.5
    unexplained = next(cause for cause in result.causes if cause.name == UNEXPLAINED)
    assert unexplained.alone == pytest.approx(result.error)
    assert abs(unexplained.share) < 0.3


def test_true_numbers_lie_in_their_intervals():
    inside = []
    for seed in range(6):
        found = Identified(investigated(measured(seed=seed)))
        twin = found.twin
        true = np.concatenate([Draw(seed).normal(array.name, array.shape).ravel() for array in twin.arrays])
        there = np.concatenate([twin.matter(array) for array in twin.arrays])
        inside += (np.abs(true - found.fit.unknowns) < 1.645 * found.posterior.sigma)[there].tolist()
    assert 0.85 < np.mean(inside) < 0.95


def test_what_cannot_be_identified():
    outputs = measured()
    with pytest.raises(InputError, match="too few measured samples"):
        identify(np.where(np.arange(60)[:, None] < 5, outputs, np.nan))
    with pytest.raises(InputError, match="another shape"):
        identify(outputs[:, :2])
    with pytest.raises(InputError, match="absurd"):
        identify(outputs * 1e9)
    with pytest.raises(InputError, match="nothing of this circuit is unknown"):
        kanspice.identify(MODEL, INPUTS, outputs)
    with pytest.raises(InputError, match="no noise"):
        kanspice.identify(MODEL, INPUTS, outputs, noise=0.0)
    with pytest.raises(InputError, match="no keys"):
        identify(outputs, unknown=["tia.rail_v=2"], output="x.npz")
