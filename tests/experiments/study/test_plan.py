"""What a study is asked to do."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kanspice.base.errors import InputError
from kanspice.experiments.ensemble.variations import Corner, Sweep, seed_of
from kanspice.experiments.study.plan import StudyRequest
from kanspice.technology import load_technology

REQUEST = StudyRequest(folder="/here", model="my model.pt", inputs="x.npy", trials=3)
SIGMA = Sweep("devices.area_sigma", ("0", "0.1"))
GAIN = Sweep("tia.gain", ("100", "1000", "inf"))


def test_a_shipped_technology_is_known_by_its_name_unless_a_file_is_in_its_way(tmp_path):
    request = replace(REQUEST, folder=str(tmp_path), tech="typical")
    assert request.points()[0].technology == load_technology("typical")
    (tmp_path / "typical").write_text('name = "own"\n')
    assert request.points()[0].technology.name == "own"


def test_points_are_corners_times_sweeps():
    corners = (Corner("nominal"), Corner("hot", ("tia.headroom=0.5",)))
    points = replace(REQUEST, corners=corners, sweeps=(SIGMA, GAIN), set_=("tia.rail_v=4.0",)).points()
    assert [point.index for point in points] == list(range(12))
    assert [point.corner for point in points] == ["nominal"] * 6 + ["hot"] * 6
    assert points[7].values == ("0", "1000")
    assert points[7].overrides == ("tia.rail_v=4.0", "tia.headroom=0.5", "devices.area_sigma=0", "tia.gain=1000")
    assert points[7].technology.tia.headroom == 0.5
    assert points[7].named((SIGMA, GAIN)) == "hot, devices.area_sigma=0, tia.gain=1000"


def test_one_point_is_the_technology_as_it_is():
    (point,) = REQUEST.points()
    assert point.overrides == ()
    assert point.named(()) == "as given"


def test_seeds_are_distinct_and_fixed():
    seeds = {seed_of(seed, trial) for seed in range(20) for trial in range(500)}
    assert len(seeds) == 10_000
    assert max(seeds) < 2**53
    assert seed_of(0, 0) == 7711540714544783
    assert replace(REQUEST, trials=2).seeds == REQUEST.seeds[:2]


def test_the_command_of_one_draw():
    request = replace(REQUEST, labels="y.npy", limit=5, tech="b.toml", sweeps=(SIGMA,))
    point = replace(REQUEST, sweeps=(SIGMA,)).points()[1]
    assert request.command(point, 7) == (
        "kanspice verify 'my model.pt' --inputs x.npy --labels y.npy --limit 5 --tech b.toml "
        "--set devices.area_sigma=0.1 --engine batched --seed 7"
    )


def test_a_request_survives_json():
    request = replace(
        REQUEST, corners=(Corner("a", ("tia.gain=5",)),), sweeps=(SIGMA,), limits=(("rmse", 0.1),), yield_min=0.9
    )
    assert StudyRequest.from_dict(json.loads(json.dumps(request.to_dict())), "x") == request


@pytest.mark.parametrize(
    "spoil",
    [
        {"extra": 1},
        {"sweeps": 5},
        {"corners": [{}]},
        {"corners": [{"name": 5, "settings": [1]}]},
        {"limits": [["rmse", "much"]]},
        {"limits": [["rmse", -1]]},
        {"trials": "x"},
        {"trials": 0},
        {"seed": -1},
        {"seed": None},
        {"device": 5},
        {"folder": 5},
        {"set_": [5]},
        {"engine": "x"},
        {"yield_min": 2},
    ],
)
def test_a_plan_that_is_none(spoil):
    with pytest.raises(InputError, match="is not a study's plan"):
        StudyRequest.from_dict(REQUEST.to_dict() | spoil, "plan.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sweeps": (SIGMA, GAIN, Sweep("tia.rail_v", ("1",)))}, "too many sweeps"),
        ({"sweeps": (SIGMA, SIGMA)}, "'devices.area_sigma' is swept twice"),
        ({"sweeps": (Sweep("tia.gain", ("5", "5")),)}, "a value of 'tia.gain' is given twice"),
        ({"sweeps": (GAIN,), "set_": ("tia.gain = 5",)}, "'tia.gain' is swept and set"),
        ({"sweeps": (GAIN,), "corners": (Corner("a", ("tia.gain=5",)),)}, "--corner a: 'tia.gain' is swept and set"),
        ({"corners": (Corner("a"), Corner("a"))}, "two corners are called 'a'"),
        ({"trials": 10**12}, "too many draws"),
        ({"trials": 1001, "sweeps": (Sweep("tia.gain", tuple(map(str, range(1, 1001)))),)}, "too many draws"),
        ({"sweeps": (Sweep("tia.gain", tuple(map(str, range(100_000)))),)}, "too many points"),
    ],
)
def test_variations_that_contradict_each_other(change, message):
    with pytest.raises(InputError, match=message):
        replace(REQUEST, **change)


def test_a_device_that_only_cross_checks_use():
    """ngspice computes on the central processor: nothing says otherwise, and the command of a draw can be run."""
    checked = replace(REQUEST, engine="ngspice", device="torch", cross_check=1)
    assert checked.engine_and_device == "ngspice"
    assert "--device" not in checked.command(checked.points()[0], 7)
    assert "--engine batched --device torch" in replace(checked, engine="batched").command(checked.points()[0], 7)
