"""A compiled circuit in other simulators' languages, with a bench and a receipt: a format is a file in `formats/`."""
