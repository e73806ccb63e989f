"""An amplifier's figures, measured."""

from __future__ import annotations

from kanspice.engine.ngspice.characterise.benches import Benches
from kanspice.engine.ngspice.characterise.static import measure_static
from kanspice.subcircuits.amplifier import Amplifier
from kanspice.subcircuits.characterisation import Characterisation, Load


def characterised(amplifier: Amplifier, load: Load | None = None) -> Characterisation:
    """Figures at rest and for small signals, in a second or two.

    What takes transients, noise and draws is not in it. Raises as `measure_static` does.
    """
    return measure_static(Benches(amplifier, load or Load())).figures
