"""Reference, differential pair, transconductor, switch, rectifier and transmission gate of GF180 transistors: each does
what its comment says."""

from __future__ import annotations

import math
import statistics

import pytest
from gf180 import measured

from kanspice.subcircuits.amplifier import own_netlist

pytestmark = [pytest.mark.ngspice, pytest.mark.pdk]

REFERENCE = "xref nbias pbias vdd vss gf180_current_reference\n"
UNITS = REFERENCE + (
    "xn dn nbias vss vss nfet_03v3 w=2u l=8u\nvn dn 0 0\nxp dp pbias vdd vdd pfet_03v3 w=4u l=8u\nvp dp 0 0\n"
)
CURRENTS = "op\nlet sunk=-i(vn)*1e6\nlet sourced=i(vp)*1e6\nprint sunk sourced\n"
PAIR = REFERENCE + "vin in 0 0\nxpair in 0 push pull nbias pbias vdd vss gf180_pair\nvpush push 0 0\nvpull pull 0 0\n"
SWITCH = REFERENCE + "xs in out nbias vdd vss gf180_switch\n"
GATE = "xt a b on onb vdd vss gf180_transmission_gate\n"


def read_at(name, points):
    return "".join(f"meas dc at{k} find {name} at={point}\n" for k, point in enumerate(points))


def listed(found, points):
    return [found[f"at{k}"] for k in range(len(points))]


def drawn(circuits, copy, value, count, seed=2):
    """A value of each of many copies that mismatch makes different; `#` is its number."""
    copies = "".join(copy.replace("#", str(k)) for k in range(count))
    prints = "".join(f"let of{k}={value.replace('#', str(k))}\nprint of{k}\n" for k in range(count))
    return list(measured(circuits, REFERENCE + copies, "op\n" + prints, seed=seed).values())


@pytest.mark.parametrize(
    ("corner", "temperature_c", "rail_v", "microamps"),
    [
        ("tt", 27.0, 1.65, 1.00),
        ("tt", -40.0, 1.65, 0.66),
        ("tt", 85.0, 1.65, 1.37),
        ("tt", 27.0, 1.8, 1.006),
        ("ss", -40.0, 1.2, 0.66),
    ],
)
def test_the_reference_gives_a_microampere_to_units(corner, temperature_c, rail_v, microamps):
    found = measured("current_reference", UNITS, CURRENTS, corner=corner, temperature_c=temperature_c, rail_v=rail_v)
    assert found["sunk"] == pytest.approx(microamps, rel=0.01)
    assert found["sourced"] == pytest.approx(found["sunk"], rel=0.015)


@pytest.mark.parametrize(("corner", "temperature_c"), [("tt", 27.0), ("ss", -40.0), ("ff", 85.0)])
def test_the_reference_starts_when_its_supply_does(corner, temperature_c):
    ramp = UNITS.replace("pbias vdd vss", "pbias up vss").replace("vdd vdd pfet", "up up pfet")
    found = measured(
        "current_reference",
        ramp + "vup up 0 pulse(-1.65 1.65 1u 10u)\n",
        "tran 0.1u 20u uic\nlet sunk=-i(vn)*1e6\nmeas tran final find sunk at=19u\n",
        corner=corner,
        temperature_c=temperature_c,
    )
    assert found["final"] == pytest.approx(
        measured("current_reference", UNITS, CURRENTS, corner=corner, temperature_c=temperature_c)["sunk"], rel=0.01
    )


def test_the_reference_follows_its_resistor():
    text = own_netlist("gf180", "current_reference").read_text()
    low, high = (
        measured("", UNITS, CURRENTS, definitions=text.replace(" 108k ", ohms))["sunk"]
        for ohms in (" 86.4k ", " 129.6k ")
    )
    assert (low, high) == (pytest.approx(1.46, abs=0.02), pytest.approx(0.75, abs=0.02))


INPUTS_V = (-0.3, -0.2, -0.1, -0.05, -0.02, 0.0, 0.02, 0.05, 0.1, 0.2, 0.3)


