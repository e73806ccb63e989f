"""Circuit-level choices and imperfections, and the files that they are read from."""

from kanspice.technology.loading import load_technology, shipped_technologies
from kanspice.technology.sections import CrossbarDevices, Filters, Synapses, Tia, Units
from kanspice.technology.technology import Entry, Technology, entries, shown
from kanspice.technology.text import technology_text

__all__ = [
    "CrossbarDevices",
    "Entry",
    "Filters",
    "Synapses",
    "Technology",
    "Tia",
    "Units",
    "entries",
    "load_technology",
    "shipped_technologies",
    "shown",
    "technology_text",
]
