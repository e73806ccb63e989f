"""Memory that a simulation takes, and that there is not."""

from __future__ import annotations

from kanspice.base.errors import SimulatorError


class NoRoomError(SimulatorError):
    """The simulation was not begun: what it would take is more than there is."""