@pytest.mark.parametrize(
    ("corner", "temperature_c", "scale_v"), [("tt", 27.0, 0.0823), ("ss", -40.0, 0.0672), ("ff", 85.0, 0.0949)]
)
def test_the_pair_is_a_tanh_between_two_nodes(corner, temperature_c, scale_v):
    sweep = "dc vin -0.3 0.31 0.01\nlet up=i(vpush)*1e6\nlet down=i(vpull)*1e6\n"
    pushed, pulled = (
        listed(
            measured(
                "current_reference pair",
                PAIR,
                sweep + read_at(name, INPUTS_V),
                corner=corner,
                temperature_c=temperature_c,
            ),
            INPUTS_V,
        )
        for name in ("up", "down")
    )
    full = (pushed[-1] - pushed[0]) / 2
    for volts, up, down in zip(INPUTS_V, pushed, pulled, strict=True):
        assert up == pytest.approx(full * math.tanh(volts / scale_v), abs=0.013 * full)
        assert up + down == pytest.approx(0, abs=0.01 * full)


def test_several_pairs_in_parallel():
    bench = PAIR.replace("vin in 0 0", "vin in 0 0.3").replace("gf180_pair", "gf180_pair m=3")
    found = measured("current_reference pair", bench, "op\nlet up=i(vpush)*1e6\nprint up")
    assert found["up"] == pytest.approx(3.0, rel=0.01)


def test_what_a_node_s_voltage_is_worth_at_the_pair_s_input():
    sweep = "dc vpush -0.5 0.5 0.1\nlet up=i(vpush)*1e6\n" + read_at("up", (-0.5, 0.5))
    low, high = listed(measured("current_reference pair", PAIR, sweep), (0, 1))
    assert (low - high) / 2 / (1.0 / 0.087) == pytest.approx(1.5e-3, rel=0.25)


def test_mismatch_of_the_pair():
    copy = "xa# 0 0 u# d# nbias pbias vdd vss gf180_pair\nvu# u# 0 0\nvd# d# 0 0\n"
    offsets = drawn("current_reference pair", copy, "(i(vu#)-i(vd#))/2*1e6", 60)
    assert statistics.stdev(offsets) * 0.087 == pytest.approx(1.7e-3, rel=0.25)


def test_the_transconductor():
    bench = REFERENCE + "vin in 0 0\nxa in 0 out nbias vdd vss gf180_ota\nvout out 0 0\n"
    sweep = "dc vin -0.3 0.31 0.01\nlet flows=i(vout)*1e6\n" + read_at("flows", INPUTS_V)
    found = listed(measured("current_reference ota", bench, sweep), INPUTS_V)
    assert found == pytest.approx([2 * math.tanh(volts / 0.0834) for volts in INPUTS_V], abs=0.03)


def test_the_transconductor_as_an_amplifier():
    found = measured(
        "current_reference ota",
        REFERENCE
        + "xa in minus out nbias vdd vss gf180_ota\nvin in 0 0 ac 1\nlx minus out 1g\ncx minus 0 1g\ncl out 0 1p\n",
        "op\nlet offset=v(out)\nprint offset\nac dec 20 10 100meg\nmeas ac gain find vdb(out) at=10\n"
        "meas ac gbw when vdb(out)=0\nmeas ac phase find vp(out) when vdb(out)=0",
    )
    assert found["gain"] == pytest.approx(66.8, abs=0.5)
    assert found["gbw"] == pytest.approx(3.45e6, rel=0.03)
    assert 180 + math.degrees(found["phase"]) == pytest.approx(61.5, abs=2)
    assert found["offset"] == pytest.approx(-0.34e-3, rel=0.1)


@pytest.mark.parametrize(
    ("corner", "temperature_c", "out_v"),
    [("tt", 27.0, -0.5), ("tt", 27.0, 0.0), ("tt", 27.0, 0.5), ("fs", 85.0, 0.5), ("sf", -40.0, -0.5)],
)
def test_the_switch_conducts_one_way(corner, temperature_c, out_v):
    bench = SWITCH + f"vdrive drive 0 0\nrg drive in 100k\nvout out 0 {out_v}\n"
    points = [out_v - 0.45, out_v - 0.1, out_v - 0.01, out_v, out_v + 0.1, out_v + 0.4]
    sweep = "dc vdrive -1 1 0.01\nlet flows=i(vout)*1e6\n" + read_at("flows", points)
    found = listed(
        measured("current_reference switch", bench, sweep, corner=corner, temperature_c=temperature_c), points
    )
    assert found[:4] == pytest.approx([0, 0, 0, 0], abs=1e-3)
    drops_v = [0.1 - 0.1 * found[4], 0.4 - 0.1 * found[5]]
    assert all(0.0055 < drop < 0.0125 for drop in drops_v)
    assert drops_v[1] - drops_v[0] < 0.5e-3


