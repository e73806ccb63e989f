"""What tests of experiments share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def rough(rough_pictures):
    """Pictures are drawn as they are where a test is about them: in tests/report and tests/golden."""
