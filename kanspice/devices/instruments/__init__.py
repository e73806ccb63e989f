"""Current-voltage tables as instruments write them: found in their files, in their units, sorted into sweeps."""
