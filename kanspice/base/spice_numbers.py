"""Numbers as SPICE reads them: exact, and never mistaken for a suffix (`1M` is a milli in SPICE)."""

from __future__ import annotations

_LARGEST_SEED = 2**31 - 1


def spice_number(value: float) -> str:
    """The shortest plain decimal text that reads back as exactly `value` (at most 17 digits)."""
    return repr(float(value))


def spice_seed(seed: int) -> int:
    """What ngspice's generator is set to for a seed of ours: it takes 1 to 2^31 - 1, and draws by the clock for others.

    ngspice 39 casts the number to 32 bits, and says of what is not positive then in a warning that it was left out.
    """
    return 1 + seed % _LARGEST_SEED
