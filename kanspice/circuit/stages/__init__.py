"""The kinds of stages: each a frozen bundle of arrays in SI units that knows what it should do, and at most can.

A kind is one file here and one line of `Stage`. What is asked of every stage (`fits`, `ideal_v`, `largest_v`,
`device_count`, `lasts_s`, and `is_behavioural`: whether it is its formula, and no circuit) it has itself: type checks
fail where one of the union has not got it. Every other room has one `match` for each of its verbs, which ends in
`assert_never`: type checks fail where a kind is forgotten there.

Nothing here knows SPICE or torch.
"""

from kanspice.circuit.stages.absence import not_among
from kanspice.circuit.stages.crossbar import Crossbar
from kanspice.circuit.stages.digital_layer import DigitalLayer
from kanspice.circuit.stages.filter_bank import FilterBank
from kanspice.circuit.stages.held_sum import HeldSum
from kanspice.circuit.stages.layer_norm import LayerNorm
from kanspice.circuit.stages.limiter import Limiter
from kanspice.circuit.stages.ode_period import OdePeriod
from kanspice.circuit.stages.read_out import ReadOut
from kanspice.circuit.stages.synapse_bank import SynapseBank

Stage = Limiter | Crossbar | LayerNorm | OdePeriod | HeldSum | ReadOut | DigitalLayer | FilterBank | SynapseBank
"""All kinds."""
Connections = FilterBank | SynapseBank
"""Those whose every connection is a circuit with parameters of its own."""

__all__ = [
    "Connections",
    "Crossbar",
    "DigitalLayer",
    "FilterBank",
    "HeldSum",
    "LayerNorm",
    "Limiter",
    "OdePeriod",
    "ReadOut",
    "Stage",
    "SynapseBank",
    "not_among",
]
