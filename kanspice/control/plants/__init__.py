"""Plants: what a network controls, one control period after the other, with gymnasium's interface."""

from kanspice.control.plants.arm import PlanarArm
from kanspice.control.plants.box import Box
from kanspice.control.plants.cartpole import CartPole
from kanspice.control.plants.named import PLANTS, plant_maker
from kanspice.control.plants.photovoltaic import PhotovoltaicArray
from kanspice.control.plants.plant import Plant, check_fit
from kanspice.control.plants.power_curves import PowerTracking, load_curves
from kanspice.control.plants.serial_arm import DenavitHartenberg, SerialArm, six_axes

__all__ = [
    "PLANTS",
    "Box",
    "CartPole",
    "DenavitHartenberg",
    "PhotovoltaicArray",
    "PlanarArm",
    "Plant",
    "PowerTracking",
    "SerialArm",
    "check_fit",
    "load_curves",
    "plant_maker",
    "six_axes",
]
