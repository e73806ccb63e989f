"""Two-terminal device physics: cards, curves in torch, NumPy and SPICE, and fits to measured points."""

from kanspice.devices.analytic import Analytic
from kanspice.devices.authors_curves import devices_from_folder, with_points_from
from kanspice.devices.cards import Card, Device, write_card
from kanspice.devices.curves import Curve, PiecewisePolynomial
from kanspice.devices.extrema import Extrema
from kanspice.devices.registry import list_devices, load_device
from kanspice.devices.series_resistance import behind, bent, is_resistance, shorted

__all__ = [
    "Analytic",
    "Card",
    "Curve",
    "Device",
    "Extrema",
    "PiecewisePolynomial",
    "behind",
    "bent",
    "devices_from_folder",
    "is_resistance",
    "list_devices",
    "load_device",
    "shorted",
    "with_points_from",
    "write_card",
]
