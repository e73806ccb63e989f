"""Figures of real parts against decks written by hand: other circuits, other analyses, ngspice's own measurements.

Loops are opened by a huge inductor and capacitor, followers are wires, inverters have resistors, and all is read from
what `meas` and `print` say. Vendors' models are tried where Debian's kicad-demos has put them, or where
KANSPICE_KICAD_DEMOS says.
"""

from __future__ import annotations

import math
import os
import re
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from kanspice.engine.ngspice.characterise.benches import Benches
from kanspice.engine.ngspice.characterise.measure import characterised, measure
from kanspice.engine.ngspice.characterise.noise import measure_offsets
from kanspice.engine.ngspice.program import clean_environment, find_ngspice
from kanspice.subcircuits.amplifier import Amplifier, own_amplifier, parse_roles
from kanspice.subcircuits.characterisation import Characterisation, Load
from kanspice.subcircuits.process import PROCESSES, Models, models_folder
from kanspice.subcircuits.subcircuit import read_subcircuit

pytestmark = [pytest.mark.ngspice, pytest.mark.pdk, pytest.mark.slow]
DEMOS = Path(os.environ.get("KANSPICE_KICAD_DEMOS", "/usr/share/kicad/demos")) / "simulation"
LOAD = Load(farad=1e-11)
_MEASURED = re.compile(r"^(\w+)\s*=\s*([-+.\deE]+)", re.MULTILINE)


@dataclass(frozen=True)
class RealPart:
    """A part, and what decks by hand need: how it is instanced, and resistors that suit its currents.

    small_ohm: of inverters over time; large_ohm: at rest. slew_v: half of a large step.
    """

    name: str
    library: tuple[str, ...]
    instance: str
    supply_v: float
    small_ohm: float
    large_ohm: float
    slew_v: float

    def amplifier(self) -> Amplifier:
        if self.name == "gf180":
            return own_amplifier(Models("gf180"))
        path = Path(self.library[0].split('"')[1])
        return Amplifier(read_subcircuit(path), parse_roles("in+,in-,vdd,vss,out"), self.supply_v, -self.supply_v)


def real_part(name: str) -> RealPart:
    if name == "gf180":
        amplifier = own_amplifier(Models("gf180"))
        folder = models_folder(PROCESSES["gf180"])
        cards = (f'.include "{folder}/design.ngspice"', f'.lib "{folder}/sm141064.ngspice" typical')
        return RealPart(
            name, (*cards, *amplifier.subcircuit.lines), "{p} {m} {o} vdd vss gf180_opamp", 1.65, 1e5, 1e6, 1.1
        )
    path = DEMOS / {"ad8051": "sallen_key/ad8051.lib", "ad8009": "laser_driver/ad8009.lib"}[name]
    if not path.is_file():
        pytest.skip(f"no {path}")
    instance, cards = f"{{p}} {{m}} vdd vss {{o}} {name}", (f'.include "{path}"',)
    if name == "ad8051":
        return RealPart(name, cards, instance, 2.5, 1e3, 1e5, 1.8)
    return RealPart(name, cards, instance, 5.0, 5e2, 2e3, 2.0)


