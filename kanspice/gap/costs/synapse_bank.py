"""Banks of synapses: currents that stand still through memdiodes and loads, and all that drives them."""

from __future__ import annotations

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import SynapseBank
from kanspice.circuit.stages.synapse_bank import BAND_PASS, HIGH_PASS, LOW_PASS, SynapseState, synapse_state
from kanspice.engine.solution import Solution
from kanspice.gap.costs.cost import MeasuredCost, of_powers, quiescent_said
from kanspice.technology import Technology

_BLOCK_NUMBERS = 2**20


def synapse_bank_cost(bank: SynapseBank, before_v: Array, solution: Solution, technology: Technology) -> MeasuredCost:
    """before_v: (samples, rows) of the stage before, which drives the rows."""
    rows_v, rail_v, supply_a = before_v[solution.solved], technology.tia.rail_v, technology.supply.quiescent_a
    gain_ohm, amplifiers = technology.synapses.gain_ohm, amplifier_count(bank)
    delivered_w, driven_a, added_a = signal_powers(bank, rows_v, gain_ohm)
    with np.errstate(over="ignore", invalid="ignore"):
        lost_w = np.maximum(rail_v * driven_a - delivered_w, 0.0)
    parts = {
        "synapses": delivered_w,
        "drivers": lost_w,
        "amplifiers": rail_v * added_a,
        "quiescent": np.full(len(rows_v), 2 * rail_v * supply_a * amplifiers),
    }
    assumptions = (
        "a synapse has one amplifier as gain stage, a row one that drives it and one for every kind of synapse that"
        " takes another voltage than the row's, a synapse with a bias its own, and a sum has one; they have class-AB"
        f" output stages and draw the current that they give from rails of plus and minus {rail_v:g} V (tia.rail_v),"
        f" and {quiescent_said(supply_a)}",
        f"gain stages add through resistors of {gain_ohm:g} ohm for a gain of 1 (synapses.gain_ohm)",
        "squashing stages that are formulas, and digital control, are not counted",
        "an operating point has no duration, and nothing here says how fast synapses are",
    )
    return of_powers(bank.name, parts, devices=bank.device_count, amplifiers=amplifiers, assumptions=assumptions)


def amplifier_count(bank: SynapseBank) -> int:
    """Gain stages, sums, and what drives rows and the inputs of synapses: those of netlists, and one for a bias."""
    exists, inverts = bank.gain != 0, bank.kind != HIGH_PASS
    biased = exists & (bank.input_bias_v != 0)
    shared = exists & ~biased
    inverters = sum(int(np.any(shared & (bank.kind == kind), axis=(1, 2)).sum()) for kind in (LOW_PASS, BAND_PASS))
    own = int(biased.sum() + (biased & inverts).sum())
    return bank.device_count + bank.width + bank.rows + inverters + own


def signal_powers(bank: SynapseBank, rows_v: Array, gain_ohm: float) -> tuple[Array, Array, Array]:
    """Of rows at these voltages (samples, rows), (samples,) each: what is delivered into synapses, watts; the sum of
    the magnitudes of the currents that do, amps; and the same of gain stages' and sums'.
    """
    size = max(1, _BLOCK_NUMBERS // max(bank.gain.size, 1))
    with np.errstate(over="ignore", invalid="ignore"):  # of volts that no circuit has
        blocks = [_signals(bank, rows_v[first : first + size], gain_ohm) for first in range(0, len(rows_v), size)]
    if not blocks:
        return np.empty(0), np.empty(0), np.empty(0)
    delivered_w, driven_a, added_a = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return delivered_w, driven_a, added_a


def _signals(bank: SynapseBank, rows_v: Array, gain_ohm: float) -> tuple[Array, Array, Array]:
    """The same of a few samples."""
    exists, state = bank.gain != 0, synapse_state(bank, rows_v)
    row_a, inverted_a = _currents(bank, state)
    inverted_v = np.where(bank.kind == LOW_PASS, bank.reference_v - state.input_v, -state.input_v)
    delivered_w = (state.input_v * row_a + inverted_v * inverted_a) * exists
    shares, axes = exists & (bank.input_bias_v == 0), (2, 3)
    groups = [row_a * shares, *(inverted_a * (shares & (bank.kind == kind)) for kind in (LOW_PASS, BAND_PASS))]
    shared_a = sum(np.abs(group.sum(axis=axes)) for group in groups)
    own_a = (np.abs(row_a) + np.abs(inverted_a)) * (exists & ~shares)
    added_a = bank.gain * state.load_v / gain_ohm
    sums_a = np.abs(added_a.sum(axis=(1, 3))).sum(axis=1)
    driven_a = np.sum(shared_a, axis=1) + own_a.sum(axis=(1, 2, 3))
    return delivered_w.sum(axis=(1, 2, 3)), driven_a, np.abs(added_a).sum(axis=(1, 2, 3)) + sums_a


def _currents(bank: SynapseBank, state: SynapseState) -> tuple[Array, Array]:
    """(samples, rows, columns, synapses): what a synapse takes from its input, and from what stands at another voltage
    than that: amps that flow into the synapse.
    """
    is_band = bank.kind == BAND_PASS
    through_input = (state.input_v - state.load_v) / bank.input_ohm
    row_a = np.where(is_band, through_input, np.where(bank.kind == HIGH_PASS, state.diode_a, 0.0))
    inverted_a = np.where(is_band, -state.diode_a, np.where(bank.kind == LOW_PASS, state.diode_a, 0.0))
    return row_a, inverted_a
