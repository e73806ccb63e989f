"""Design -> SPICE netlist; pure functions."""

from kanspice.netlist.cells import check_shared
from kanspice.netlist.emit import build_netlist
from kanspice.netlist.fidelity import Fidelity, check_fidelity, fidelities
from kanspice.netlist.names import place_of
from kanspice.netlist.netlist import CIRCUIT, Netlist

__all__ = [
    "CIRCUIT",
    "Fidelity",
    "Netlist",
    "build_netlist",
    "check_fidelity",
    "check_shared",
    "fidelities",
    "place_of",
]
