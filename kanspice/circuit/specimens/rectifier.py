"""Precision rectifiers as they come out of production: their op-amps' offsets, and the references of their levels."""

from __future__ import annotations

from dataclasses import replace

from kanspice.base.draws import Draw
from kanspice.base.traced import asarray, number
from kanspice.circuit import Rectifier
from kanspice.circuit.specimens.parts import reference
from kanspice.technology import Technology
from kanspice.technology.standard_values import nearest


def rectifier_specimen(rectifier: Rectifier, technology: Technology, draw: Draw) -> Rectifier:
    """The rectifiers with the loads, the offsets and the levels that they really have."""
    factor = reference(technology.references.clip_sigma, "references.clip", draw)
    parts, width = technology.clippers, (rectifier.width,)
    return replace(
        rectifier,
        low_v=rectifier.low_v * factor,
        high_v=rectifier.high_v * factor,
        load_ohm=number(nearest(asarray(rectifier.load_ohm), technology.parts.resistors)),
        low_offset_v=parts.offset_v + parts.offset_sigma_v * draw.normal(f"{rectifier.name}.low_offset_v", width),
        high_offset_v=parts.offset_v + parts.offset_sigma_v * draw.normal(f"{rectifier.name}.high_offset_v", width),
    )
