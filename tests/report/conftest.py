"""Results that every rendering is tested with."""

from __future__ import annotations

import pytest
from synthetic_results import EXTREMES, synthetic

from kanspice.experiments.verify.result import GapResult


@pytest.fixture
def result() -> GapResult:
    return synthetic()


@pytest.fixture(params=EXTREMES)
def extreme(request: pytest.FixtureRequest) -> GapResult:
    """Each kind of result that a report must survive."""
    return EXTREMES[request.param]()
