"""A pickle of a few bytes may stand for more than any machine holds: it is refused before anybody looks at it."""

from __future__ import annotations

import io
import zipfile

import pytest
import torch

from kanspice.base.errors import InputError
from kanspice.families import load
from kanspice.families.common.plain_pickle import check_pickle, check_values


def twice(levels: int, end: bytes) -> bytes:
    """A value that holds the one before it twice, and so on."""
    made = end + b"q\x00"
    for level in range(1, levels + 1):
        kept, keep = b"h" + bytes([level - 1]), b"q" + bytes([level])
        made = b"](" + made + kept + b"e" + keep if end == b"]" else made + kept + b"\x86" + keep
    return made


def checkpoint(path, pickle: bytes):
    """A torch file with that pickle in the place of its own."""
    held = io.BytesIO()
    torch.save({"a": torch.zeros(1)}, held)
    with zipfile.ZipFile(held) as archive, zipfile.ZipFile(path, "w") as changed:
        for entry in archive.infolist():
            own = archive.read(entry)
            changed.writestr(entry.filename, pickle if entry.filename.endswith("data.pkl") else own)
    return path


LISTS, TUPLES = twice(50, b"]"), twice(50, b")")
HOSTILE = {
    "lists": b"\x80\x02}X\x06\x00\x00\x00schema" + LISTS + b"s.",
    "tuples as a key": b"\x80\x02}" + TUPLES + b"K\x01s.",
    "lists within lists": b"\x80\x02" + b"]" * 300 + b"a" * 299 + b".",
    "a million instructions": b"\x80\x02" + b"]q\x00" * 500_000 + b".",
    "a list of itself": b"\x80\x02]q\x00h\x00a.",
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", HOSTILE)
def test_what_holds_too_much_is_refused(tmp_path, kind):
    with pytest.raises(InputError, match="the file holds too much"):
        load(checkpoint(tmp_path / "model.pt", HOSTILE[kind]))


def test_honest_pickles_are_let_through(tmp_path):
    held = io.BytesIO()
    torch.save({"state": {f"layer.{i}": torch.zeros(2) for i in range(200)}, "epoch": 3, "losses": [0.5] * 1000}, held)
    with zipfile.ZipFile(held) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("data.pkl")]
        check_pickle(archive.read(name), tmp_path)
    check_values(torch.load(io.BytesIO(held.getvalue()), weights_only=True), tmp_path)


def test_a_tensor_that_repeats_a_number_is_refused(tmp_path):
    path = tmp_path / "model.pt"
    torch.save({"net.0.coeffs": torch.zeros(1).expand(12_000, 12_500, 1)}, path)
    with pytest.raises(InputError, match="repeats the same few numbers") as refused:
        load(path)
    assert refused.value.found == "150,000,000 numbers out of 4 bytes"
