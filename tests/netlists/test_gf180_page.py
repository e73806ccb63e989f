"""The tables of docs/transistors.md are what the circuits do in each corner."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from gf180 import measured

pytestmark = [pytest.mark.ngspice, pytest.mark.pdk, pytest.mark.slow]

PAGE = Path(__file__).parents[2] / "docs" / "transistors.md"
REFERENCE = "xref nbias pbias vdd vss gf180_current_reference\n"


def amplifier(**conditions):
    """Gain, gain-bandwidth, phase margin, slew rates up and down, lowest and highest voltage of a follower within 1 mV,
    offset, supply current."""
    bench = """
    vac ip 0 dc 0 ac 1
    xa ip ia oa vdd vss gf180_opamp
    la ia oa 1g
    ca ia 0 1g
    ca2 oa 0 10p
    vf in 0 dc 0 pulse(-0.4 0.4 1u 1n 1n 3u 8u)
    vddf vddf 0 1.65
    xf in out out vddf vss gf180_opamp
    cf out 0 10p
    """
    inputs_v = [k / 20 for k in range(-24, 33)]
    commands = """op
    let supply=-i(vddf)
    let offset=v(out)
    print supply offset
    ac dec 20 10 100meg
    meas ac gain find vdb(oa) at=10
    meas ac gbw when vdb(oa)=0
    meas ac phase find vp(oa) when vdb(oa)=0
    tran 10n 8u
    meas tran rise trig v(out) val=-0.2 rise=1 targ v(out) val=0.2 rise=1
    meas tran fall trig v(out) val=0.2 fall=1 targ v(out) val=-0.2 fall=1
    dc vf -1.2 1.6 0.05
    let error=v(out)-v(in)
    """
    read = "".join(f"let error{k}=error[{k}]\nprint error{k}\n" for k in range(len(inputs_v)))
    found = measured("opamp", bench, commands + read, **conditions)
    beyond = [volts for k, volts in enumerate(inputs_v) if abs(found[f"error{k}"]) > 1e-3]
    ends = [
        max(volts for volts in beyond if volts < 0) + 0.05,
        min([*(volts for volts in beyond if volts > 0), 1.65]) - 0.05,
    ]
    slew = [0.4e-6 / found["rise"], 0.4e-6 / found["fall"]]
    margin = 180 + math.degrees(found["phase"])
    return [found["gain"], found["gbw"] / 1e6, margin, *slew, *ends, 1e3 * found["offset"], 1e6 * found["supply"]]


def tanh_scale_v(flows):
    """The scale, and the current, of the tanh through three currents: at -0.3 V, 0.05 V above the middle, and 0.3 V."""
    low, near, high = flows
    return 0.05 / math.atanh((near - (high + low) / 2) / ((high - low) / 2)), (high - low) / 2


def branches(**conditions):
    """Current of the reference, full current and scale of the pair, drop of the switch at 1 uA, resistance of the
    transmission gate at 0 V."""
    bench = REFERENCE + (
        "xn dn nbias vss vss nfet_03v3 w=2u l=8u\nvn dn 0 0\n"
        "vin in 0 0\nxpair in 0 push pull nbias pbias vdd vss gf180_pair\nvpush push 0 0\nvpull pull 0 0\n"
        "iswitch 0 top 1u\nxs top 0 nbias vdd vss gf180_switch\n"
        "xt a 0 vdd vss vdd vss gf180_transmission_gate\nva a 0 1m\n"
    )
    commands = """op
    let unit=-i(vn)*1e6
    let drop=v(top)*1e3
    let kohm=-1e-6/i(va)
    print unit drop kohm
    dc vin -0.3 0.3 0.05
    let flows=i(vpush)*1e6
    let low=flows[0]
    let near=flows[7]
    let high=flows[12]
    print low near high
    """
    found = measured("current_reference pair switch transmission_gate", bench, commands, **conditions)
    scale_v, full = tanh_scale_v([found[name] for name in ("low", "near", "high")])
    return [found["unit"], full, 1e3 * scale_v, found["drop"], found["kohm"]]


def transconductor(**conditions):
    """Transconductance in uS, gain in dB, gain-bandwidth into 1 pF in MHz."""
    bench = REFERENCE + (
        "vin in 0 0 ac 1\nxa in minus out nbias vdd vss gf180_ota\nlx minus out 1g\ncx minus 0 1g\ncl out 0 1p\n"
        "xb in 0 short nbias vdd vss gf180_ota\nvshort short 0 0\nhflows flows 0 vshort 1e6\n"
    )
    commands = """ac dec 20 10 100meg
    meas ac microsiemens find vm(flows) at=10
    meas ac gain find vdb(out) at=10
    meas ac gbw when vdb(out)=0
    """
    found = measured("current_reference ota", bench, commands, **conditions)
    return [found["microsiemens"], found["gain"], found["gbw"] / 1e6]


def limiters(**conditions):
    """Worst errors of limiter and rectifier beside their knees, mV."""
    bench = (
        "vin in 0 0\nvlow low 0 -0.5\nvhigh high 0 0.5\nxc in clipped low high vdd vss gf180_clip\nrc clipped 0 20k\n"
        "xr in above 0 vdd vss gf180_rectifier\nrr above 0 20k\n"
    )
    near, far = [round(-0.51 + 0.02 * k, 2) for k in range(52)], [round(-1.6 + 0.6 * k, 2) for k in range(6)]
    commands = ""
    for sweep, volts in (("-0.51 0.515 0.02", near), ("-1.6 1.65 0.6", far)):
        at = "far" if volts is far else "near"
        commands += f"dc vin {sweep}\nlet clipped=v(clipped)\nlet above=v(above)\n" + "".join(
            f"let {name}{at}{k}={name}[{k}]\nprint {name}{at}{k}\n"
            for k in range(len(volts))
            for name in ("clipped", "above")
        )
    found = measured("opamp clip rectifier", bench, commands, **conditions)
    points = [(f"{at}{k}", volts) for at, swept in (("near", near), ("far", far)) for k, volts in enumerate(swept)]
    clipped = [abs(found[f"clipped{k}"] - min(max(volts, -0.5), 0.5)) for k, volts in points]
    above = [abs(found[f"above{k}"] - max(volts, 0)) for k, volts in points if volts <= 0.51]
    return [1e3 * max(clipped), 1e3 * max(above)]


def rows(header):
    """Corner, temperature and numbers of each row of the table that begins with these words."""
    lines = iter(PAGE.read_text().splitlines())
    assert any(line.startswith(header) for line in lines), header
    next(lines)
    found = []
    for line in lines:
        if not line.startswith("|"):
            break
        corner, celsius, *numbers = (cell.strip() for cell in line.strip("|").split("|"))
        found.append((corner, float(celsius), [float(part) for cell in numbers for part in cell.split(" / ")]))
    return found


TABLES = {
    "| corner | °C | gain": amplifier,
    "| corner | °C | reference": branches,
    "| corner | °C | transconductance": lambda **conditions: [*transconductor(**conditions), *limiters(**conditions)],
}


@pytest.mark.parametrize("header", TABLES)
def test_the_page_says_what_each_corner_does(header):
    said = rows(header)
    assert [(corner, celsius) for corner, celsius, _ in said] == [
        *((corner, 27.0) for corner in ("tt", "ff", "ss", "fs", "sf")),
        ("ss", -40.0),
        ("ff", 85.0),
    ]
    for corner, celsius, numbers in said:
        assert numbers == pytest.approx(TABLES[header](corner=corner, temperature_c=celsius), rel=0.02, abs=0.06)
