"""A compiled circuit's answers, or what the analyses of a netlist from elsewhere give, without a network beside it."""
