"""What can be done about an imperfection, in words that follow its name and a colon."""

from __future__ import annotations

import math

from kanspice.base.quantities import quantity
from kanspice.technology import Technology, shown

_TUNE = "`kanspice tune` trains the network to live with it"
_BY_CAUSE = {
    "tia.gain": "take amplifiers with a higher open-loop gain",
    "tia.offset_sigma_v": "take amplifiers of lower offset, or trim it: `kanspice calibrate` says how far that helps",
    "tia.offset_v": "take amplifiers of lower offset, or trim it: `kanspice calibrate` says how far that helps",
    "tia.feedback_sigma": "take tighter feedback resistors, or trim them: `kanspice calibrate` says how far that helps",
    "tia.input_bias_a": "take amplifiers of lower input current, or raise `units.i_unit_a`",
    "tia.output_ohm": "take amplifiers with stronger outputs, or lower `units.i_unit_a`",
    "tia.swing_v": "give the amplifiers more swing, or lower `tia.headroom`",
    "tia.macromodel": "the amplifiers do what their figures do not say: `kanspice characterise` measures them",
    "devices.area_sigma": f"make devices larger or match them better; {_TUNE}",
    "devices.area_added_sigma": f"make devices larger or match them better; {_TUNE}",
    "devices.area_step": f"program areas in finer steps; {_TUNE}",
    "devices.area_levels": f"program areas in more levels; {_TUNE}",
    "devices.shift_sigma_v": f"make devices whose curves vary less, or raise `units.v_unit_v`; {_TUNE}",
    "devices.series_ohm": "make contacts of lower resistance, or lower `units.i_unit_a`",
    "devices.stuck_open": f"leave out chips with dead devices (`kanspice study` counts them); {_TUNE}",
    "devices.stuck_short": f"leave out chips with shorted devices (`kanspice study` counts them); {_TUNE}",
    "devices.temperature_c": f"hold the temperature at which the curves were measured; {_TUNE}",
    "devices.curve": "train with the measured curves themselves",
    "wires.driver_ohm": "take stronger row drivers, or lower `units.i_unit_a`",
    "converters.dac_bits": "take a converter of more bits",
    "converters.adc_bits": "take a converter of more bits",
    "converters.input_noise_v": "lower the noise, or raise `units.v_unit_v`",
    "clippers.knee_v": f"take sharper clippers, or raise `units.v_unit_v`; {_TUNE}",
    "projection": "give every edge more kinds of devices: see `kanspice project`",
}
_BY_SECTION = {
    "ageing": f"refresh the devices more often: `kanspice lifetime` says how often; {_TUNE}",
    "wires": "make wires wider or arrays smaller, or lower `units.i_unit_a`",
    "references": "take references that vary less, or trim them: `kanspice calibrate` says how far that helps",
    "parts": "take a finer series of resistors",
    "process": "take larger transistors",
}


def advice(cause: str) -> str:
    """What to do about `section.key`, `section.*`, or a cause that is no key of a technology."""
    section, _, key = cause.partition(".")
    return _BY_CAUSE.get(cause) or _BY_SECTION.get(section) or f"{_towards_ideal(section, key)}; {_TUNE}"


def is_imperfection(key: str) -> bool:
    """Whether `section.key` of a technology is ideal at 0 or at infinity: less, or more of it, is always better."""
    return _ideal(*key.split(".", 1)) in {0, math.inf}


def _ideal(section: str, key: str) -> object:
    """The default of a key; None for what is no key."""
    table = getattr(Technology(), section, None)
    if table is None or key not in type(table).model_fields:
        return None
    return shown(getattr(table, key))


def _towards_ideal(section: str, key: str) -> str:
    """By the default of a key, which is its ideal."""
    ideal = _ideal(section, key)
    if ideal is None:
        return "take parts in which it is smaller"
    if ideal == 0:
        return "lower it"
    if ideal == math.inf:
        return "raise it"
    return f"its ideal is {quantity(ideal, key) if isinstance(ideal, float) else ideal}"
