"""Design -> hierarchical SPICE netlist, built with PySpice; pure functions."""

from kanspice.netlist.cells import Fidelity, check_shared
from kanspice.netlist.emit import build_netlist
from kanspice.netlist.names import place_of
from kanspice.netlist.netlist import CIRCUIT, Netlist

__all__ = ["CIRCUIT", "Fidelity", "Netlist", "build_netlist", "check_shared", "place_of"]
