"""Small PhyKANs and MemKANs, their circuits, and inputs for them."""

from __future__ import annotations

import numpy as np
import torch
from circuits import technology

from kanspice.base.draws import Draw
from kanspice.circuit import Design
from kanspice.circuit.specimens import draw_specimen
from kanspice.families.memkan.circuit import compile_memkan
from kanspice.families.memkan.network import MemKAN
from kanspice.families.memkan_surrogate.circuit import compile_surrogate
from kanspice.families.memkan_surrogate.network import SurrogateMemKAN
from kanspice.families.phykan.bandpass import BandConstants
from kanspice.families.phykan.circuit import compile_phykan
from kanspice.families.phykan.network import PhyKAN

FILTER_PARTS = (
    "filters.component_sigma=0.05",
    "filters.gain_sigma=0.02",
    "filters.amplifier_hz=1e6",
    "filters.offset_sigma_v=1e-3",
    "filters.hold_s=5e-3",
)
SYNAPSE_PARTS = (
    "synapses.current_sigma=0.05",
    "synapses.alpha_sigma=0.03",
    "synapses.resistance_sigma=0.02",
    "synapses.gain_sigma=0.01",
    "synapses.read_noise_v=1e-3",
    "clippers.knee_v=0.002",
)


VARIANTS = {
    "wire": {"input_sigmoid": False},
    "normalised": {"normalised": True},
    "limited": {"constants": BandConstants(squash_limit=0.4)},
    "all": {"input_sigmoid": False, "normalised": True, "constants": BandConstants(squash_limit=0.4)},
}
"""PhyKANs other than the plain one, as options of `phykan`."""


def phykan(widths=(2, 3, 2), filters=2, seed=1, **options) -> PhyKAN:
    """A PhyKAN with random filters and thresholds, and one connection less."""
    torch.manual_seed(seed)
    model = PhyKAN(widths, filters, thresholding=True, **options)
    with torch.no_grad():
        for layer in model.band_layers():
            layer.raw.normal_()
            layer.threshold.normal_(std=0.3)
            if layer.scale is not None and layer.offset is not None:
                layer.scale.normal_()
                layer.offset.normal_()
        model.band_layers()[0].mask[-1, -1] = 0
    return model.eval()


def memkan(widths=(2, 3, 2), seed=1) -> MemKAN:
    """A MemKAN with random synapses of all kinds."""
    torch.manual_seed(seed)
    return MemKAN(widths).eval()


def surrogate_memkan(widths=(2, 3, 2), seed=1) -> SurrogateMemKAN:
    """A MemKAN with random synapses, biases and gains, and a surrogate that knows nothing of synapses."""
    torch.manual_seed(seed)
    model = SurrogateMemKAN(widths, 2, (7,))
    with torch.no_grad():
        for layer in model.surrogate_layers():
            layer.raw.normal_()
            layer.gain.normal_()
            layer.bias.normal_(std=0.2)
            layer.bias[0, 0, 0] = 0.0
    return model.eval()


def phykan_design(model, *overrides: str, seed=0) -> Design:
    """What `seed` draws of the circuit."""
    return draw_specimen(compile_phykan(model, technology(*overrides)), technology(*overrides), Draw(seed))


def memkan_design(model, *overrides: str, seed=0) -> Design:
    """What `seed` draws of the circuit."""
    return draw_specimen(compile_memkan(model, technology(*overrides)), technology(*overrides), Draw(seed))


def surrogate_design(model, *overrides: str, seed=0) -> Design:
    """What `seed` draws of the circuit of the synapses that the surrogate stands for."""
    return draw_specimen(compile_surrogate(model, technology(*overrides)), technology(*overrides), Draw(seed))


def inputs_for(model, samples=20, seed=0):
    """Inputs (samples, inputs) in model units, beyond what MemKANs take on either side."""
    return np.random.default_rng(seed).uniform(-1.2, 1.2, (samples, model.input_width))
