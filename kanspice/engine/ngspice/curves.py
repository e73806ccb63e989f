"""A curve as ngspice evaluates it."""

from __future__ import annotations

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.spice_numbers import spice_number
from kanspice.devices import Curve
from kanspice.engine.ngspice.deck import NORMAL, sweep_deck
from kanspice.engine.ngspice.process import RAW_FILE, run_deck
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.engine.simulators.curve_check import scale_of
from kanspice.engine.simulators.process import working_folder
from kanspice.engine.simulators.raw import read_plots

_LARGEST_BLOCK = 512
"""Points per process: ngspice looks for its place in their table from the beginning."""


def sweep_curve(curve: Curve, volts: Array, timeout_at: float | None) -> Array:
    """As `Engine.sweep_curve`. Raises SimulatorError where ngspice is missing."""
    parts = np.array_split(volts, -(-len(volts) // _LARGEST_BLOCK))
    scale = scale_of(curve.numpy(volts)[0])
    return np.concatenate([_swept(curve, scale, part, timeout_at) for part in parts])


def _swept(curve: Curve, scale: float, volts: Array, timeout_at: float | None) -> Array:
    """NaN where there is no current."""
    program = find_ngspice()
    with working_folder() as folder:
        scaled = f"{spice_number(scale)}*({curve.spice('v(x)')})"
        (folder / "circuit.cir").write_text(f"By y 0 v={scaled}\n", encoding="ascii")
        deck = sweep_deck(["x"], volts[:, None], ["y"], NORMAL)
        (folder / "run.cir").write_text(deck, encoding="ascii")
        run_deck(program, folder, "run.cir", deadline=timeout_at)
        plots = read_plots(folder / RAW_FILE)
    if len(plots) != 1 or "v(y)" not in plots[0].vectors or len(plots[0].table) != len(volts):
        return np.full(len(volts), np.nan)
    return np.asarray(plots[0].table[:, plots[0].vectors.index("v(y)")], dtype=np.float64) / scale
