"""Crossbars side by side as they come out of production: each its own, or the one that all positions share."""

from __future__ import annotations

from dataclasses import replace

from kanspice.base.draws import Draw
from kanspice.circuit import Average, Design, Tiles
from kanspice.circuit.specimens.crossbar import crossbar_specimen
from kanspice.circuit.specimens.parts import spread
from kanspice.technology import Technology
from kanspice.technology.standard_values import nearest


def tiles_specimen(tiles: Tiles, design: Design, technology: Technology, draw: Draw) -> Tiles:
    """Draws are named after each crossbar, `l1p7.crossbar.area` of position 7."""
    drawn = tuple(crossbar_specimen(crossbar, design, technology, draw) for crossbar in tiles.crossbars)
    return replace(tiles, crossbars=drawn)


def average_specimen(average: Average, technology: Technology, draw: Draw) -> Average:
    """The average with the resistors that it really has."""
    sigma, ohm = technology.convolution.average_sigma, nearest(average.ohm, technology.parts.resistors)
    return replace(average, ohm=ohm * spread(f"{average.name}.ohm", sigma, average.ohm.shape, draw))
