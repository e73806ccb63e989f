"""A network that balances the cart-pole."""

from __future__ import annotations

import numpy as np
import pytest
from loops import BALANCES, linear

from kanspice.families import load, save


@pytest.fixture(scope="session")
def balancer(tmp_path_factory):
    """The checkpoint of a network that balances."""
    path = tmp_path_factory.mktemp("balancer") / "model.pt"
    save(linear(np.reshape(BALANCES, (4, 1))), path)
    return path


@pytest.fixture(scope="session")
def loaded(balancer):
    return load(balancer)
