"""`kanspice.design/1`: equal designs give equal bytes, and damaged files give an error."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile

import numpy as np
import pytest
from circuits import PEAK, design_of, inputs_for, load_device, network

from kanspice.base.errors import InputError
from kanspice.circuit import Design, load_design, save_design
from kanspice.circuit.file import design_bytes


def equal(first, second):
    for field in dataclasses.fields(first):
        a, b = getattr(first, field.name), getattr(second, field.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)
        elif field.name == "devices":
            assert [device.sha256 for device in a] == [device.sha256 for device in b]
        elif field.name == "stages":
            assert [type(stage) for stage in a] == [type(stage) for stage in b]
            for stage, other in zip(a, b, strict=True):
                equal(stage, other)
        else:
            assert a == b, field.name
            assert type(a) is type(b), field.name


@pytest.fixture(params=["batch", "layer", "none"])
def design(request) -> Design:
    model = network([3, 4, 2], [load_device("z21"), PEAK], norm=request.param, input_stage="tanh")
    return design_of(model, inputs_for(model, 4), "tia.gain=1234.5", "units.v_unit_v=0.3")


def test_a_design_reads_back_as_it_was(design, tmp_path):
    save_design(design, tmp_path / "design.npz")
    equal(load_design(tmp_path / "design.npz"), design)


def test_an_ideal_design_reads_back_with_its_infinite_values(tmp_path):
    design = design_of(network([2, 2], [PEAK], input_stage="None"))
    save_design(design, tmp_path / "design.npz")
    read = load_design(tmp_path / "design.npz")
    equal(read, design)
    assert read.is_ideal
    assert read.stages[0].low_v == -np.inf


def test_equal_designs_give_equal_bytes(design, tmp_path):
    save_design(design, tmp_path / "design.npz")
    assert design_bytes(load_design(tmp_path / "design.npz")) == design_bytes(design)


def damaged(content: bytes) -> dict[str, bytes]:
    header = json.dumps({"schema": "kanspice.design/4"}).encode()
    other = io.BytesIO()
    np.savez(other, header=np.frombuffer(header, np.uint8))
    unrelated, array, objects = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.savez(unrelated, x=np.zeros(3))
    np.save(array, np.zeros(3))
    np.savez(objects, header=np.array([{"a": 1}], dtype=object))
    middle = len(content) // 2
    return {
        "empty": b"",
        "text": b"hello",
        "cut": content[:middle],
        "no end": content[:-30],
        "flipped": content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :],
        "another version": other.getvalue(),
        "another file": unrelated.getvalue(),
        "one array": array.getvalue(),
        "objects": objects.getvalue(),
    }


@pytest.mark.parametrize("kind", list(damaged(b"x" * 100)))
def test_a_damaged_file_is_refused(kind, tmp_path):
    path = tmp_path / "design.npz"
    path.write_bytes(damaged(design_bytes(design_of(network([3, 3], [PEAK]))))[kind])
    with pytest.raises(InputError, match=r"is not a kanspice design|another version") as refused:
        load_design(path)
    assert refused.value.where == str(path)
    assert "compile" in refused.value.message


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="a design was not found"):
        load_design(tmp_path / "design.npz")


def test_no_byte_of_the_file_can_change_unseen(tmp_path):
    """Every byte that matters is under a checksum: whatever loads after one flip is the same design."""
    design = design_of(network([1, 1], [PEAK]))
    content, path = design_bytes(design), tmp_path / "design.npz"
    for place in range(0, len(content), max(1, len(content) // 150)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        try:
            read = load_design(path)
        except InputError:
            continue
        equal(read, design)


def test_an_array_with_a_missing_field_is_refused(tmp_path):
    path = tmp_path / "design.npz"
    path.write_bytes(design_bytes(design_of(network([1, 1], [PEAK]))))
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if "area" not in name}
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    with pytest.raises(InputError, match="is not a kanspice design"):
        load_design(path)


def test_a_file_that_claims_too_much_or_holds_more_than_a_design_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "design.npz"
    content = design_bytes(design_of(network([1, 1], [PEAK])))
    path.write_bytes(content)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        extra = io.BytesIO()
        np.save(extra, np.zeros(1000))
        archive.writestr("9.area.npy", extra.getvalue())
    with pytest.raises(InputError, match="is not a kanspice design") as refused:
        load_design(path)
    assert "9.area" in refused.value.found
    monkeypatch.setattr("kanspice.circuit.file._MAX_BYTES", path.stat().st_size)
    with pytest.raises(InputError, match="is not a kanspice design") as refused:
        load_design(path)
    assert f"more than {path.stat().st_size}" in refused.value.found
