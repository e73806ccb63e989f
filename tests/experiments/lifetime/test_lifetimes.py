"""Chips through their lives: each is one that a study of its age finds, and how long how many last."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from circuits import LINE, PEAK, inputs_for, load_device, network
from images import cnnkan
from synthetic_experiments import LIFETIMES

from kanspice.base.errors import InputError
from kanspice.experiments.ensemble.draws import DrawResult
from kanspice.experiments.ensemble.variations import Corner, Sweep
from kanspice.experiments.lifetime.plan import LifetimeRequest, sweep_of
from kanspice.experiments.lifetime.run import prepare, run, start
from kanspice.experiments.study.plan import StudyRequest
from kanspice.experiments.study.result import PointResult
from kanspice.experiments.study.run import prepare as prepare_study
from kanspice.families import save

pytestmark = pytest.mark.slow

DRIFT = ("ageing.drift_nu=0.05", "ageing.drift_nu_sigma=0.02")
AGES_S = (1.0, 1e4, 1e8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    model = network([6, 5, 3], [load_device("z21"), PEAK])
    save(model, folder / "model.pt")
    save(network([6, 3], [LINE], input_stage="sigmoid"), folder / "line.pt")
    np.save(folder / "inputs.npy", inputs_for(model, 80))
    np.save(folder / "labels.npy", np.arange(80) % 3)
    save(cnnkan((1, 1, 2), (2,)), folder / "cnnkan.pt")
    np.save(folder / "images.npy", np.random.default_rng(0).uniform(0, 0.5, (9, 2)))
    return folder


def request_in(folder, **options):
    given = {"model": "model.pt", "inputs": "inputs.npy", "trials": 3, "seed": 1, "set_": DRIFT, **options}
    return LifetimeRequest(str(folder), sweeps=(sweep_of(AGES_S),), **given)


def measured(folder, out, **options):
    return run(start(request_in(folder, **options), out), out)


def test_every_age_is_a_point_of_a_study_of_it(folder, tmp_path):
    """The same seeds and figures, to the last digit: one chip at several ages, whoever looks at it."""
    found = measured(folder, tmp_path / "life", labels="labels.npy")
    swept = (Sweep("ageing.time_s", ("1", "1e4", "1e8")),)
    asked = StudyRequest(
        str(folder), "model.pt", "inputs.npy", labels="labels.npy", set_=DRIFT, sweeps=swept, trials=3, seed=1
    )
    for point, setup in zip(found.points, prepare_study(asked).setups, strict=True):
        assert point.draws == tuple(setup.measure(trial, seed) for trial, seed in enumerate(asked.seeds))
    gaps = [[draw.metrics["relative_rmse"] for draw in point.draws] for point in found.points]
    assert np.all(np.diff(gaps, axis=0) > 0)
    assert max(gaps[0]) < 1e-12
    assert len(set(gaps[1])) == 3


def test_chips_are_set_anew_with_other_samples_than_they_are_judged_by(folder, tmp_path):
    plain = measured(folder, tmp_path / "plain", limit=40)
    again = measured(folder, tmp_path / "again", recalibrate_s=1e4, calibration=40)
    assert (plain.samples, again.samples, again.request.limit) == (40, 40, 40)
    assert again.points == plain.points
    assert [point.point.index for point in again.recalibrated] == [1, 2]
    assert again.recalibrated[0].summary("relative_rmse").mean < 0.9 * again.points[1].summary("relative_rmse").mean
    assert again.judged == (again.points[0], *again.recalibrated)
    rows = again.columns()
    assert rows["recalibrated"] == [False] * 9 + [True] * 6
    assert len(set(map(len, rows.values()))) == 1


def test_columns_are_set_anew_as_well_as_can_be_where_all_lose_the_same(folder, tmp_path):
    lost = ("ageing.drift_nu=0.03", "devices.area_sigma=1e-9")
    found = measured(folder, tmp_path / "life", set_=lost, recalibrate_s=1e4, trims="columns", calibration=10)
    untouched, restored = (
        point.draws[0].metrics["relative_rmse"] for point in (found.points[1], found.recalibrated[0])
    )
    assert untouched > 0.05
    assert restored < 1e-6
    assert found.recalibrated[1].draws[0].metrics["relative_rmse"] > 0.05


def test_a_chip_that_nothing_is_random_in_is_one(folder, tmp_path):
    found = measured(folder, tmp_path / "life", set_=("ageing.drift_nu=0.05",))
    assert [len(point.draws) for point in found.points] == [1, 1, 1]
    assert found.points[0].is_random is False


def test_what_calibrates_is_part_of_what_results_depend_on(folder):
    few, many = (prepare(request_in(folder, recalibrate_s=1e4, limit=15, calibration=count)) for count in (5, 9))
    assert few.identity["calibration"] != many.identity["calibration"]
    assert few.study.setups[0].inputs.shape == many.study.setups[0].inputs.shape == (15, 6)
    assert few.setup.recalibration.setup.inputs.shape == (5, 6)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"set_": ()}, "nothing ages"),
        ({"set_": ("devices.area_sigma=0.1",)}, "nothing ages"),
        ({"set_": (*DRIFT, "ageing.time_s=5")}, "ageing.time_s is what a lifetime goes through"),
        ({"recalibrate_s": 1e4, "calibration": 80}, "there are too few samples"),
        ({"recalibrate_s": 1e4, "limit": 75, "calibration": 6}, "there are too few samples"),
        (
            {"model": "cnnkan.pt", "inputs": "images.npy", "recalibrate_s": 1e4, "trims": "columns", "calibration": 3},
            "only columns of crossbars that are used once are trimmed",
        ),
        ({"limits": (("accuracy_drop", 0.1),)}, "an accuracy needs labels"),
    ],
)
def test_what_cannot_be_followed_is_refused(folder, options, said):
    with pytest.raises(InputError, match=said):
        prepare(request_in(folder, **options))


def test_outputs_of_convolutions_are_set_anew(folder, tmp_path):
    options = {"model": "cnnkan.pt", "inputs": "images.npy", "recalibrate_s": 1e4, "calibration": 4, "trials": 2}
    found = measured(folder, tmp_path / "life", **options)
    assert len(found.recalibrated) == 2
    assert found.samples == 5


@pytest.mark.parametrize(
    "changed",
    [
        {"sweeps": ()},
        {"sweeps": (Sweep("tia.gain", ("1", "2")),)},
        {"sweeps": (Sweep("ageing.time_s", ("1", "x")),)},
        {"sweeps": (Sweep("ageing.time_s", ("2", "1")),)},
        {"sweeps": (Sweep("ageing.time_s", ("-1", "1")),)},
        {"sweeps": (Sweep("ageing.time_s", ("1", "nan")),)},
        {"sweeps": (Sweep("ageing.time_s", ("1", "2")), Sweep("tia.gain", ("5",)))},
        {"recalibrate_s": 3.0},
        {"corners": (Corner("hot", ()),)},
    ],
)
def test_a_plan_that_is_no_lifetime_is_refused(folder, changed):
    """It may be a stranger's, or changed by hand."""
    with pytest.raises(InputError, match="this is no lifetime"):
        LifetimeRequest.from_dict({**request_in(folder).to_dict(), **asdict_of(changed)}, folder)


