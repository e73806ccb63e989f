"""What the tests of models share: tiny devices with known curves, tiny networks, and single-threaded torch."""

import pytest
import torch

from kanspice.devices import Device
from kanspice.families.kanalogue.network import KANalogue


def polynomial_device(name, breakpoints, rows):
    """A device whose curve is a piecewise polynomial; rows hold ascending powers of (v - breakpoint)."""
    return Device.from_dict(
        {
            "format": "kanspice.device/1",
            "name": name,
            "description": "test device",
            "source": "none",
            "reverse": "clamp",
            "units": {"voltage": "V", "current": "A"},
            "range": {"lo_v": breakpoints[0], "hi_v": breakpoints[-1]},
            "curve": {"kind": "piecewise_polynomial", "breakpoints_v": breakpoints, "coefficients": rows},
        }
    )


LINEAR = polynomial_device("linear", [-10.0, 10.0], [[-10.0, 1.0]])  # I = V
SQUARE = polynomial_device("square", [0.0, 2.0], [[0.0, 0.0, 1.0]])  # I = V^2, clamped to 0 and 4 outside


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def devices():
    return [LINEAR, SQUARE]


@pytest.fixture
def network(devices):
    """A function that makes a small network in eval mode with random parameters, norms included."""

    def make(widths=(3, 4, 2), seed=1, **options):
        torch.manual_seed(seed)
        model = KANalogue(widths, devices, **options)
        with torch.no_grad():
            for name, tensor in model.state_dict().items():
                if tensor.is_floating_point():
                    tensor.copy_(torch.rand_like(tensor) + 0.5 if "running_var" in name else torch.randn_like(tensor))
        return model.eval()

    return make
