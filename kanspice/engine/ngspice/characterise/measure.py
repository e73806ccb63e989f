"""An amplifier's figures, measured."""

from __future__ import annotations

import time
from dataclasses import dataclass

from kanspice.engine.ngspice.characterise.benches import Benches
from kanspice.engine.ngspice.characterise.noise import NoiseDensity, measure_noise, measure_offsets
from kanspice.engine.ngspice.characterise.states import ColumnStates, measure_states
from kanspice.engine.ngspice.characterise.static import Static, measure_static
from kanspice.engine.ngspice.characterise.steps import Steps, measure_steps
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.subcircuits.amplifier import Amplifier
from kanspice.subcircuits.characterisation import Characterisation, Load


@dataclass(frozen=True)
class MeasuredAmplifier:
    """All figures of an amplifier, and the curves that they are read from."""

    benches: Benches
    figures: Characterisation
    static: Static
    steps: Steps
    noise: NoiseDensity | None
    states: ColumnStates | str
    """Of a column; or why there are none."""
    engine_version: str
    wall_s: float


def characterised(amplifier: Amplifier, load: Load | None = None) -> Characterisation:
    """Figures at rest and for small signals, in a second or two.

    What takes transients, noise and draws is not in it. Raises as `measure_static` does.
    """
    return measure_static(Benches(amplifier, load or Load())).figures


def measure(amplifier: Amplifier, load: Load, *, draws: int, seed: int) -> MeasuredAmplifier:
    """All figures. draws: of amplifiers that differ as their process's statistics say. Raises as `measure_static`."""
    started = time.monotonic()
    benches = Benches(amplifier, load)
    static = measure_static(benches)
    figures, steps = measure_steps(benches, static.figures)
    figures, noise = measure_noise(benches, figures)
    figures = measure_offsets(benches, figures, draws, seed)
    states = measure_states(benches, figures)
    version = find_ngspice().version_text.removeprefix("ngspice-")
    return MeasuredAmplifier(benches, figures, static, steps, noise, states, version, time.monotonic() - started)
