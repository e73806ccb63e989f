"""What an operational amplifier does, in the figures that a circuit designer asks for."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Load:
    """What an amplifier's output drives while it is measured, to the middle of its supplies."""

    ohm: float = math.inf
    farad: float = 2e-12


@dataclass(frozen=True)
class VoltageRange:
    """From where to where, volts from the middle of the supplies."""

    low: float
    high: float

    @property
    def either_way(self) -> float:
        """What it allows in both directions; 0 where the middle is not inside."""
        return max(min(-self.low, self.high), 0.0)


@dataclass(frozen=True)
class Characterisation:
    """Figures of an amplifier with its load, its output at the middle of the supplies where nothing else is said.

    None: not measured, or there is none; `why_not` says why, by the figure's name.
    """

    load: Load
    gain: float
    """Open-loop voltage gain at DC, with the load."""
    output_ohm: float
    """Output resistance at DC, open loop, without the load's."""
    output_fast_ohm: float
    """The same where the gain is 1, if it ever is: what a capacitor around the output stage leaves."""
    offset_v: float
    """Systematic offset: what the inverting input is above the other one."""
    bias_a: float
    """What the inverting input takes."""
    offset_a: float
    """What the inverting input takes more than the other one."""
    inverting_ohm: float
    """Resistance of the inverting input at DC, the other one held: below some kiloohms it is a current feedback one."""
    quiescent_a: float
    """From the upper supply."""
    swing: VoltageRange
    """Where the output stops, with the load, its inputs overdriven."""
    linear: VoltageRange
    """Where the gain is at least a tenth of that in the middle, with the load."""
    common_mode: VoltageRange | None
    """Where a follower is right."""
    source_a: float | None
    """What the output gives at most into a short to the middle of the supplies."""
    sink_a: float | None
    """What it takes at most from there."""
    gbw_hz: float | None
    """Gain-bandwidth product: gain times frequency halfway, on a logarithmic scale, between the gain at DC and 1."""
    unity_hz: float | None
    """Where the gain is 1."""
    phase_margin_deg: float | None
    """Of the wire from the output to the inverting input, at the load."""
    input_f: float | None = None
    """Capacitance of the inverting input, the other one held."""
    slew_up_v_per_s: float | None = None
    slew_down_v_per_s: float | None = None
    """How fast the output rises and falls at most: the fastest fifth of a large step, inverting."""
    noise_v_per_rthz: float | None = None
    """White noise at the input."""
    noise_corner_hz: float | None = None
    """Below it 1/f noise is stronger."""
    offset_sigma_v: float | None = None
    """Standard deviation of the offset from part to part."""
    offset_draws_v: tuple[float, ...] = ()
    """What that is of."""
    why_not: dict[str, str] = field(default_factory=dict)

    @property
    def gain_unloaded(self) -> float:
        """Open-loop gain at DC without the load's resistance."""
        return self.gain * (1.0 + self.output_ohm / self.load.ohm)

    @property
    def slew_v_per_s(self) -> float | None:
        """The slower of both."""
        known = [slew for slew in (self.slew_up_v_per_s, self.slew_down_v_per_s) if slew is not None]
        return min(known, default=None)
