"""The papers' data sets, where they can be had: arrays for training and for testing, and where they came from."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from kanspice.base.arrays import Array

FASHION = (Path("/usr/share/datasets/fashion-mnist"), Path("out/fashion-mnist"))
"""Where Debian's package dataset-fashion-mnist (MIT licence) puts its files, and where tools/ unpacks it."""
MNIST_FOLDER = "KANSPICE_MNIST"
"""Environment variable: a folder with the four idx files of MNIST, gzipped or not."""
_SIZE = (14, 14)
_TRAINED = 8000
"""Of the 10,000 images of MNIST's test file, where there is no other."""


class MissingDataError(Exception):
    """A data set is not on this machine; the message says how to get it."""


@dataclass(frozen=True)
class Images:
    """inputs: (samples, pixels) from 0 to 1, row by row. labels: (samples,). origin: where from."""

    name: str
    inputs: Array
    labels: Array
    test_inputs: Array
    test_labels: Array
    origin: str


@cache
def mnist() -> Images:
    """14 x 14 pixels. Raises MissingDataError."""
    folder = os.environ.get(MNIST_FOLDER)
    if folder is not None:
        train, test = (_pair(Path(folder), kind) for kind in ("train", "t10k"))
        origin = "all of MNIST: trained on 60,000 images, tested on the other 10,000"
    else:
        images, labels = _pair(_reference_data() / "mnist", "t10k")
        train, test = (images[:_TRAINED], labels[:_TRAINED]), (images[_TRAINED:], labels[_TRAINED:])
        origin = "MNIST's test file alone: trained on its first 8,000 images, tested on the other 2,000"
    return Images("MNIST", _grey(_smaller(train[0])), train[1], _grey(_smaller(test[0])), test[1], origin)


@cache
def fashion_mnist() -> Images:
    """28 x 28 pixels. Raises MissingDataError."""
    folder = next((each for each in FASHION if each.is_dir()), None)
    if folder is None:
        raise MissingDataError("FashionMNIST is not here: tools/fetch_fashion_mnist.sh")
    train, test = (_pair(folder, kind) for kind in ("train", "t10k"))
    origin = "all of FashionMNIST: trained on 60,000 images, tested on the other 10,000"
    return Images("FashionMNIST", _grey(train[0]), train[1], _grey(test[0]), test[1], origin)


IMAGES: dict[str, Callable[[], Images]] = {"MNIST": mnist, "FashionMNIST": fashion_mnist}


def _reference_data() -> Path:
    data = os.environ.get("KANSPICE_REFERENCE_DATA")
    if not data:
        raise MissingDataError(f"MNIST is not here: set {MNIST_FOLDER} to a folder with its four idx files")
    return Path(data)


def _pair(folder: Path, kind: str) -> tuple[Array, Array]:
    """Images (samples, rows, columns) of grey levels and labels (samples,), of `train` or `t10k`."""
    return _idx(folder, f"{kind}-images-idx3-ubyte"), _idx(folder, f"{kind}-labels-idx1-ubyte").astype(np.int64)


def _idx(folder: Path, name: str) -> Array:
    """The bytes of an idx file: a magic number whose last byte counts dimensions, each as four bytes, then the data."""
    packed, plain = folder / f"{name}.gz", folder / name
    if not packed.exists() and not plain.exists():
        raise MissingDataError(f"{folder} has no {name}.gz")
    data = gzip.decompress(packed.read_bytes()) if packed.exists() else plain.read_bytes()
    start = 4 + 4 * data[3]
    return np.frombuffer(data, np.uint8, offset=start).reshape(np.frombuffer(data[4:start], ">i4"))


def _smaller(images: Array) -> Array:
    """14 x 14 pixels, averaged linearly, as torchvision's Resize does it for pictures."""
    return np.stack(
        [np.asarray(Image.fromarray(image).resize((14, 14), Image.Resampling.BILINEAR)) for image in images]
    )


def _grey(images: Array) -> Array:
    return images.reshape(len(images), -1) / 255.0
