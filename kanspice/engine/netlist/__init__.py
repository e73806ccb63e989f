"""Design -> SPICE netlist; pure functions."""

from kanspice.engine.netlist.emit import build_netlist
from kanspice.engine.netlist.names import place_of
from kanspice.engine.netlist.netlist import CIRCUIT, Netlist

__all__ = ["CIRCUIT", "Netlist", "build_netlist", "place_of"]