def by_hand(part: RealPart, circuit: list[str], commands: list[str], folder: Path) -> dict[str, float]:
    """What ngspice's own commands say of a circuit; `XA p m o` in it is the part."""
    lines = []
    for line in circuit:
        words = line.split()
        lines.append(
            f"{words[0]} {part.instance.format(p=words[1], m=words[2], o=words[3])}" if line[0] == "X" else line
        )
    deck = [
        "* by hand",
        *part.library,
        f"Vdd vdd 0 {part.supply_v}",
        f"Vss vss 0 {-part.supply_v}",
        *lines,
        ".options reltol=1e-5 vntol=1e-9 abstol=1e-13",
        ".control",
        *commands,
        "quit",
        ".endc",
        ".end",
    ]
    (folder / "hand.cir").write_text("\n".join(deck) + "\n", encoding="utf-8")
    done = subprocess.run(
        [str(find_ngspice().path), "-n", "-b", "hand.cir"],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return {name: float(value) for name, value in _MEASURED.findall(done.stdout)}


@pytest.fixture(scope="module", params=["gf180", "ad8051", "ad8009"])
def found(request):
    """A part, and what was measured of it."""
    part = real_part(request.param)
    measured = measure(part.amplifier(), LOAD, draws=0, seed=0)
    return part, measured.figures, measured.noise


OPENED = ["XA 0 m o", "Lf o m 1e12", "Cf m t 1e12", "Vt t 0 dc 0 ac 1", "Cl o 0 10p"]
FOLLOWER = ["XA p o o", "Vp p 0 dc 0 ac 1", "Cl o 0 10p"]


def test_gain_and_speed(found, tmp_path):
    part, figures, _ = found
    commands = [
        "ac dec 50 1m 100g",
        "meas ac dc_db find vdb(o) at=1m",
        "meas ac unity_hz when vdb(o)=0 cross=last",
        "meas ac phase find vp(o) when vdb(o)=0 cross=last",
        "meas ac at_high find vdb(o) at=1meg",
    ]
    hand = by_hand(part, OPENED, commands, tmp_path)
    assert figures.gain == pytest.approx(10 ** (hand["dc_db"] / 20), rel=0.02)
    assert figures.unity_hz == pytest.approx(hand["unity_hz"], rel=0.02)
    phase_deg = hand["phase"] * 57.29577951308232
    assert figures.phase_margin_deg == pytest.approx(phase_deg % 360 if part.name != "ad8009" else phase_deg, abs=1.0)
    if part.name != "ad8009":
        assert figures.gbw_hz == pytest.approx(1e6 * 10 ** (hand["at_high"] / 20), rel=0.02)


def test_what_flows_and_offsets_at_rest(found, tmp_path):
    part, figures, _ = found
    commands = ["op", "let offset = v(o)", "let supply = -i(vdd)", "let taken = -i(vp)", "print offset supply taken"]
    hand = by_hand(part, FOLLOWER, commands, tmp_path)
    assert figures.offset_v == pytest.approx(hand["offset"] * (1 + 1 / figures.gain), rel=0.02)
    assert figures.quiescent_a == pytest.approx(hand["supply"], rel=0.02)
    assert figures.bias_a - figures.offset_a == pytest.approx(hand["taken"], rel=0.02, abs=1e-15)
    resistor = ["XA 0 m o", "Rb m o 1k", "Cl o 0 10p"]
    hand = by_hand(part, resistor, ["op", "let bias = (v(o)-v(m))/1k", "print bias"], tmp_path)
    assert figures.bias_a == pytest.approx(hand["bias"], rel=0.02, abs=1e-13)


def test_the_output_resistance_of_a_follower(found, tmp_path):
    part, figures, _ = found
    commands = ["ac lin 1 1m 1m", "let closed = mag(v(o))", "print closed"]
    hand = by_hand(part, ["XA 0 o o", "Io 0 o dc 0 ac 1", "Cl o 0 10p"], commands, tmp_path)
    assert figures.output_ohm / (1 + figures.gain_unloaded) == pytest.approx(hand["closed"], rel=0.02)


def test_how_far_the_output_goes(found, tmp_path):
    part, figures, _ = found
    driven = ["XA 0 m o", f"Ri i m {part.large_ohm}", f"Rf m o {part.large_ohm}", "Vi i 0 0", "Cl o 0 10p"]
    most = 1.15 * part.supply_v
    if part.name == "ad8009":  # its inverting input is 8 ohm, and its stops are soft: no loop, half a volt
        driven, most = ["XA 0 i o", "Vi i 0 0", "Cl o 0 10p"], 0.5
    ends = [f"dc vi 0 {sign}{most} {sign}{most / 100}" for sign in ("", "-")]
    commands = [ends[0], "meas dc low min v(o)", ends[1], "meas dc high max v(o)"]
    hand = by_hand(part, driven, commands, tmp_path)
    assert figures.swing.low == pytest.approx(hand["low"], rel=0.02)
    assert figures.swing.high == pytest.approx(hand["high"], rel=0.02)


def test_from_where_to_where_a_follower_is_right(found, tmp_path):
    part, figures, _ = found
    limit = 2e-3 * part.supply_v
    commands = [
        f"dc vp 0 {part.supply_v} {part.supply_v / 2000}",
        f"let off = abs(v(o)-v(p)-({figures.offset_v}))",
        f"meas dc high when off={limit} cross=1",
        f"dc vp 0 {-part.supply_v} {-part.supply_v / 2000}",
        f"let off = abs(v(o)-v(p)-({figures.offset_v}))",
        f"meas dc low when off={limit} cross=1",
    ]
    hand = by_hand(part, FOLLOWER, commands, tmp_path)
    step = part.supply_v / 160
    assert figures.common_mode.high == pytest.approx(hand["high"], abs=step + 0.02 * part.supply_v)
    assert figures.common_mode.low == pytest.approx(hand["low"], abs=step + 0.02 * part.supply_v)


def test_the_largest_currents(found, tmp_path):
    part, figures, _ = found
    limit = 0.2 * part.supply_v
    divided = ["XA 0 m o", "Ef m 0 o t 0.1", f"Vt t 0 {-10 * figures.offset_v}", "Cl o 0 10p", "Vr r 0 0", "Rl o r 1"]
    for figure, sign in ((figures.source_a, 1), (figures.sink_a, -1)):
        ohm, between = (part.supply_v - limit) / figure, []
        for steps in (200, 50, 20):  # which of them come to their end is chance with the AD8051
            commands = [
                "optran 1 1 1 0 0 0",
                f"alter vr dc={-sign * part.supply_v}",
                f"dc rl {2 * ohm} {0.9 * ohm} {-ohm / steps}",
                f"let held = abs(v(o)) lt {limit}",
                f"let most = vecmax({sign} * i(vr) * held)",
                f"let least = -vecmax(-{sign} * i(vr) - 1e3 * held)",
                "print most least",
            ]
            hand = by_hand(part, divided, commands, tmp_path)
            between += [(hand["most"] + hand["least"]) / 2] if hand.get("least", 1e3) < 1e2 else []
        assert between[0] == pytest.approx(figure, rel=0.02)


def test_slew_rates(found, tmp_path):
    part, figures, _ = found
    if part.name == "ad8009":
        pytest.skip("a current feedback part slews as its resistors let it")
    unit_s = 4 * part.slew_v / min(figures.slew_up_v_per_s, figures.slew_down_v_per_s)
    step = f"pulse({part.slew_v} {-part.slew_v} {unit_s} 1n 1n {2 * unit_s})"
    inverter = ["XA 0 m o", f"Vi i 0 {step}", f"Ri i m {part.small_ohm}", f"Rf m o {part.small_ohm}", "Cl o 0 10p"]
    third = part.slew_v / 3
    commands = [
        f"tran {unit_s / 1000} {5 * unit_s} 0 {unit_s / 1000}",
        f"meas tran rises trig v(o) val={-third} rise=1 targ v(o) val={third} rise=1",
        f"meas tran falls trig v(o) val={third} fall=last targ v(o) val={-third} fall=last",
    ]
    hand = by_hand(part, inverter, commands, tmp_path)
    assert figures.slew_up_v_per_s == pytest.approx(2 * third / hand["rises"], rel=0.02)
    assert figures.slew_down_v_per_s == pytest.approx(2 * third / hand["falls"], rel=0.02)


def test_noise(found, tmp_path):
    """Of a follower: its output's noise is the input's. What is white from two frequencies, with the law's power."""
    _, figures, noise = found
    part = found[0]
    places = range(0, 71, 5)
    corner = 10 * math.log10(figures.noise_corner_hz / 0.1)
    low, high = round(corner) - 15, round(corner) + 5
    commands = ["noise v(o) vp dec 10 0.1 10meg", "setplot noise1"]
    commands += [
        f"let n{place} = inoise_spectrum[{place}]\nprint n{place}"
        for place in sorted({*places, low - 5, low, high, int(corner), int(corner) + 1})
    ]
    hand = by_hand(part, FOLLOWER, commands, tmp_path)
    for place in places:
        assert noise.v_per_rthz[place] == pytest.approx(hand[f"n{place}"], rel=0.02)
    at_corner = hand[f"n{int(corner)}"] ** (1 - corner % 1) * hand[f"n{int(corner) + 1}"] ** (corner % 1)
    assert at_corner == pytest.approx(figures.noise_v_per_rthz * math.sqrt(2), rel=0.02)
    falls = (hand[f"n{low}"] / hand[f"n{low - 5}"]) ** 2
    ratio = falls ** ((high - low) / 5)
    white = (hand[f"n{high}"] ** 2 - ratio * hand[f"n{low}"] ** 2) / (1 - ratio)
    assert figures.noise_v_per_rthz == pytest.approx(math.sqrt(white), rel=0.03)


def test_a_vendors_model_that_latches_says_beyond_which_currents():
    """The state at -4.98 V that a sweep finds which begins at -300 uA or beyond, without a message of ngspice's."""
    part = replace(real_part("ad8051"), supply_v=5.0)
    states = measure(part.amplifier(), LOAD, draws=0, seed=0).states
    assert states.column.feedback_ohm == 1e4
    assert states.other_v < -4.9
    assert -4.5e-4 < states.right.low < -1e-4
    assert states.right.high > 4e-4
    assert [start.is_right(5.0) for start in states.starts] == [True, True]


def test_offsets_are_drawn_from_the_foundrys_statistics_and_by_the_seed():
    amplifier = own_amplifier(Models("gf180"))
    drawn, again, other = (measure_offsets_of(amplifier, seed) for seed in (1, 1, 2))
    assert drawn.offset_draws_v == again.offset_draws_v
    assert drawn.offset_draws_v != other.offset_draws_v
    assert len(set(drawn.offset_draws_v)) == 20
    assert drawn.offset_sigma_v == pytest.approx(1.3e-3, rel=0.4)  # 20 draws: to 16 % at one sigma


def measure_offsets_of(amplifier: Amplifier, seed: int) -> Characterisation:
    return measure_offsets(Benches(amplifier, LOAD), characterised(amplifier, LOAD), 20, seed)
