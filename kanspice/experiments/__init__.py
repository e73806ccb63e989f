"""What is done with a circuit: verify, compare, settle, study, control, or written down for others to do."""
