"""Circuits of periods for tests: a few branches between node capacitors."""

from __future__ import annotations

import numpy as np
import torch
from circuits import technology

from kanspice.circuit import Design, OdePeriod, ReadOut
from kanspice.circuit.branch_laws import LAWS
from kanspice.families.kirchhoffnet.branches import BRANCHES
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import Topology


def period(
    law, edges, theta, *, nodes=None, duration=1.0, inputs=None, index=1, fill="zeros", v_unit=1.0, farads=1e-12
):
    """edges: (source, destination) pairs. theta: (rows, edges). duration in units of C V_0 / I_0, with I_0 = 1 uA."""
    source, destination = np.asarray(edges, dtype=np.int64).T.copy()
    nodes = nodes or int(max(source.max(), destination.max()))
    theta = np.asarray(theta, dtype=float).reshape(LAWS[law].rows, len(source))
    return OdePeriod(
        name=f"l{index}.period",
        compares_to=f"l{index}.period",
        inputs=nodes if inputs is None else inputs,
        nodes=nodes,
        fill=fill,
        law=law,
        source=source,
        destination=destination,
        theta=theta,
        current_unit_a=1e-6,
        unit_v=v_unit,
        unit_s=farads * v_unit / 1e-6,
        capacitor_f=np.full(nodes, farads),
        period_s=duration * farads * v_unit / 1e-6,
        gain=np.ones(len(source)),
        tail=np.ones(len(source)),
        injected_c=np.zeros(nodes),
        late_on_s=0.0,
        late_off_s=0.0,
    )


def design_of_periods(*periods, start=0, width=None) -> Design:
    """The periods, and a read-out of all nodes unless told which."""
    last = periods[-1]
    readout = ReadOut("readout", "readout", start, width or last.nodes - start, last.unit_v)
    return Design(
        family="kirchhoffnet",
        model_sha256="",
        technology_json=technology().to_json(),
        devices=(),
        input_width=periods[0].inputs,
        input_v_per_unit=periods[0].unit_v,
        swing_basis="none",
        stages=(*periods, readout),
    )


def contracting(times):
    """Conductances of both directions between all nodes, also to ground: what they start with is soon forgotten."""
    generator = torch.Generator().manual_seed(0)
    edges = np.array([(a, b) for a in range(4) for b in range(4) if a != b])
    shift, slope = torch.randn(2, 2, len(edges), generator=generator, dtype=torch.float64)
    thetas = [torch.stack([0.5 * s, 0.5 * times * g.abs()]) for s, g in zip(shift, slope, strict=True)]
    topology = Topology(*edges.T, np.arange(len(edges)), 3)
    return KirchhoffNet([topology] * 2, [0.5] * 2, BRANCHES["ShiftRelu1"](), thetas=thetas).eval()
