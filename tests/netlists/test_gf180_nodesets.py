"""Where the search for an operating point begins decides how long it takes, and not where it ends."""

from __future__ import annotations

import pytest
from gf180 import measured

pytestmark = [pytest.mark.ngspice, pytest.mark.pdk]

LEVELS = "vlow low 0 -0.5\nvhigh high 0 0.5\n"
INPUTS_V = (-0.9, -0.45, -0.2, 0.0, 0.15, 0.4, 0.6, 0.9)


def nodesets(name, volts):
    """Of a limiter, from what is known beforehand: its output, to 5 mV."""
    held = min(max(volts, -0.5), 0.5)
    gate = held + 0.8 if abs(volts) < 0.5 else (1.64 if volts > 0 else -1.64)
    upper = f" v({name}.xselect.gate_p)=-0.5 v({name}.xselect.gate_n)=-1.6" if volts > 0.5 else ""
    return f".nodeset v(o{name})={held + 0.005} v({name}.held)={held + 0.005} v({name}.gate)={gate}{upper}\n"


def outputs(hint):
    limiters = "".join(
        f"v{k} in{k} 0 {volts}\nxc{k} in{k} oxc{k} low high vdd vss gf180_clip\n{hint(f'xc{k}', volts)}"
        for k, volts in enumerate(INPUTS_V)
    )
    prints = "".join(f"let out{k}=v(oxc{k})\nprint out{k}\n" for k in range(len(INPUTS_V)))
    found = measured("opamp clip", LEVELS + limiters, f"op\n{prints}rusage totiter\n")
    return [found[f"out{k}"] for k in range(len(INPUTS_V))], found["iterations"]


def test_limiters_whose_outputs_are_known_take_a_few_iterations():
    there, few = outputs(nodesets)
    alone, many = outputs(lambda name, volts: "")
    assert there == pytest.approx(alone, abs=1e-6)
    assert few < 40 < many
