"""Twins of chips: exact derivatives by every unknown, and fits that find the chip."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from circuits import LINE, PEAK, inputs_for, load_device, network, technology

from kanspice.base.draws import Draw
from kanspice.base.errors import InputError
from kanspice.experiments.identify.least_squares import Posterior, fitted
from kanspice.experiments.identify.suspects import Scores
from kanspice.experiments.identify.twin import Twin, UnknownKey, parse_keys
from kanspice.families import compile_macro_model, sizing_for
from kanspice.families.loading import loaded_from

MODEL = network([6, 5, 3], [load_device("z21"), PEAK])
INPUTS = inputs_for(MODEL, 12)
STRAIGHT = network([6, 5, 3], [LINE], norm="none")
EVERYTHING = (
    "devices.area_sigma=0.05",
    "devices.area_added_sigma=0.01",
    "devices.shift_sigma_v=0.003",
    "tia.offset_sigma_v=0.003",
    "tia.feedback_sigma=0.02",
    "references.current_sigma=0.02",
    "references.clip_sigma=0.02",
)


@cache
def twin(*overrides: str, keys: tuple[str, ...] = ()) -> Twin:
    loaded, known = loaded_from(MODEL), technology(*overrides)
    return Twin(loaded, known, sizing_for(loaded, known, INPUTS), parse_keys(keys))


WIRES = ("wires.driver_ohm=50", "wires.row_ohm=2", "wires.column_ohm=3")
OHMS = ("wires.driver_ohm=2", "wires.row_ohm=2", "wires.column_ohm=2")


def differs(found: Twin, around: np.ndarray, exact: np.ndarray, place: slice, step: float) -> float:
    """Derivatives along a random direction of some unknowns, against central differences of the engine, relative."""
    direction, random = np.zeros(found.size), np.random.default_rng(place.start)
    direction[place] = random.choice([-1.0, 1.0], place.stop - place.start)
    low, high = (found.answer(INPUTS, around + sign * step * direction).outputs for sign in (-1, 1))
    differences, slopes = (high - low) / (2 * step), exact @ direction
    return np.sqrt(((differences - slopes) ** 2).mean() / ((slopes**2).mean() or 1.0))


@pytest.mark.parametrize(
    ("more", "keys"),
    [
        (("tia.gain=inf",), ()),
        (("tia.gain=200",), ("tia.gain=2",)),
        (("tia.gain=inf", *WIRES), OHMS),
        (("tia.gain=200", "tia.output_ohm=10", *WIRES), ("tia.gain=2", *OHMS)),
        (("tia.gain=200", "tia.swing_v=2"), ()),
    ],
)
def test_derivatives_are_those_of_the_engine(more, keys):
    found = twin(*EVERYTHING, *more, keys=keys)
    around = 0.5 * np.random.default_rng(3).standard_normal(found.size)
    answer = found.answer(INPUTS, around)
    assert np.isfinite(answer.outputs).all()
    exact = found.jacobian(INPUTS, around, answer)
    for name, place in found.places.items():
        # the smaller step is rounded more, the larger one is more likely to be across a corner of a curve
        assert min(differs(found, around, exact, place, step) for step in (1e-5, 1e-4)) <= 1e-6, name


def test_the_fit_of_a_linear_problem_is_bayes():
    random = np.random.default_rng(0)
    for numbers, unknowns in ((5, 12), (12, 5)):
        matrix, noise = random.standard_normal((numbers, unknowns)), np.full(numbers, 0.3)
        wanted = random.standard_normal(numbers)
        fit = fitted(lambda z: matrix @ z, lambda _: matrix, wanted, noise, start=np.zeros(unknowns))  # noqa: B023
        precision = np.eye(unknowns) + matrix.T @ matrix / 0.09
        assert fit.unknowns == pytest.approx(np.linalg.solve(precision, matrix.T @ wanted / 0.09), abs=1e-3)
        covariance = np.linalg.inv(precision)
        posterior = Posterior(matrix / noise[:, None])
        assert posterior.sigma == pytest.approx(np.sqrt(np.diag(covariance)))
        assert posterior.covariance(matrix) == pytest.approx(matrix @ covariance @ matrix.T)
        assert posterior.spread(matrix) ** 2 == pytest.approx(np.diag(matrix @ covariance @ matrix.T))


def test_draws_of_what_is_left_have_its_covariance():
    random = np.random.default_rng(1)
    matrix = random.standard_normal((4, 6))
    posterior = Posterior(matrix)
    drawn = np.array([posterior.drawn(random) for _ in range(20_000)])
    assert np.cov(drawn.T) == pytest.approx(np.linalg.inv(np.eye(6) + matrix.T @ matrix), abs=0.03)


def test_a_score_says_how_much_of_a_cause_there_is():
    random = np.random.default_rng(2)
    matrix, cause = random.standard_normal((30, 12)), 3 * random.standard_normal(30)
    off = []
    for _ in range(600):
        numbers = matrix @ random.standard_normal(12) + random.standard_normal(30) + 0.4 * cause
        fit = fitted(lambda z: matrix @ z, lambda _: matrix, numbers, np.ones(30), start=np.zeros(12))
        scores = Scores(matrix, fit.residuals, fit.unknowns)
        found, sigma = scores.of(cause)
        off.append((found - 0.4) / (sigma / np.sqrt(scores.excess)))
    assert np.mean(off) == pytest.approx(0, abs=0.15)
    assert np.std(off) == pytest.approx(1, abs=0.1)
    assert scores.of(np.zeros(30)) is None


def test_a_twin_finds_the_chip_and_its_gain():
    loaded, more = loaded_from(STRAIGHT), inputs_for(STRAIGHT, 60, seed=9)
    said, true = (technology("devices.area_sigma=0.05", f"tia.gain={gain}") for gain in (1000, 300))
    known = Twin(loaded, said, sizing_for(loaded, said, more), parse_keys(["tia.gain=3"]))
    chip = compile_macro_model(loaded, true, known.sizing, Draw(4))
    measured = known.answer_of(chip, more).outputs
    spread = measured.std()
    fit = fitted(
        lambda z: known.answer(more[:40], z).outputs.ravel(),
        lambda z: known.jacobian(more[:40], z, known.answer(more[:40], z)).reshape(120, -1),
        measured[:40].ravel(),
        np.full(120, 1e-3 * spread),
        start=np.zeros(known.size),
    )
    raw, left = (
        np.sqrt(((known.answer(more[40:], z).outputs - measured[40:]) ** 2).mean())
        for z in (np.zeros(known.size), fit.unknowns)
    )
    assert left < 0.15 * raw
    gain = 1000 * 3 ** fit.unknowns[known.places["tia.gain"]][0]
    sigma = Posterior(fit.jacobian).sigma[known.places["tia.gain"]][0]
    assert abs(np.log(gain / 300) / np.log(3)) < 3 * sigma < 1


def test_nothing_unknown_is_refused():
    with pytest.raises(InputError, match="nothing of this circuit is unknown"):
        twin()
    with pytest.raises(InputError, match="not normal"):
        twin("devices.area_sigma=0.1", "devices.area_error=uniform")


@pytest.mark.parametrize("text", ["tia.gain=1", "tia.gain=nan", "tia.gain=x", "tia.gain=1e9"])
def test_factors_that_are_none(text):
    with pytest.raises(InputError, match="no unknown"):
        parse_keys([text])


@pytest.mark.parametrize("name", ["tia.gian", "tia", "nothing.gain", "devices.area_error", "tia.gain"])
def test_keys_that_are_no_numbers(name):
    loaded = loaded_from(MODEL)
    with pytest.raises(InputError, match="cannot be unknown"):
        Twin(loaded, technology("devices.area_sigma=0.1"), None, [UnknownKey(name, 2.0)])
