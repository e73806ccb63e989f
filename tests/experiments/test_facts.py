"""What reports say of when something was measured."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from kanspice.experiments.facts import DATE, date


def test_a_date_is_now_in_utc(monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    before = int(time.time())
    found = datetime.strptime(date(), DATE).replace(tzinfo=UTC).timestamp()
    assert before <= found <= time.time()


def test_a_reproducible_build_says_when_it_is(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert date() == "2023-11-14T22:13:20Z"


@pytest.mark.parametrize("said", ["", "soon", "-1", "9" * 40])
def test_an_epoch_that_is_none_is_not_used(monkeypatch, said):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", said)
    assert date()[:2] == "20"
