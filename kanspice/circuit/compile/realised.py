"""Amplifiers and clips that are subcircuits: which, of what a technology says."""

from __future__ import annotations

import math
from pathlib import Path

from kanspice.base.errors import InputError
from kanspice.circuit.parts import Realised
from kanspice.subcircuits.amplifier import Amplifier, own_amplifier, own_netlist, parse_roles
from kanspice.subcircuits.process import Models
from kanspice.subcircuits.subcircuit import read_subcircuit
from kanspice.technology import Technology


def realised_parts(technology: Technology) -> Realised | None:
    """The subcircuits of a technology's amplifiers and clips; None for one without any.

    Raises InputError for files, pins and processes that are not there or do not fit, and where the technology says
    nothing of what the subcircuit does, so that no other engine could solve the circuit.
    """
    tia, process = technology.tia, technology.process
    if process.pdk == "none":
        if not tia.subcircuit:
            return None
        _check_figures(technology)
        return Realised(_brought(technology, None), input_bias_a=tia.input_bias_a)
    _check_figures(technology)
    models = Models(process.pdk, process.corner, process.mismatch)
    own = own_amplifier(models, tia.rail_v, process.temperature_c)
    clip, rectifier = (read_subcircuit(own_netlist(process.pdk, name)) for name in ("clip", "rectifier"))
    if not tia.subcircuit:
        return Realised(own, clip, rectifier, input_bias_a=tia.input_bias_a)
    brought = _brought(technology, models)
    if brought.subcircuit.lines == own.subcircuit.lines:
        return Realised(brought, clip, rectifier, input_bias_a=tia.input_bias_a)
    taken = brought.subcircuit.defines & (own.subcircuit.defines | clip.defines | rectifier.defines)
    if taken:
        raise InputError(
            f"clips are made of kanspice's own '{min(taken)}', which this is not",
            where=tia.subcircuit,
            hint="give yours another name",
        )
    return Realised(brought, clip, rectifier, own, input_bias_a=tia.input_bias_a)


def _brought(technology: Technology, models: Models | None) -> Amplifier:
    tia = technology.tia
    subcircuit = read_subcircuit(Path(tia.subcircuit), tia.subcircuit_name or None)
    if tia.subcircuit_sha256 not in ("", subcircuit.sha256):
        raise InputError(
            "the subcircuit is another one than the technology was written for",
            where=tia.subcircuit,
            expected=f"SHA-256 {tia.subcircuit_sha256} (tia.subcircuit_sha256)",
            found=subcircuit.sha256,
            hint="characterise it again: kanspice characterise",
        )
    temperature_c = technology.process.temperature_c
    return Amplifier(
        subcircuit, parse_roles(tia.pins), tia.rail_v, -tia.rail_v, tia.bias_a, models, temperature_c=temperature_c
    )


def _check_figures(technology: Technology) -> None:
    tia = technology.tia
    if math.isinf(tia.gain) or tia.used_for != "all":
        raise InputError(
            "the technology does not say what its amplifier does",
            where="tia",
            expected="the amplifier's figures, tia.gain among them, and tia.used_for = 'all'",
            hint="kanspice characterise FILE -o tia.toml, then --tech tia.toml; or --realisation transistor",
        )
