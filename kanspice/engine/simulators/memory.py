"""Whether a circuit fits into this machine, and what it will take, said before a simulator is started."""

from __future__ import annotations

from kanspice.base.process_memory import available_bytes
from kanspice.engine.memory import NoRoomError
from kanspice.engine.netlist import Netlist
from kanspice.engine.progress import Advance, Progress

_WORTH_SAYING_S = 1.0


def announce(engine: str, netlist: Netlist, processes: int, progress: Progress | None) -> None:
    """Tells what so many processes will take. Raises NoRoomError where that is more than is available."""
    needed, available = processes * netlist.simulator_bytes, available_bytes()
    if available is not None and needed > available:
        others = f", in each of {processes} processes" if processes > 1 else ""
        raise NoRoomError(
            "the circuit does not fit into this machine's memory",
            where=engine,
            expected=f"at most {available / 1e9:.3g} GB, which are available",
            found=f"about {netlist.simulator_bytes / 1e9:.3g} GB for {netlist.elements:,} elements{others}",
            hint="--engine batched" + (", or fewer --jobs" if processes > 1 else ""),
        )
    if progress is not None:
        progress(Advance(0, needed, first_s=netlist.first_s if netlist.first_s >= _WORTH_SAYING_S else 0.0))
