"""A noun is written as its part says, and read back as it was."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Annotated, Literal

import numpy as np
import pytest
from pydantic import Field, ValidationError

from kanspice.base.arrays import Array
from kanspice.report.codec import Count, Key, Part, SizeOrNone, as_record, of_record


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Spread:
    low: float
    high: float | None


@dataclass(frozen=True)
class Sample:
    index: int
    colour: Colour

    @property
    def even(self) -> bool:
        return self.index % 2 == 0


@dataclass(frozen=True)
class Noun:
    name: str
    spread: Spread
    other: Spread | None
    samples: tuple[Sample, ...]
    places: tuple[int, ...]
    table: Mapping[str, object]
    seconds: Mapping[str, float]
    rows: Array
    pair: tuple[int, int] | None = None
    note: str | None = None


class NamePart(Part):
    """The name and the rest of it."""

    of: Annotated[str, Key("name")]
    places: list[Count]


class SamplePart(Part):
    """A sample."""

    index: Count
    colour: Annotated[Colour, Field(strict=False)]
    even: bool


class NounPart(Part):
    """All of it."""

    schema_: Annotated[Literal["a/1"], Field(alias="schema")]
    head: Annotated[NamePart, Key(".")]
    low: Annotated[SizeOrNone, Key("spread.low")]
    high: Annotated[SizeOrNone, Key("spread.high")]
    other_low: Annotated[SizeOrNone, Key("other.low")]
    all: Annotated[list[SamplePart], Key("samples")]
    table: Annotated[dict[str, object], Key(infinite=True)]
    seconds: dict[str, SizeOrNone]
    pair: list[Count] | None
    note: Annotated[str | None, Key(sparse=True)] = None

    def attributes(self):
        return super().attributes() | ({"other": None} if self.other_low is None else {})


class ColumnsPart(Part):
    """What is only written."""

    indices: Annotated[list[Count], Key("samples.index")]
    load_s: Annotated[SizeOrNone, Key("seconds.load")]
    other_low: Annotated[SizeOrNone, Key("other.low")]


def noun(**changes: object) -> Noun:
    given = {
        "name": "a\udcff",
        "spread": Spread(0.5, None),
        "other": Spread(0.25, None),
        "samples": (Sample(2, Colour.RED), Sample(3, Colour.RED)),
        "places": (4, 5),
        "table": {"gain": math.inf, "part": {"offset": -math.inf}},
        "seconds": {"load": np.float64(0.5)},
        "rows": np.empty(0),
        "pair": (1, 2),
    }
    return Noun(**{**given, **changes})


def again(value: Noun) -> Noun:
    return NounPart.model_validate(json.loads(NounPart.text(value))).read(Noun)


def test_keys_have_the_order_of_the_part_and_values_of_where_they_lie():
    assert NounPart.written(noun()) == {
        "schema": "a/1",
        "head": {"of": "a\\udcff", "places": [4, 5]},
        "low": 0.5,
        "high": None,
        "other_low": 0.25,
        "all": [{"index": 2, "colour": "red", "even": True}, {"index": 3, "colour": "red", "even": False}],
        "table": {"gain": "inf", "part": {"offset": "-inf"}},
        "seconds": {"load": 0.5},
        "pair": [1, 2],
    }
    assert list(NounPart.written(noun(note="b"))) == [*NounPart.written(noun()), "note"]
    assert NounPart.text(noun()).endswith("}\n")


def test_a_key_may_be_a_column_or_an_entry():
    assert ColumnsPart.written(noun(other=None)) == {"indices": [2, 3], "load_s": 0.5, "other_low": None}


def test_what_was_written_is_read_as_it_was():
    for value in (noun(name="a"), noun(name="a", pair=None, note="b", other=None, samples=())):
        assert replace(again(value), rows=value.rows) == value
        assert again(value).rows.shape == (0,)


@pytest.mark.parametrize("figure", [math.nan, math.inf, -math.inf])
def test_a_figure_that_is_not_finite_is_null_and_no_number_when_it_is_read(figure):
    value = noun(spread=Spread(figure, figure), seconds={"load": figure})
    assert (NounPart.written(value)["low"], NounPart.written(value)["seconds"]) == (None, {"load": None})
    found = again(value)
    assert math.isnan(found.spread.low)
    assert found.spread.high is None
    assert math.isnan(found.seconds["load"])


def test_writing_refuses_nothing_and_reading_what_the_part_does_not_allow():
    text = NounPart.text(noun(spread=Spread(-1.0, None)))
    with pytest.raises(ValidationError, match="low"):
        NounPart.model_validate(json.loads(text))


def test_a_record_is_plain_values_and_the_same_again():
    found = Spread(math.inf, None), Spread(math.nan, -0.5)
    kept = [json.loads(json.dumps(as_record(each), allow_nan=False)) for each in found]
    assert kept == [{"low": "inf", "high": None}, {"low": None, "high": -0.5}]
    first, second = (of_record(Spread, {"kind": "draw", **values}) for values in kept)
    assert first == found[0]
    assert (math.isnan(second.low), second.high) == (True, -0.5)


@pytest.mark.parametrize("values", [{"low": 1.0}, {"low": "much", "high": None}, {"low": [], "high": None}])
def test_other_values_are_no_record(values):
    with pytest.raises((KeyError, TypeError, ValueError)):
        of_record(Spread, values)
