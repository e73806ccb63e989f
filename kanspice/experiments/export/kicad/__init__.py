"""One part of a circuit as a KiCad project: a sheet to look at, simulate and build, and what it is built of."""
