"""The E series of IEC 60063, and what is nearest in them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kanspice.technology.standard_values import nearest, values_of_decade

E48 = (
    *(
        100,
        105,
        110,
        115,
        121,
        127,
        133,
        140,
        147,
        154,
        162,
        169,
        178,
        187,
        196,
        205,
        215,
        226,
        237,
        249,
        261,
        274,
        287,
    ),
    *(
        301,
        316,
        332,
        348,
        365,
        383,
        402,
        422,
        442,
        464,
        487,
        511,
        536,
        562,
        590,
        619,
        649,
        681,
        715,
        750,
        787,
        825,
        866,
    ),
    *(909, 953),
)
"""As printed in resistors' data sheets; E96 has each of them, and the next one of E192's between."""
BETWEEN = (
    *(
        102,
        107,
        113,
        118,
        124,
        130,
        137,
        143,
        150,
        158,
        165,
        174,
        182,
        191,
        200,
        210,
        221,
        232,
        243,
        255,
        267,
        280,
        294,
    ),
    *(
        309,
        324,
        340,
        357,
        374,
        392,
        412,
        432,
        453,
        475,
        499,
        523,
        549,
        576,
        604,
        634,
        665,
        698,
        732,
        768,
        806,
        845,
        887,
    ),
    *(931, 976),
)


def test_series_are_those_of_data_sheets():
    assert values_of_decade("E6") == (100, 150, 220, 330, 470, 680)
    assert values_of_decade("E12") == (100, 120, 150, 180, 220, 270, 330, 390, 470, 560, 680, 820)
    assert len(values_of_decade("E24")) == 24
    assert values_of_decade("E48") == E48
    assert values_of_decade("E96") == tuple(sorted((*E48, *BETWEEN)))
    assert len(set(values_of_decade("E192"))) == 192
    assert {919, 920} & set(values_of_decade("E192")) == {920}


@pytest.mark.parametrize("series", ["E6", "E12", "E24", "E48", "E96", "E192"])
def test_nearest_is_the_least_ratio(series):
    wanted = 10 ** np.random.default_rng(0).uniform(-3, 9, 500)
    all_values = np.array([value * 10.0**power for power in range(-7, 10) for value in values_of_decade(series)])
    ratios = np.abs(np.log(wanted[:, None] / all_values))
    np.testing.assert_allclose(nearest(wanted, series), all_values[ratios.argmin(axis=1)], rtol=1e-14)


def test_values_are_the_numbers_that_their_names_are():
    decimals = np.array([float(f"{value}e{power}") for power in range(-9, 9) for value in values_of_decade("E96")])
    for off in (1 - 1e-3, 1.0, 1 + 1e-3):
        np.testing.assert_array_equal(nearest(decimals * off, "E96"), decimals)


def test_nothing_and_infinity_stay():
    np.testing.assert_array_equal(nearest(np.array([0.0, math.inf, 9999.0]), "E96"), [0.0, math.inf, 1e4])
    assert nearest(np.array(1234.5), "exact") == 1234.5
    assert nearest(np.array(1234.5), "E24").shape == ()
