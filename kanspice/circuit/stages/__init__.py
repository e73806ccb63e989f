"""The kinds of stages: each a frozen bundle of arrays in SI units that knows what it should do, and at most can.

A kind is one file here and its name in the sort of circuits that it stands in. What is asked of every stage (`fits`,
`ideal_v`, `largest_v`, `device_count`, `unknowns`, `lasts_s`, `amplifies_rounding`, and `is_behavioural`: whether it is
its formula, and no circuit) it has itself: type checks fail where one of the union has not got it. Every other room has
one `match` for each of its verbs, which ends in `assert_never`: type checks fail where a kind is forgotten there. What
is done with one sort of circuits only names the kinds of that sort: `Design.chain` and its like give no others.

Nothing here knows SPICE or torch.
"""

from kanspice.circuit.stages.average import Average
from kanspice.circuit.stages.crossbar import Crossbar
from kanspice.circuit.stages.differential_pairs import DifferentialPairs
from kanspice.circuit.stages.digital_layer import DigitalLayer
from kanspice.circuit.stages.drivers import Drivers
from kanspice.circuit.stages.filter_bank import FilterBank
from kanspice.circuit.stages.held_sum import HeldSum
from kanspice.circuit.stages.layer_norm import LayerNorm
from kanspice.circuit.stages.limiter import Limiter
from kanspice.circuit.stages.ode_period import OdePeriod
from kanspice.circuit.stages.read_out import ReadOut
from kanspice.circuit.stages.rectifier import Rectifier
from kanspice.circuit.stages.synapse_bank import SynapseBank
from kanspice.circuit.stages.tiles import Tiles

InputStage = Limiter | Rectifier | DifferentialPairs
"""Those that stand before a layer's array, and drive its rows."""
ChainStage = InputStage | Drivers | Crossbar | LayerNorm
"""Those of a chain of crossbars, which settles to an operating point."""
Connections = FilterBank | SynapseBank
"""Those whose every connection is a circuit with parameters of its own."""
PointStage = ChainStage | Connections | Average
"""Those of a circuit whose answer is an operating point, or what filters settle to."""
NetlistStage = PointStage | Tiles
"""Those of a netlist whose answer is one; engines that write none solve tiles part by part."""
ToneStage = Limiter | FilterBank
"""Those of a circuit that is solved for sinusoids."""
PeriodStage = OdePeriod | HeldSum | ReadOut | DigitalLayer
"""Those of a circuit whose answers are voltages after a time."""
Stage = NetlistStage | PeriodStage
"""All kinds."""

__all__ = [
    "Average",
    "ChainStage",
    "Connections",
    "Crossbar",
    "DifferentialPairs",
    "DigitalLayer",
    "Drivers",
    "FilterBank",
    "HeldSum",
    "InputStage",
    "LayerNorm",
    "Limiter",
    "NetlistStage",
    "OdePeriod",
    "PeriodStage",
    "PointStage",
    "ReadOut",
    "Rectifier",
    "Stage",
    "SynapseBank",
    "Tiles",
    "ToneStage",
]
