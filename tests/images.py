"""What several folders of tests share of networks of images: small CNN-KANs, and answers that owe nothing to torch."""

from __future__ import annotations

import numpy as np
import torch
from circuits import LINE, PEAK, technology

from kanspice.base.draws import Draw
from kanspice.circuit import Design
from kanspice.circuit.specimens import draw_specimen
from kanspice.families.cnnkan.circuit import compile_cnnkan
from kanspice.families.cnnkan.network import CNNKAN
from kanspice.families.compiling import sizing_of


def cnnkan(image=(2, 3, 4), channels=(3, 2), outputs=2, devices=(PEAK, LINE), seed=0, **window) -> CNNKAN:
    """A network in evaluation mode with random parameters, norms' statistics included."""
    generator = torch.Generator().manual_seed(seed)
    model = CNNKAN(image, channels, outputs, devices, **window)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                drawn = 0.4 * torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype)
                tensor.copy_(drawn.abs() + 0.5 if "running_var" in name else drawn)
    return model.eval()


def images_for(model, samples=4, seed=0):
    """(samples, channels x height x width), some values exactly 0."""
    values = np.random.default_rng(seed).normal(0.3, 0.6, (samples, model.input_width))
    values[0, 0] = 0.0
    return values


def design_of(model, samples, *overrides, seed=None) -> Design:
    """Its circuit, or a specimen of it."""
    sizing = None if samples is None else sizing_of(model, samples)
    design = compile_cnnkan(model, technology(*overrides), sizing)
    return design if seed is None else draw_specimen(design, technology(*overrides), Draw(seed))


def outputs_by_hand(model, image, window=None):
    """Every stage of one image (channels, height, width): loops over pixels, curves in NumPy, and nothing of torch."""
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    kernel, stride, padding = window or (model.window.kernel, model.window.stride, model.window.padding)
    stages = {"l1.input": image.reshape(-1)}
    for block in range(len(model.channels)):
        weight, name = state[f"blocks.{block}.conv.weight"], f"blocks.{block}"
        bordered = np.pad(image, ((0, 0), (padding, padding), (padding, padding)))
        height, width = ((length - kernel) // stride + 1 for length in bordered.shape[1:])
        convolved, summed, normed = [], [], []
        for y in range(height):
            for x in range(width):
                corner = y * stride, x * stride
                seen = bordered[:, corner[0] : corner[0] + kernel, corner[1] : corner[1] + kernel]
                pixel = np.array([np.sum(filter_ * seen) for filter_ in weight])
                sums = of_devices(model, state[f"{name}.kan.coeffs"], state[f"{name}.kan.bias"], pixel)
                scale = state[f"{name}.norm.weight"] / np.sqrt(state[f"{name}.norm.running_var"] + 1e-5)
                convolved.append(pixel)
                summed.append(sums)
                normed.append((sums - state[f"{name}.norm.running_mean"]) * scale + state[f"{name}.norm.bias"])
        stages |= {
            f"l{2 * block + 1}.tiles": np.concatenate(convolved),
            f"l{2 * block + 2}.tiles": np.concatenate(summed),
        }
        stages[f"l{2 * block + 2}.norm"] = np.concatenate(normed)
        image = np.array(normed).T.reshape(-1, height, width)
    last = f"l{2 * len(model.channels) + 1}"
    mean = stages[f"{last}.average"] = image.mean(axis=(1, 2))
    stages[f"{last}.crossbar"] = of_devices(model, state["head.coeffs"], state["head.bias"], mean)
    return stages


def of_devices(model, coeffs, bias, values):
    """What a layer of devices makes of values (inputs,)."""
    sums = bias.astype(float).copy()
    for k, device in enumerate(model.devices):
        sums += device.curve.numpy(values)[0] @ coeffs[:, :, k]
    return sums
