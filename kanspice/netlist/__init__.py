"""Design -> SPICE netlist; pure functions."""

from kanspice.netlist.emit import build_netlist
from kanspice.netlist.names import place_of
from kanspice.netlist.netlist import CIRCUIT, Netlist

__all__ = ["CIRCUIT", "Netlist", "build_netlist", "place_of"]
