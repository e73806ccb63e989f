"""Reading current-voltage tables, and the authors' data folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kanspice.base.errors import InputError
from kanspice.devices import devices_from_folder, load_device, with_points_from, write_card
from kanspice.devices.ivdata import MAX_CSV_BYTES, read_points, read_segments


def csv(folder: Path, text: str, name: str = "iv.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("header", ["", "x,y\n", "voltage / V, current\n\n", "\ufeffV,I\n"])
def test_points_with_and_without_a_header(header: str, tmp_path: Path) -> None:
    v, i = read_points(csv(tmp_path, header + "0, 1e-3\n\n0.5,2\n1,-3\n"))
    assert v.tolist() == [0.0, 0.5, 1.0]
    assert i.tolist() == [1e-3, 2.0, -3.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no numbers"),
        ("x,y\n", "holds no numbers"),
        ("x,y\n0,1\n", "too few points"),
        ("x,y\n0,1\n1,2,3\n", "line 3 does not have 2 columns"),
        ("0;1\n1;2\n", "line 2 does not have 2 columns"),
        ("0,1\n\n1,two\n", "line 3: not a finite number"),
        ("0,1\n1,nan\n", "line 2: not a finite number"),
        ("0,1\n1,inf\n", "line 2: not a finite number"),
        ("x,y\n0,1\n0.5,1\n0.2,1\n", "line 4: the voltages must rise"),
        ("0,1\n0.5,1\n0.5,2\n", r"(?s)line 3: the voltages must rise.*0\.5 V, then 0\.5 V"),
    ],
)
def test_bad_points_are_refused_with_their_line(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_points(csv(tmp_path, text))
    assert caught.value.where == str(tmp_path / "iv.csv")


def test_files_that_are_no_text_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="was not found"):
        read_points(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(InputError, match="this is not text"):
        read_points(tmp_path / "binary.csv")
    with pytest.raises(InputError, match="too large"):
        read_points(csv(tmp_path, "0,1\n" * (MAX_CSV_BYTES // 4 + 1)))


def test_segments_are_joined(tmp_path: Path) -> None:
    curve = read_segments(csv(tmp_path, "v0,v1,i0,i1\n0,0.5,0,1\n0.5,1,1,0.25\n"))
    np.testing.assert_allclose(curve.numpy([-1.0, 0.25, 0.5, 0.75, 2.0])[0], [0.0, 0.5, 1.0, 0.625, 0.25])


def test_segments_with_a_gap_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="do not join") as caught:
        read_segments(csv(tmp_path, "0,0.4,0,1\n0.5,1,1,0.25\n"))
    assert caught.value.where is not None


def authors_folder(folder: Path) -> Path:
    csv(folder, "xs\n0.0\n0.0\n1.0\n2.0\n2.0\n", "zaz21_knots.csv")
    csv(folder, "a,b,c,d\n9,9,9,9\n0,1,0,0\n0,0,-1,1\n9,9,9,9\n", "zaz21_coefficients.csv")
    csv(folder, "x,y\n0,0\n1,1\n2,0\n", "zaz21_nodes.csv")
    (folder / "normalised_segments").mkdir()
    csv(folder / "normalised_segments", "v0,v1,i0,i1\n0,0.5,0,1\n0.5,1,1,0\n", "NbHf_z30a21z30.csv")
    csv(folder, "v0,v1,i0,i1\n0,0.5,0,2\n0.5,1,2,0\n", "NbTi_a30a21a30.csv")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ZAZ_21", "ZAZ21", "zaz21", "ZAZ-21", "ZAZ-15"])
@pytest.mark.parametrize(("mode", "at_half"), [("univariate", 0.25), ("spline", 0.6875), ("line", 1.0)])
def test_the_authors_folder(name: str, mode: str, at_half: float, tmp_path: Path) -> None:
    (device,) = devices_from_folder(authors_folder(tmp_path), [name], mode).devices
    assert device.name == "zaz21"
    assert device.curve.numpy(0.5)[0] == pytest.approx(at_half)


def test_a_segment_file_is_found_beside_the_others_and_by_its_own_name(tmp_path: Path) -> None:
    (device,) = devices_from_folder(authors_folder(tmp_path), ["NbTi_a30a21a30"], "line").devices
    assert device.name == "nbtia30a21a30"
    assert device.curve.numpy(0.5)[0] == 2.0


def test_a_card_in_the_folder_wins(tmp_path: Path) -> None:
    write_card(load_device("a21"), authors_folder(tmp_path) / "ZAZ_21.toml")
    for mode in ("univariate", "poly"):
        assert devices_from_folder(tmp_path, ["zaz21"], mode).devices[0].sha256 == load_device("a21").sha256


@pytest.mark.parametrize(
    ("names", "mode", "message"),
    [
        (["zaz21"], "fft", r"does not go through its nodes(?s:.*)kanalogue fit --mode fft"),
        (["a21"], "univariate", r"a21_knots\.csv"),
        (["a21"], "spline", r"a21_nodes\.csv"),
        (["a21"], "line", r"a21\.csv or NbHf_a30a21a30\.csv"),
        (["a21"], "poly", r"a21_coefficients\.csv"),
    ],
)
def test_what_the_folder_cannot_give_is_said(names: list[str], mode: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        devices_from_folder(authors_folder(tmp_path), names, mode)


def test_tables_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    csv(authors_folder(tmp_path), "xs\n0.0\n1.0\n", "zaz21_knots.csv")
    with pytest.raises(InputError, match=r"zaz21_coefficients\.csv: the spline's two tables"):
        devices_from_folder(tmp_path, ["zaz21"], "univariate")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a folder"):
        devices_from_folder(tmp_path / "none", ["a21"], "univariate")


@pytest.mark.reference_data
@pytest.mark.parametrize("mode", ["univariate", "spline", "line"])
def test_all_published_devices_are_read(mode: str, published_iv: Path) -> None:
    devices = devices_from_folder(published_iv, ["A21", "Z21", "Z15", "ZAZ_21"], mode).devices
    assert [device.name for device in devices] == ["a21", "z21", "z15", "zaz21"]
    if mode == "spline":
        for device in devices:
            v, i = read_points(published_iv / f"{device.name}_nodes.csv")
            np.testing.assert_allclose(device.curve.numpy(v)[0], i, atol=1e-14)


@pytest.mark.parametrize(("mode", "v"), [("univariate", [0, 1, 2]), ("spline", [0, 1, 2]), ("line", [0, 0.5, 1])])
def test_measured_points_come_with_the_authors_folder(mode: str, v: list[float], tmp_path: Path) -> None:
    (device,) = devices_from_folder(authors_folder(tmp_path), ["zaz21"], mode).devices
    assert device.card.points is not None
    assert device.card.points.v == tuple(v)
    assert device.measured().curve.numpy(v)[0].tolist() == [0.0, 1.0, 0.0]


def test_a_folder_without_points_gives_curves_without(tmp_path: Path) -> None:
    (authors_folder(tmp_path) / "zaz21_nodes.csv").unlink()
    assert devices_from_folder(tmp_path, ["zaz21"], "univariate").devices[0].card.points is None


def test_points_are_added_to_devices_that_have_a_curve(tmp_path: Path) -> None:
    a21, z21 = load_device("a21"), load_device("z21")
    v = np.linspace(0, 1.3, 14)
    csv(tmp_path, "".join(f"{x},{y}\n" for x, y in zip(v, z21.curve.numpy(v)[0], strict=True)), "Z21_nodes.csv")
    write_card(a21.with_points(v, a21.curve.numpy(v)[0], "test"), tmp_path / "a21.toml")
    found = with_points_from(tmp_path, [a21, z21, load_device("z15")])
    assert [device.card.points is not None for device in found] == [True, True, False]
    for device in found[:2]:
        np.testing.assert_allclose(device.measured().curve.numpy(v)[0], device.curve.numpy(v)[0])
    with pytest.raises(InputError, match=r"(?s)holds no measured points.*z15_nodes\.csv"):
        with_points_from(tmp_path, [load_device("z15")])
    with pytest.raises(InputError, match="is not a folder"):
        with_points_from(tmp_path / "none", [a21])


def test_points_of_another_device_are_refused_with_their_file(tmp_path: Path) -> None:
    csv(tmp_path, "0,0\n1,100\n", "z21_nodes.csv")
    with pytest.raises(InputError, match=r"(?s)z21_nodes\.csv: .*another device's, or in another unit"):
        with_points_from(tmp_path, [load_device("z21")])


@pytest.mark.reference_data
def test_all_published_devices_are_as_far_from_their_points_as_their_fits_say(published_iv: Path) -> None:
    for device in devices_from_folder(published_iv, ["A21", "Z21", "Z15", "ZAZ_21"], "univariate").devices:
        v, i = read_points(published_iv / f"{device.name}_nodes.csv")
        np.testing.assert_allclose(device.measured().curve.numpy(v)[0], i, atol=1e-14)
        residual = np.sqrt(np.mean((device.curve.numpy(v)[0] - i) ** 2))
        assert residual == pytest.approx(load_device(device.name).card.fit.residual_rms, rel=1e-6)
