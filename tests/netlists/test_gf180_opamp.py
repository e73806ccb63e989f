"""The operational amplifier of GF180 transistors does what its comment says."""

from __future__ import annotations

import math
import statistics
from functools import cache

import pytest
from gf180 import measured

from kanspice.subcircuits.amplifier import own_amplifier, own_netlist
from kanspice.subcircuits.process import Models

pytestmark = [pytest.mark.ngspice, pytest.mark.pdk]

OPEN_LOOP = """
vac ip 0 dc 0 ac 1
xa ip ia oa vdd vss gf180_opamp
la ia oa 1g
ca ia 0 1g
cl oa 0 10p
"""
AC = """
ac dec 20 10 100meg
meas ac gain find vdb(oa) at=10
meas ac gbw when vdb(oa)=0
meas ac phase find vp(oa) when vdb(oa)=0
"""
FOLLOWER = """
vf in 0 dc 0 pulse(-0.4 0.4 1u 1n 1n 4u 10u)
vddf vddf 0 1.65
xf in out out vddf vss gf180_opamp
cf out 0 10p
iload out 0 0
"""
STATIC = """
op
let supply=-i(vddf)
let offset=v(out)
print supply offset
dc vf -1 1.5 0.05
let error=v(out)-v(in)
meas dc lowest find error at=-0.95
meas dc highest find error at=1.5
meas dc low find error at=-0.75
meas dc nearly_low find error at=-0.6
meas dc high find error at=1.3
"""


@cache
def closed_and_open():
    return measured("opamp", OPEN_LOOP + FOLLOWER, AC + STATIC)


def phase_margin(found):
    return 180 + math.degrees(found["phase"])


def test_gain_bandwidth_and_phase_margin_with_10_pf():
    found = closed_and_open()
    assert found["gain"] == pytest.approx(102.1, abs=0.5)
    assert found["gbw"] == pytest.approx(7.54e6, rel=0.02)
    assert phase_margin(found) == pytest.approx(69.9, abs=1)


def test_gain_into_10_kohm():
    found = measured("opamp", OPEN_LOOP + "rl oa 0 10k", AC)
    assert found["gain"] == pytest.approx(70.9, abs=0.5)


def test_offset_supply_and_range_of_a_follower():
    found = closed_and_open()
    assert found["offset"] == pytest.approx(-66e-6, abs=5e-6)
    assert found["supply"] == pytest.approx(104.3e-6, rel=0.01)
    assert max(abs(found["lowest"]), abs(found["highest"])) < 1e-3
    assert max(abs(found["low"]), abs(found["high"])) < 0.2e-3
    assert abs(found["nearly_low"] - found["offset"]) < 5e-6


def test_slew_rates():
    found = measured(
        "opamp",
        FOLLOWER,
        """tran 5n 9u
        meas tran rise trig v(out) val=-0.2 rise=1 targ v(out) val=0.2 rise=1
        meas tran fall trig v(out) val=0.2 fall=1 targ v(out) val=-0.2 fall=1
        meas tran top max v(out)
        """,
    )
    assert 0.4 / found["rise"] == pytest.approx(5.1e6, rel=0.03)
    assert 0.4 / found["fall"] == pytest.approx(5.0e6, rel=0.03)
    assert found["top"] < 0.43  # no ringing: an overshoot of under 4 %


def test_error_of_a_loaded_output():
    found = measured(
        "opamp",
        FOLLOWER,
        """dc iload -3m 3m 20u
        meas dc sinks_less find v(out) at=-100u
        meas dc sources_less find v(out) at=100u
        meas dc sinks find v(out) at=-3m
        meas dc sources find v(out) at=3m
        """,
    )
    assert found["sources_less"] == pytest.approx(-0.39e-3, rel=0.05)
    assert found["sinks_less"] == pytest.approx(0.11e-3, rel=0.1)
    assert max(abs(found["sources"]), abs(found["sinks"])) < 6e-3


def test_output_reaches_the_supplies():
    inverting = "vi i 0 0\nri i n 100k\nrf n o 200k\nx 0 n o vdd vss gf180_opamp\n"
    found = measured("opamp", inverting, "dc vi -1 1 0.1\nmeas dc top max v(o)\nmeas dc bottom min v(o)")
    assert 1.647 < found["top"] < 1.65
    assert -1.65 < found["bottom"] < -1.647


