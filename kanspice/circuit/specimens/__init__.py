"""One specimen of a design: the same circuit with its parts as they come out of production.

One file per kind of stage that has parts which differ. Names of draws: the stage and the array, `l1.crossbar.area`;
what a specimen has once has a name of its own.
"""

from kanspice.circuit.specimens.given import GivenSpecimen
from kanspice.circuit.specimens.random_arrays import RandomArray, asked_for, random_arrays
from kanspice.circuit.specimens.specimen import draw_specimen

__all__ = ["GivenSpecimen", "RandomArray", "asked_for", "draw_specimen", "random_arrays"]
