"""The elements of a circuit as a table: one file for each kind of stage that has some, and one for them all."""

from kanspice.experiments.compile.elements.circuit import elements_of

__all__ = ["elements_of"]
