"""The limiter of GF180 transistors: what it does with inputs anywhere between the supplies."""

from __future__ import annotations

import statistics

import pytest
from gf180 import measured

pytestmark = [pytest.mark.ngspice, pytest.mark.pdk]

BENCH = """
vlow low 0 -0.5
vhigh high 0 0.5
vin in 0 0 ac 1 pulse(-0.8 0.8 1u 1n 1n 5u 12u)
xc in out low high vdd vss gf180_clip
rl out 0 20k
cl out 0 5p
"""
INPUTS_V = (-1.6, -1.0, -0.6, -0.51, -0.49, -0.3, 0.0, 0.3, 0.49, 0.51, 0.6, 1.0, 1.6)


def outputs_v(**conditions):
    points = "".join(f"meas dc at{k} find v(out) at={volts}\n" for k, volts in enumerate(INPUTS_V))
    found = measured("opamp clip", BENCH, "dc vin -1.65 1.65 0.01\n" + points, **conditions)
    return [found[f"at{k}"] for k in range(len(INPUTS_V))]


@pytest.mark.parametrize(
    ("corner", "temperature_c", "within_v"),
    [("tt", 27.0, 0.4e-3), ("fs", -40.0, 0.6e-3), ("sf", 85.0, 0.6e-3)],
)
def test_it_is_the_ideal_limiter_but_for_part_of_a_millivolt(corner, temperature_c, within_v):
    found = outputs_v(corner=corner, temperature_c=temperature_c)
    for volts, output in zip(INPUTS_V, found, strict=True):
        assert output == pytest.approx(min(max(volts, -0.5), 0.5), abs=within_v)


def test_a_step_across_both_levels():
    found = measured(
        "opamp clip",
        BENCH,
        """tran 5n 12u
        meas tran high find v(out) at=5.9u
        meas tran low find v(out) at=11.9u
        meas tran top max v(out)
        meas tran bottom min v(out)
        meas tran rise trig v(in) val=0 rise=1 targ v(out) val=0.49 rise=1
        """,
    )
    assert found["high"] == pytest.approx(0.5, abs=0.5e-3)
    assert found["low"] == pytest.approx(-0.5, abs=0.5e-3)
    assert found["rise"] == pytest.approx(0.8e-6, rel=0.1)
    assert found["top"] < 0.51
    assert -0.72 < found["bottom"] < -0.65  # what its comment says


def test_bandwidth_and_supply():
    found = measured(
        "opamp clip",
        BENCH.replace("xc in out low high vdd", "vddc vddc 0 1.65\nxc in out low high vddc"),
        "op\nlet supply=-i(vddc)\nprint supply\nac dec 20 1k 100meg\nmeas ac bandwidth when vdb(out)=-3",
    )
    assert found["supply"] == pytest.approx(209e-6, rel=0.01)
    assert found["bandwidth"] == pytest.approx(5.0e6, rel=0.03)


@pytest.mark.parametrize("volts", [-0.499, -0.49, -0.45, 0.0])
def test_no_peak_of_its_frequency_response_even_with_wires(volts):
    bench = BENCH.replace("vin in 0 0", f"vin in 0 {volts}") + "cwires xc.held 0 0.1p\n"
    found = measured(
        "opamp clip", bench, "ac dec 20 1k 100meg\nmeas ac peak max vdb(out)\nmeas ac edge when vdb(out)=-3"
    )
    assert found["peak"] < 0.5
    assert found["edge"] > 1e6


def test_offset_by_mismatch_is_that_of_two_amplifiers():
    count = 20
    copies = "vlow low 0 -0.5\nvhigh high 0 0.5\n" + "".join(
        f"xc{i} 0 o{i} low high vdd vss gf180_clip\n" for i in range(count)
    )
    prints = "op\n" + "".join(f"let offset{i}=v(o{i})\nprint offset{i}\n" for i in range(count))
    found = measured("opamp clip", copies, prints, seed=5)
    assert statistics.stdev(found.values()) == pytest.approx(2.0e-3, rel=0.35)
