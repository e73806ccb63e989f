"""Wires without a device on them: the same circuit with fewer nodes, but not where crosspoints have capacitances."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from circuits import LINE, crossbar_design

from kanspice.engine.netlist.wires import WireText

OHMS = {"row_ohm": 100.0, "column_ohm": 10.0, "driver_ohm": 1.0}


def wires(areas, *, every_node=False):
    """Of areas (rows, pairs), whose signs say in which column of a pair the device is."""
    crossbar = replace(crossbar_design([LINE], np.array(areas)[:, :, None]).crossbars[0], **OHMS)
    return WireText(crossbar, [f"x{row}" for row in range(crossbar.rows)], every_node=every_node)


def resistors(text):
    return {tuple(line.split()[1:3]): float(line.split()[3]) for line in text.lines()}


def test_segments_without_a_device_between_them_are_one_and_ends_are_left_out():
    text = wires([[-1.0, 2.0], [0.0, 3.0]])
    assert resistors(text) == {
        ("x0", "l1_d0"): 1.0,
        ("x1", "l1_d1"): 1.0,
        ("l1_d0", "l1_r0_1"): 200.0,
        ("l1_r0_1", "l1_r0_2"): 100.0,
        ("l1_d1", "l1_r1_2"): 300.0,
        ("l1_c0n_0", "l1_c0n"): 20.0,
        ("l1_c1p_0", "l1_c1p_1"): 10.0,
        ("l1_c1p_1", "l1_c1p"): 10.0,
    }
    joined = {node for ends in resistors(text) for node in ends}
    assert set(text.inner_nodes) <= joined


def test_over_time_every_crosspoint_has_its_node():
    text = wires([[-1.0, 2.0], [0.0, 3.0]], every_node=True)
    assert len(resistors(text)) == 2 + 2 * 4 + 4 * 2
    assert len(set(text.inner_nodes)) == 2 + 2 * 8
