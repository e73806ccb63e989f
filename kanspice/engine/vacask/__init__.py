"""The VACASK simulator: designs in Verilog-A and its own netlist language, written apart from ngspice's netlists."""
