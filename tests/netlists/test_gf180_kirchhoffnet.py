"""The cells of a KirchhoffNet of GF180 transistors do what their comments, and `CELLS`, say."""

from __future__ import annotations

import pytest
from gf180 import measured

from kanspice.circuit.transistor_branches import CELLS

pytestmark = [pytest.mark.ngspice, pytest.mark.pdk]

GF180 = CELLS["gf180"]
BIAS = """
iref vdd reference 50n
xbias reference bias cascode_n cascode_p vdd vss gf180_kn_bias
"""
PAIR = (
    BIAS
    + """
vg gate 0 0
xpair gate more less bias cascode_n vss gf180_kn_pair
vmore more 0 0.8
vless less 0 0.8
"""
)
TANH = f"""
dc vg -0.7 0.7 1m
let y=(i(vless)-i(vmore))/50n
let slope=deriv(y)
let off=abs(y-tanh({GF180.slope_per_v}*v(gate)))
let tail=-(i(vless)+i(vmore))
meas dc steepest max slope
meas dc steepest_down min slope
meas dc farthest max off
meas dc tail_low min tail
meas dc tail_high max tail
"""
COLLECTOR = (
    BIAS
    + """
imore more 0 3u
iless less 0 2u
xcollector more less node cascode_n cascode_p vdd vss gf180_kn_collector
vnode node 0 0
"""
)
COPIES = """
dc vnode -0.75 0.75 0.05
meas dc lowest min i(vnode)
meas dc highest max i(vnode)
"""
LINES = """
vnode node 0 0
xlines node plus minus vdd vss gf180_kn_lines
rplus plus 0 30k
rminus minus 0 30k
"""
GAINS = f"""
dc vnode -{GF180.reach_v} {GF180.reach_v} 0.05
let off_plus=abs(v(plus)-{GF180.line_gain}*v(node))
let off_minus=abs(v(minus)+{GF180.line_gain}*v(node))
meas dc plus max off_plus
meas dc minus max off_minus
"""


@pytest.mark.parametrize("unit_a", [GF180.unit_a, GF180.largest_unit_a])
def test_a_pair_is_a_tanh_of_the_slope_that_weights_are_made_for(unit_a):
    times = unit_a / GF180.unit_a
    bench, commands = PAIR.replace("50n", f"{unit_a}"), TANH.replace("50n", f"{unit_a}")
    found = measured("kn_pair kn_bias", bench, commands)
    slope = max(abs(found["steepest"]), abs(found["steepest_down"]))
    assert slope == pytest.approx(GF180.slope_per_v, rel=0.01 if times == 1 else 0.04)
    assert found["farthest"] < (0.01 if times == 1 else 0.03)
    assert found["tail_high"] / found["tail_low"] < 1.003


def test_a_collector_takes_the_difference_to_the_node_wherever_it_stands():
    found = measured("kn_collector kn_bias", COLLECTOR, COPIES)
    assert abs(found["lowest"]) == pytest.approx(1e-6, abs=1.5e-8)
    assert abs(found["highest"]) == pytest.approx(1e-6, abs=1.5e-8)


def test_lines_are_twice_their_node_either_sign_over_its_whole_reach():
    found = measured("opamp kn_lines", LINES, GAINS)
    assert max(found["plus"], found["minus"]) < 2e-3
