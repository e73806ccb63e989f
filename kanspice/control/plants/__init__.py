"""Plants: what a network controls, one control period after the other, with gymnasium's interface."""

from kanspice.control.plants.arm import PlanarArm
from kanspice.control.plants.box import Box
from kanspice.control.plants.cartpole import CartPole
from kanspice.control.plants.named import PLANTS, plant_maker
from kanspice.control.plants.photovoltaic import PhotovoltaicArray
from kanspice.control.plants.plant import Plant, check_fit

__all__ = ["PLANTS", "Box", "CartPole", "PhotovoltaicArray", "PlanarArm", "Plant", "check_fit", "plant_maker"]