def test_what_the_switch_drops_and_how_much_of_it_is_mismatch():
    found = drawn("current_reference switch", "i# 0 x# 1u\nxs# x# 0 nbias vdd vss gf180_switch\n", "v(x#)*1e3", 60)
    assert statistics.mean(found) == pytest.approx(9.1, abs=0.7)
    assert statistics.stdev(found) == pytest.approx(1.9, rel=0.25)
    assert min(found) > 0  # it never conducts backwards


def test_the_switch_in_time():
    found = measured(
        "current_reference switch",
        f"{SWITCH}.options method=gear\nrg drive in 100k\ncin in 0 0.5p\nvout out 0 0\n"
        "vdrive drive 0 pulse(-0.4 0.4 1u 1n 1n 2u 6u)\n",
        "tran 5n 5u\nlet flows=i(vout)*1e6\nmeas tran soon find flows at=1.15u\nmeas tran on find flows at=2.9u\n"
        "meas tran off find flows at=3.3u\n",
    )
    assert found["on"] == pytest.approx(3.91, abs=0.02)
    assert found["soon"] == pytest.approx(found["on"], rel=0.05)
    assert found["off"] == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize(
    ("corner", "temperature_c", "highest_v"), [("tt", 27.0, 1.0), ("ss", -40.0, 0.9), ("ff", 85.0, 1.0)]
)
def test_the_rectifier(corner, temperature_c, highest_v):
    bench = "vin in 0 0\nxr in out 0 vdd vss gf180_rectifier\nrl out 0 20k\n"
    points = (-1.6, -0.5, -0.1, -0.01, 0.01, 0.1, 0.3, 0.5, 0.8, highest_v)
    found = measured(
        "opamp clip rectifier",
        bench,
        "dc vin -1.65 1.05 0.01\n" + read_at("v(out)", points),
        corner=corner,
        temperature_c=temperature_c,
    )
    assert listed(found, points) == pytest.approx([max(volts, 0) for volts in points], abs=0.4e-3)


def on_ohm(volts, **conditions):
    bench = f"{GATE}va a 0 {volts + 0.005}\nvb b 0 {volts - 0.005}\nvon on 0 1.65\nvoff onb 0 -1.65\n"
    return 0.01 / measured("transmission_gate", bench, "op\nlet flows=-i(va)\nprint flows", **conditions)["flows"]


def test_the_transmission_gate_on_and_off():
    assert [on_ohm(volts) for volts in (-0.5, 0.0, 0.5)] == pytest.approx([2330, 2860, 4720], rel=0.02)
    assert on_ohm(0.5, corner="ss", temperature_c=85.0) == pytest.approx(7450, rel=0.02)
    off = measured(
        "transmission_gate", "va a 0 0.5\nvb b 0 -0.5\nxt a b vss vdd vdd vss gf180_transmission_gate\n",
        "op\nlet picoamps=-i(va)*1e12\nprint picoamps", corner="ff", temperature_c=85.0,
    )  # fmt: skip
    assert abs(off["picoamps"]) < 1.1


@pytest.mark.parametrize(("volts", "left_mv"), [(-0.5, -0.70), (0.0, -0.04), (0.5, 0.64)])
def test_the_charge_that_the_transmission_gate_leaves(volts, left_mv):
    bench = (
        f"{GATE}.options method=gear\nva a 0 {volts}\ncb b 0 1p\n"
        "von on 0 pulse(1.65 -1.65 0.1u 1n 1n 1u 5u)\nvonb onb 0 pulse(-1.65 1.65 0.1u 1n 1n 1u 5u)\n"
    )
    found = measured(
        "transmission_gate",
        bench,
        f"tran 0.2n 0.3u\nlet moved=(v(b)-({volts}))*1e3\nmeas tran left find moved at=0.25u",
    )
    assert found["left"] == pytest.approx(left_mv, abs=0.05)
