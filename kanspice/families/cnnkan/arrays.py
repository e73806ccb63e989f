"""A trained CNN-KAN as arrays, for those who build its circuit."""

from __future__ import annotations

from dataclasses import dataclass

from kanspice.base.arrays import Array
from kanspice.families.cnnkan.network import CNNKAN, Block
from kanspice.families.common.network import as_array
from kanspice.families.kanalogue.arrays import BatchNormArrays


@dataclass(frozen=True)
class BlockArrays:
    """A block: its convolution (out, in, kernel, kernel), and of its layer of devices coefficients (in, out, K), bias
    (out,) and the norm behind it. size, size_after: height and width of the images before and behind it."""

    weight: Array
    coeffs: Array
    bias: Array
    norm: BatchNormArrays
    size: tuple[int, int]
    size_after: tuple[int, int]


def block_arrays(model: CNNKAN) -> tuple[BlockArrays, ...]:
    """The trained parameters of all blocks, in order."""
    blocks = [block for block in model.blocks if isinstance(block, Block)]
    return tuple(
        BlockArrays(
            as_array(block.conv.weight),
            as_array(block.kan.coeffs),
            as_array(block.kan.bias),
            _norm(block),
            before,
            after,
        )
        for block, before, after in zip(blocks, model.sizes[:-1], model.sizes[1:], strict=True)
    )


def _norm(block: Block) -> BatchNormArrays:
    norm = block.norm
    statistics = as_array(norm.running_mean), as_array(norm.running_var)
    return BatchNormArrays(*statistics, as_array(norm.weight), as_array(norm.bias), norm.eps)


def head_arrays(model: CNNKAN) -> tuple[Array, Array]:
    """Of the last layer of devices, coefficients (in, out, K) and bias (out,)."""
    return as_array(model.head.coeffs), as_array(model.head.bias)