def asdict_of(changed):
    """Fields of a request as its folder has them."""
    return {
        name: [asdict(each) for each in value] if isinstance(value, tuple) else value for name, value in changed.items()
    }


def living(result, good, unresolved=()):
    """The result with chips (ages, chips) that are good or not; those that are not resolved may be."""

    def chip(draw: DrawResult, age: int, is_good: bool) -> DrawResult:
        why = ("numerical error",) if (age, draw.trial) in unresolved else ()
        return replace(draw, metrics={**draw.metrics, "relative_rmse": 0.01 if is_good else 1.0}, unresolved=why)

    points = tuple(
        PointResult(
            point.point,
            point.is_random,
            tuple(chip(draw, age, good[age][draw.trial]) for draw in point.draws),
            (("relative_rmse", 0.5),),
        )
        for age, point in enumerate(result.points)
    )
    request = replace(result.request, limits=(("relative_rmse", 0.5),), yield_min=0.75)
    return replace(result, points=points, request=request)


GOOD = np.array([[1, 1, 1, 1], [1, 1, 1, 1], [1, 0, 1, 1], [0, 1, 0, 1], [1, 1, 1, 1]], dtype=bool)


def test_a_chip_lasts_while_it_is_good_without_a_break():
    """By hand: 4, 4, 3, 1 and again 1 of four, whatever becomes good again."""
    result = living(LIFETIMES["plain"](), GOOD.tolist())
    assert [found.good for found in result.survival] == [4, 4, 3, 1, 1]
    assert [point.yield_.good for point in result.points] == [4, 4, 3, 2, 4]
    half, wanted = result.lifetimes
    ages = result.request.ages_s
    assert (half.fraction, half.at_least_s, half.below_s) == (0.5, ages[2], ages[3])
    assert (wanted.fraction, wanted.at_least_s, wanted.below_s) == (0.75, ages[2], ages[3])
    assert half.low_s == ages[1]  # of four good ones, Wilson says 51 % at least
    assert half.high_s is None
    assert wanted.low_s is None
    assert (result.exit_code, len(result.short)) == (1, 1)
    assert "75 % of the chips last 4.93 h, and less than 27.4 d" in result.page().answer.text


def test_chips_outlast_who_looks_at_them_or_are_never_good():
    always = living(LIFETIMES["plain"](), np.ones((5, 4), dtype=bool).tolist())
    assert [found.below_s for found in always.lifetimes] == [None, None]
    assert "last 10 y or longer" in always.page().answer.text
    never = living(LIFETIMES["plain"](), np.zeros((5, 4), dtype=bool).tolist())
    assert [(found.at_least_s, found.below_s) for found in never.lifetimes] == [(None, 1.0), (None, 1.0)]
    assert "last less than 1 s" in never.page().answer.text
    assert never.lifetimes[0].high_s == 1.0


def test_a_chip_that_is_not_resolved_is_no_good_one_but_may_be():
    result = living(LIFETIMES["plain"](), np.ones((5, 4), dtype=bool).tolist(), unresolved={(2, 0)})
    assert [found.good for found in result.survival] == [4, 4, 3, 3, 3]
    assert [found.doubtful for found in result.survival] == [0, 0, 1, 1, 1]
    assert result.survival[-1].high == 1.0


def test_what_is_wanted_is_wanted_of_chips_as_they_are_used():
    limited = LIFETIMES["limited"]()
    assert limited.judged == (*limited.points[:2], *limited.recalibrated)
    assert [found.good for found in limited.survival] == [4, 3, 3, 3, 0]
    assert [found.good for found in limited.survival_untouched] == [4, 3, 0, 0, 0]
    assert [point.point.index for point in limited.short] == [4]


def test_failures_of_chips_that_were_set_anew_are_said():
    result = LIFETIMES["recalibrated"]()
    lost = replace(result.recalibrated[0].draws[0], failed={"beyond the rail": 2})
    broken = replace(result.recalibrated[0], draws=(lost, *result.recalibrated[0].draws[1:]))
    failed = replace(result, recalibrated=(broken, *result.recalibrated[1:]))
    assert (result.exit_code, failed.exit_code) == (0, 3)
    facts = [block for section in failed.page().sections for block in section.blocks]
    assert "2 beyond the rail" in str(facts)