def offsets_drawn(count, seed):
    copies = "".join(f"x{i} 0 o{i} o{i} vdd vss gf180_opamp\n" for i in range(count))
    prints = "op\n" + "".join(f"let offset{i}=v(o{i})\nprint offset{i}\n" for i in range(count))
    return list(measured("opamp", copies, prints, seed=seed).values())


def test_offset_by_mismatch():
    assert statistics.stdev(offsets_drawn(80, seed=3)) == pytest.approx(1.4e-3, rel=0.2)


def test_a_seed_draws_the_same_offsets_again():
    assert offsets_drawn(3, seed=3) == offsets_drawn(3, seed=3) != offsets_drawn(3, seed=4)


def test_what_resistors_20_percent_off_do_to_the_currents():
    text = own_netlist("gf180", "opamp").read_text()
    high = measured("", FOLLOWER, STATIC, definitions=text.replace(" 290k ", " 348k ").replace(" 2k ", " 2.4k "))
    low = measured("", FOLLOWER, STATIC, definitions=text.replace(" 290k ", " 232k ").replace(" 2k ", " 1.6k "))
    nominal = closed_and_open()["supply"]
    assert high["supply"] / nominal == pytest.approx(0.85, abs=0.01)
    assert low["supply"] / nominal == pytest.approx(1.22, abs=0.01)


def test_transimpedance_amplifiers_in_a_chain_come_to_an_operating_point_by_themselves():
    count = 30
    chain = "vin o0 0 0.5\n" + "".join(
        f"xt{i} 0 c{i} o{i} vdd vss gf180_opamp\nrf{i} o{i} c{i} 100k\nri{i} o{i - 1} c{i} 100k\n"
        for i in range(1, count + 1)
    )
    found = measured("opamp", chain, f"op\nlet last=v(o{count})\nprint last")
    assert found["last"] == pytest.approx(0.5, abs=0.01)


def test_it_is_the_amplifier_of_the_process():
    amplifier = own_amplifier(Models("gf180"))
    assert amplifier.subcircuit.pins == ("inp", "inn", "out", "vdd", "vss")
    assert (amplifier.vdd_v, amplifier.vss_v) == (1.65, -1.65)


def test_noise_of_a_follower():
    found = measured(
        "opamp",
        "vin in 0 0 ac 1\nxf in out out vdd vss gf180_opamp\n",
        "noise v(out) vin dec 10 1 10meg\nsetplot noise1\n"
        "let flicker=onoise_spectrum[30]*1e9\nlet white=onoise_spectrum[55]*1e9\nprint flicker white",
    )
    assert found["flicker"] == pytest.approx(119, rel=0.05)  # nV / sqrt(Hz) at 1 kHz
    assert found["white"] == pytest.approx(17, rel=0.05)  # and at 316 kHz


@pytest.mark.parametrize(("column", "feedback"), [("0.5p", "0.2p"), ("3p", "0.7p")])
def test_phase_margin_of_a_transimpedance_amplifier(column, feedback):
    found = measured(
        "opamp",
        f"""vin in 0 ac 1
        xt 0 col out vdd vss gf180_opamp
        cl out 0 1p
        lbreak out back 1g
        cbreak back in 1g
        rf back col 100k
        cf back col {feedback}
        ccol col 0 {column}
        """,
        "ac dec 20 1k 100meg\nmeas ac phase find vp(out) when vdb(out)=0 cross=1\n",
    )
    assert math.degrees(found["phase"]) == pytest.approx(55, abs=2)


@pytest.mark.parametrize("sweep", ["-1.65 1.65 0.05", "1.65 -1.65 -0.05"])
def test_a_follower_comes_back_from_either_supply(sweep):
    found = measured(
        "opamp", FOLLOWER, f"dc vf {sweep}\nmeas dc low find v(out) at=-0.9\nmeas dc high find v(out) at=1.4\n"
    )
    assert (found["low"], found["high"]) == (pytest.approx(-0.9, abs=1e-3), pytest.approx(1.4, abs=1e-3))
