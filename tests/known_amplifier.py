"""An operational amplifier whose every figure is known in closed form, as a subcircuit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kanspice.subcircuits.amplifier import DEFAULT_PINS, Amplifier, parse_roles
from kanspice.subcircuits.subcircuit import read_subcircuit


@dataclass(frozen=True)
class KnownAmplifier:
    """One pole, a second one behind it, a smooth stop at either rail, and an output resistance.

    The gain falls as 1 - (v / stop_v)², which is the slope of tanh.
    """

    gain: float = 1e4
    gbw_hz: float = 1e6
    second_hz: float = 2e6
    output_ohm: float = 100.0
    stop_v: float = 1.5
    offset_v: float = 3e-3
    bias_a: float = 20e-9
    offset_a: float = 4e-9
    input_ohm: float = 1e9
    quiescent_a: float = 1e-3
    slew_v_per_s: float = 1e6
    noise_ohm: float = 1e3
    most_a: float = 5e-3

    def netlist(self, name: str = "known") -> str:
        """Pins: in+ in- out vdd vss."""
        pole_f = 1e-10
        siemens = 6.283185307179586 * self.gbw_hz * pole_f
        most = self.slew_v_per_s * pole_f
        return f""".subckt {name} ip im o vp vn
Rn ip in {self.noise_ohm}
Vos ir in {self.offset_v}
Rin ip im {self.input_ohm}
Ibm im 0 {self.bias_a}
Ibp ip 0 {self.bias_a - self.offset_a}
Bg 0 x i={most}*tanh({siemens}*(v(ir)-v(im))/{most})
Rg x 0 {self.gain / siemens} noisy=0
Cg x 0 {pole_f}
Bc x 0 i=1e-3*(max(v(x)-{6 * self.stop_v},0)+min(v(x)+{6 * self.stop_v},0))
Es s 0 x 0 1
Rs s y 1k noisy=0
Cs y 0 {1 / (6.283185307179586 * self.second_hz * 1e3)}
Bl l 0 v={self.stop_v}*tanh(v(y)/{self.stop_v})
Bo l o i={self.most_a}*tanh(v(l,o)/{self.output_ohm * self.most_a})
Iq vp vn {self.quiescent_a}
.ends
"""

    def amplifier(self, folder: Path, pins: str = DEFAULT_PINS, text: str | None = None) -> Amplifier:
        """It, in a file in `folder`, between 2 V either way."""
        path = folder / "known.cir"
        path.write_text(self.netlist() if text is None else text, encoding="utf-8")
        return Amplifier(read_subcircuit(path), parse_roles(pins), 2.0, -2.0)
