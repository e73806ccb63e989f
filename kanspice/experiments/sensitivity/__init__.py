"""Which parts of a circuit matter, how far specimens will be off, and which of them is worst."""
