"""Banks of synapses and of filters: a module for every connection, whose currents a column adds up, and averages."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from kanspice.circuit import Average, FilterBank, SynapseBank
from kanspice.circuit.stages.synapse_bank import BAND_PASS, LOW_PASS
from kanspice.engine.netlist.names import (
    amplitude_node,
    connection_element,
    layer_of,
    noise_node,
    sine_node,
    sum_node,
    tone_node,
)
from kanspice.engine.vacask.elements import GROUND, element


def synapse_lines(bank: SynapseBank, signal: Sequence[str], outputs: Sequence[str]) -> Iterator[str]:
    """Every memdiode with its load, in closed form, and the sums, which are noisy if the bank is."""
    layer = layer_of(bank.name)
    for row, column, place in np.argwhere(bank.gain).tolist():
        at = row, column, place
        is_band, is_low = bank.kind[at] == BAND_PASS, bank.kind[at] == LOW_PASS
        load, source_ohm = float(bank.load_ohm[at]), float(bank.input_ohm[at])
        share = load / (source_ohm + load) if is_band else 0.0
        parallel_ohm = share * source_ohm if is_band else load
        values = {
            "gain": bank.gain[at],
            "bias": bank.input_bias_v[at],
            "alpha": bank.alpha_per_v[at],
            "sat": bank.saturation_a[at],
            "ohm": parallel_ohm + bank.series_ohm[at],
            "pull": -parallel_ohm if is_band else load,
            "share": share,
            "reference": bank.reference_v if is_low else 0.0,
            "sense": -1.0 if is_low else 1.0 + share,
        }
        nodes = signal[row], sum_node(layer, column)
        yield element(connection_element(layer, *at), nodes, "kan_synapse", **_plain(values))
    noises = noise_nodes(bank) if bank.is_noisy else (GROUND,) * bank.width
    for index, (output, noise, bias_v) in enumerate(zip(outputs, noises, bank.bias_v.tolist(), strict=True)):
        yield element(f"{layer}_sum{index}", (sum_node(layer, index), output, noise), "kan_sum", bias=bias_v)


def noise_nodes(bank: SynapseBank) -> tuple[str, ...]:
    """Where the noise on the outputs of a noisy bank is driven."""
    return tuple(noise_node(layer_of(bank.name), index) for index in range(bank.width))


def filter_lines(bank: FilterBank, signal: Sequence[str], outputs: Sequence[str]) -> Iterator[str]:
    """Every filter as its amplitude law: a tone for each row, filters between tones and columns, and the sums."""
    layer, two_pi = layer_of(bank.name), 2 * math.pi
    clock = {"clock": bank.clock_hz} if math.isfinite(bank.clock_hz) else {}
    shared = {"decade": bank.decade, "decades": bank.decades / bank.control_v, "most": bank.most_decades, **clock}
    for row, node in enumerate(signal):
        yield element(f"{layer}_tone{row}", (node, tone_node(layer, row)), "kan_tone", **shared)
    slow = 1 / bank.amplifier_hz
    for row, column, place in np.argwhere(bank.gain).tolist():
        at = row, column, place
        values = {
            "amplitude": bank.sine_v * abs(bank.gain[at]),
            "sign": np.sign(bank.gain[at]),
            "high": two_pi * (bank.high_ohm[at] * bank.high_f[at]),
            "low": two_pi * (bank.low_ohm[at] * bank.low_f[at]),
            "follower": slow,
            "inverting": slow * (1 + abs(bank.gain[at])),
            "forgets": 0.5 / bank.hold_s,
            "offset": bank.offset_v[at],
        }
        nodes = tone_node(layer, row), sum_node(layer, column)
        yield element(connection_element(layer, *at), nodes, "kan_filter", **_plain(values))
    gains = (bank.sum_gain * bank.scale).tolist()
    for index, (output, gain, bias_v) in enumerate(zip(outputs, gains, bank.bias_v.tolist(), strict=True)):
        between = sum_node(layer, index), output, GROUND
        yield element(f"{layer}_sum{index}", between, "kan_sum", gain=gain, bias=bias_v)


def band_pass_lines(bank: FilterBank) -> Iterator[str]:
    """Every filter as resistors, capacitors and amplifiers, between its row's sine and what its detector sees."""
    layer, is_real = layer_of(bank.name), math.isfinite(bank.amplifier_hz)
    for row, column, place in np.argwhere(bank.gain).tolist():
        at = row, column, place
        values = {
            "highr": bank.high_ohm[at],
            "highc": bank.high_f[at],
            "lowr": bank.low_ohm[at],
            "lowc": bank.low_f[at],
            "gain": abs(bank.gain[at]),
        }
        values |= {"gbw": bank.amplifier_hz} if is_real else {}
        module = "kan_band_pass_real" if is_real else "kan_band_pass"
        nodes = sine_node(layer, row), amplitude_node(layer, *at)
        yield element(connection_element(layer, *at), nodes, module, **_plain(values))


def average_lines(stage: Average, signal: Sequence[str], outputs: Sequence[str]) -> Iterator[str]:
    """For each channel resistors that meet in a node."""
    layer, channels = layer_of(stage.name), len(outputs)
    for place, (node, ohm) in enumerate(zip(signal, stage.ohm.reshape(-1).tolist(), strict=True)):
        position, channel = divmod(place, channels)
        yield element(f"{layer}_m{position}_{channel}", (node, outputs[channel]), "kan_resistor", r=ohm)


def _plain(values: dict[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items()}
