"""kanspice: from a trained analogue network to a measured sim-to-real gap."""
