"""Limits from texts and files."""

from __future__ import annotations

import pytest

from kanspice.base.errors import InputError
from kanspice.gap.limits import check_fractions, check_ways, merged, parse_growth, parse_limits, read_limits


def test_a_file_says_metric_and_value(tmp_path):
    path = tmp_path / "limits.toml"
    path.write_text(
        '# held by CI\nrelative_rmse = 0.02\nl1.crossbar.relative_rmse = 1e-3\n"l2.norm.relative_rmse" = 1\n'
    )
    expected = [("relative_rmse", 0.02), ("l1.crossbar.relative_rmse", 1e-3), ("l2.norm.relative_rmse", 1.0)]
    assert read_limits(path) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no limit in it"),
        ("[relative_rmse]", "there is no limit in it"),
        ("relative_rmse = -1", "bad limit on 'relative_rmse'"),
        ("relative_rmse = nan", "bad limit on 'relative_rmse'"),
        ("relative_rmse = true", "bad limit on 'relative_rmse'"),
        ("a.b = 'x'", "bad limit on 'a.b'"),
        ("a = [1]", "bad limit on 'a'"),
        ("relative_rmse 1", "is not TOML"),
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path, text, message):
    path = tmp_path / "limits.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_limits(path)
    assert str(path) in str(caught.value)


def test_the_command_line_overrides_the_file():
    assert merged([("a", 1.0), ("b", 2.0)], [("a", 3.0)]) == [("b", 2.0), ("a", 3.0)]
    assert parse_limits(["a=1", " b = 2e-3"]) == [("a", 1.0), ("b", 2e-3)]


@pytest.mark.parametrize(("text", "fraction"), [("10%", 0.1), ("0.1", 0.1), ("0", 0.0), (" 5 % ", 0.05), ("250%", 2.5)])
def test_growth_is_a_percentage_or_a_fraction(text, fraction):
    assert parse_growth(text) == pytest.approx(fraction)


@pytest.mark.parametrize("text", ["", "%", "ten", "-1%", "nan", "inf", "10%%"])
def test_other_growth_is_refused(text):
    with pytest.raises(InputError, match="bad growth"):
        parse_growth(text)


@pytest.mark.parametrize(
    ("largest", "smallest", "messages"),
    [
        ([("accuracy", 0.9)], [], ["accuracy is better the larger it is", "--max", "--min accuracy=0.9"]),
        ([], [("accuracy_drop", 0.02)], ["better the smaller it is", "--min", "--max accuracy_drop=0.02"]),
        ([], [("l1.crossbar.relative_rmse", 0.1)], ["better the smaller", "--max l1.crossbar.relative_rmse=0.1"]),
    ],
)
def test_a_limit_goes_the_way_of_its_metric(largest, smallest, messages):
    with pytest.raises(InputError) as caught:
        check_ways(largest, smallest)
    for message in messages:
        assert message in str(caught.value)


def test_limits_that_go_the_right_way_or_on_names_that_are_judged_later_are_left_alone():
    check_ways([("accuracy_drop", 0.0), ("unknown", 1.0)], [("accuracy", 0.9), ("unknown", 1.0)])


def test_a_fraction_in_percent_is_refused():
    check_fractions([("accuracy", 1.0), ("rmse", 90.0)])
    for metric in ("accuracy", "accuracy_drop"):
        with pytest.raises(InputError, match=f"{metric}=0.9 is 90 %"):
            check_fractions([(metric, 90.0)])
