"""Standard benches for operational amplifiers, run in ngspice, and the figures that they give."""
