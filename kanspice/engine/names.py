"""Which engines there are: names that the command line can offer without loading one."""

from __future__ import annotations

HOMES = {
    "ngspice": "kanspice.engine.ngspice.record",
    "batched": "kanspice.engine.batched.record",
}
"""Name -> the module of its record, `ENGINE`: a new engine is a package and a line here."""
