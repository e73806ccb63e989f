"""The engine that is the simulator ngspice, and the only place that starts it: batch runs, raw files, diagnosis."""
