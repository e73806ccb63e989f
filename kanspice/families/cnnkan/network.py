"""CNN-KAN of the KANalogue authors, in float64: convolutions, and layers of devices on the channels of every pixel.

A block is a convolution without bias, a KANalogue layer over the channels of each pixel without an input stage (curves
keep their end values beyond their range), and a BatchNorm over channels. After the blocks each channel is averaged over
the image, and a last KANalogue layer gives the outputs.

Images are (channels, height, width) where they come in; within the network pixels come first, row by row, and of each
pixel its channels: what stands at one position of an array of crossbars is together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from kanspice.base.errors import InputError
from kanspice.devices import Device, load_device
from kanspice.families.common.inputs import check_input
from kanspice.families.common.network import Network
from kanspice.families.common.widths import check_widths
from kanspice.families.kanalogue.network import NORM_EPS, CrossbarLayer

WEIGHTS = "ohmic"
"""The card of what convolutions are made of."""
_INITIAL_RANGE = (0.0, 1.4)


@dataclass(frozen=True)
class Window:
    """What a convolution looks at: `kernel` x `kernel` pixels, `stride` pixels apart, beyond the edges zeros.

    Raises InputError for numbers that no convolution has.
    """

    kernel: int = 3
    stride: int = 1
    padding: int = 1

    def __post_init__(self) -> None:
        whole = all(isinstance(number, int) for number in (self.kernel, self.stride, self.padding))
        if not whole or self.kernel < 1 or self.stride < 1 or not 0 <= self.padding < self.kernel:
            raise InputError(
                "the convolutions' window cannot be used",
                expected="whole numbers: a kernel and a stride from 1, a padding with zeros from 0, below the kernel",
                found=f"kernel {self.kernel}, stride {self.stride}, padding {self.padding}",
            )

    def size_after(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width of what a convolution makes of an image of this height and width."""
        height, width = ((length + 2 * self.padding - self.kernel) // self.stride + 1 for length in size)
        return height, width


class Block(nn.Module):
    """A convolution, a KANalogue layer at every pixel, and a norm."""

    def __init__(self, channels: tuple[int, int], n_devices: int, window: Window) -> None:
        super().__init__()
        self.conv = nn.Conv2d(*channels, window.kernel, window.stride, window.padding, bias=False, dtype=torch.float64)
        self.kan = CrossbarLayer(channels[1], channels[1], n_devices)
        self.norm = nn.BatchNorm2d(channels[1], eps=NORM_EPS, dtype=torch.float64)


class CNNKAN(Network):
    """A CNN-KAN of any number of blocks.

    image: channels, height and width of the inputs. channels: of each block. outputs: their number.
    devices: the K device types, in the order of the coefficients' last axis; shared by all layers.
    kernel, stride, padding: of all convolutions, as `Window` has them.

    Submodules: `blocks[m].conv.weight` (out, in, kernel, kernel), `blocks[m].kan.coeffs` (channels, channels, K),
    `blocks[m].kan.bias`, `blocks[m].norm.*`, `head.coeffs` (channels, outputs, K), `head.bias`.
    Raises InputError for sizes and devices that cannot be used.
    """

    def __init__(
        self,
        image: tuple[int, int, int],
        channels: Sequence[int],
        outputs: int,
        devices: Sequence[Device],
        *,
        kernel: int = 3,
        stride: int = 1,
        padding: int = 1,
    ) -> None:
        super().__init__()
        self.window = Window(kernel, stride, padding)
        widths = check_widths([image[0], *channels, outputs])
        self.image = (widths[0], *check_size(image[1:]))
        self.channels, self.outputs = widths[1:-1], widths[-1]
        if not self.channels or not devices:
            expected = "one block and one device type, or more"
            found = f"{len(self.channels)} blocks, {len(devices)} device types"
            raise InputError("the network has no convolution, or no devices", expected=expected, found=found)
        self.devices = tuple(devices)
        self.sizes = _sizes(self.image[1:], len(self.channels), self.window)
        before = (self.image[0], *self.channels[:-1])
        self.blocks = nn.ModuleList(
            Block(pair, len(devices), self.window) for pair in zip(before, self.channels, strict=True)
        )
        self.head = CrossbarLayer(self.channels[-1], outputs, len(devices))
        self.initialise()

    @property
    def curves(self) -> tuple[Device, ...]:
        """The resistor of the convolutions, then the devices."""
        return (load_device(WEIGHTS), *self.devices)

    @property
    def input_width(self) -> int:
        channels, height, width = self.image
        return channels * height * width

    @property
    def input_axes(self) -> tuple[int, ...]:
        return self.image

    @property
    def output_width(self) -> int:
        return self.outputs

    def initialise(self) -> None:
        """Draw fresh coefficients from torch's global generator."""
        basis = self.basis(torch.linspace(*_INITIAL_RANGE, 281, dtype=torch.float64))
        mean_square = float(basis.detach().square().mean()) or 1.0
        for layer in (*(block.kan for block in self._blocks()), self.head):
            layer.initialise(mean_square)

    def basis(self, voltage: Tensor) -> Tensor:
        """Every device's current: voltages (...) in model units to currents (..., K)."""
        return torch.stack([device.curve.torch(voltage) for device in self.devices], dim=-1)

    def stages(self, x: Tensor) -> dict[str, Tensor]:
        """Every intermediate result for images x (samples, channels x height x width), in order; (samples, width) each.

        `l1.input` is x. Of block m from 1: `l<2m-1>.tiles`, its convolution; `l<2m>.tiles`, its layer of devices;
        `l<2m>.norm`. Then `l<n>.average` and `l<n>.crossbar`, the outputs, n the next number. Pixels first, then
        channels. In model units.
        Raises InputError if x has another shape.
        """
        values = check_input(x, self.input_width, "CNNKAN.forward")
        results = {"l1.input": values}
        images = values.reshape(-1, *self.image)
        for layer, block in zip(range(1, 2 * len(self.blocks), 2), self._blocks(), strict=True):
            pixels = block.conv(images).permute(0, 2, 3, 1)
            results[f"l{layer}.tiles"] = pixels.flatten(1)
            summed = self._summed(block.kan, pixels)
            results[f"l{layer + 1}.tiles"] = summed.flatten(1)
            images = block.norm(summed.permute(0, 3, 1, 2))
            results[f"l{layer + 1}.norm"] = images.permute(0, 2, 3, 1).flatten(1)
        last = f"l{2 * len(self.blocks) + 1}"
        mean = results[f"{last}.average"] = images.mean(dim=(2, 3))
        results[f"{last}.crossbar"] = self._summed(self.head, mean)
        return results

    def forward(self, x: Tensor) -> Tensor:
        """The outputs (samples, outputs) for images x (samples, channels x height x width): the last of `stages(x)`."""
        return list(self.stages(x).values())[-1]

    def _summed(self, layer: CrossbarLayer, values: Tensor) -> Tensor:
        """What a layer of devices makes of the channels (..., channels) at every place."""
        flat = layer.sum_currents(self.basis(values.contiguous().reshape(-1, values.shape[-1])), layer.coeffs)
        return flat.reshape(*values.shape[:-1], flat.shape[-1])

    def _blocks(self) -> list[Block]:
        return [block for block in self.blocks if isinstance(block, Block)]


def check_size(size: Sequence[int]) -> tuple[int, int]:
    """Height and width of images. Raises InputError unless they are whole numbers from 1."""
    if len(size) != 2 or any(not isinstance(length, int) or length < 1 for length in size):
        expected = "channels, height and width, whole numbers from 1"
        raise InputError("the images' size cannot be used", expected=expected, found=f"height and width {tuple(size)}")
    height, width = size
    return height, width


def _sizes(size: tuple[int, int], blocks: int, window: Window) -> tuple[tuple[int, int], ...]:
    """Height and width of the images, and of what each block makes of them. Raises InputError where nothing is left."""
    sizes = [size]
    for block in range(1, blocks + 1):
        sizes.append(window.size_after(sizes[-1]))
        if min(sizes[-1]) < 1:
            height, width = sizes[-2]
            raise InputError(
                f"the images of block {block} are smaller than its window",
                expected=f"at least {window.kernel - 2 * window.padding} pixels either way",
                found=f"{height} x {width}",
            )
    return tuple(sizes)
