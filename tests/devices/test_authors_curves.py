"""The curves of the KANalogue authors' program, in every fit mode and wherever it puts them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kanspice.base.errors import InputError
from kanspice.devices import devices_from_folder
from kanspice.devices.curves import PiecewisePolynomial

V = np.linspace(0.0, 1.2, 13)
CURRENT = 2 * V - 3 * V**2 + np.sin(7 * V)
FILES = {
    "univariate": ("z21_knots.csv", "z21_coefficients.csv", "z21_nodes.csv"),
    "spline": ("z21_coefficients.csv", "z21_nodes.csv"),
    "fft": ("z21_coefficients.csv", "z21_nodes.csv"),
    "poly": ("z21_coefficients.csv", "z21_clamp_params.csv", "z21_nodes.csv"),
    "line": ("z21.csv",),
}


def table(path: Path, header: str, *columns: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(path, np.column_stack(columns), delimiter=",", header=header, comments="", fmt="%.17g")


def write_fit(folder: Path, mode: str, name: str = "z21") -> PiecewisePolynomial:
    """A device's files as `kanalogue fit --mode` writes them, and the curve that they describe."""
    if mode != "line":
        table(folder / f"{name}_nodes.csv", "x,y", V, CURRENT)
    match mode:
        case "univariate":
            curve = PiecewisePolynomial.smoothing_spline(V, CURRENT, 1e-3)
            ends = (np.repeat(curve.lo_v, 3), np.repeat(curve.hi_v, 3))
            padding = (np.zeros((3, 4)), np.zeros((3, 4)))
            table(folder / f"{name}_knots.csv", "xs", np.concatenate([ends[0], curve.breakpoints, ends[1]]))
            rows = np.concatenate([padding[0], curve.coefficients[:, ::-1], padding[1]])
            table(folder / f"{name}_coefficients.csv", "a,b,c,d", rows)
        case "spline" | "fft":
            curve = PiecewisePolynomial.natural_spline(V, CURRENT)
            table(folder / f"{name}_coefficients.csv", "a,b,c,d", curve.coefficients[:, ::-1])
        case "poly":
            powers = np.polyfit(V, CURRENT, 9)
            curve = PiecewisePolynomial.power_series(powers[::-1], V[0], V[-1])
            table(folder / f"{name}_coefficients.csv", "coefficient,degree", powers, np.arange(9, -1, -1))
            table(folder / f"{name}_clamp_params.csv", "V_min,V_max", V[:1], V[-1:])
        case _:
            curve = PiecewisePolynomial.from_segments(V[:-1], V[1:], CURRENT[:-1], CURRENT[1:])
            table(folder / f"{name}.csv", "v0,v1,i0,i1", V[:-1], V[1:], CURRENT[:-1], CURRENT[1:])
    return curve


@pytest.mark.parametrize("stated", [True, False])
@pytest.mark.parametrize("mode", FILES)
def test_every_fit_mode_is_read(mode: str, stated: bool, tmp_path: Path) -> None:
    curve = write_fit(tmp_path, mode)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES[mode])
    found = devices_from_folder(tmp_path, ["Z21"], mode if stated else None)
    told = "spline" if mode == "fft" else mode
    assert (found.fit_mode, found.found_in) == (mode if stated else told, tmp_path)
    volts = np.linspace(-0.5, 2.0, 301)
    np.testing.assert_allclose(found.devices[0].curve.numpy(volts)[0], curve.numpy(volts)[0], rtol=0, atol=1e-13)


def test_a_polynomial_is_what_the_authors_evaluate(tmp_path: Path) -> None:
    """By Horner's scheme in the voltage, the value at either end kept beyond it."""
    write_fit(tmp_path, "poly")
    powers = np.loadtxt(tmp_path / "z21_coefficients.csv", delimiter=",", skiprows=1)[:, 0]
    volts = np.linspace(-0.5, 2.0, 301)
    expected = np.polyval(powers, volts.clip(V[0], V[-1]))
    (device,) = devices_from_folder(tmp_path, ["Z21"]).devices
    np.testing.assert_allclose(device.curve.numpy(volts)[0], expected, rtol=0, atol=1e-11 * np.abs(powers).max())
    assert device.card.points is not None


def test_nodes_of_a_filtered_curve_are_not_what_was_measured(tmp_path: Path) -> None:
    write_fit(tmp_path, "fft")
    assert devices_from_folder(tmp_path, ["Z21"], "fft").devices[0].card.points is None
    assert devices_from_folder(tmp_path, ["Z21"], "spline").devices[0].card.points is not None


def test_devices_of_different_fit_modes_are_refused(tmp_path: Path) -> None:
    write_fit(tmp_path, "poly")
    write_fit(tmp_path, "univariate", "z15")
    with pytest.raises(InputError, match=r"z21: poly, z15: univariate"):
        devices_from_folder(tmp_path, ["Z21", "Z15"])


def test_nodes_alone_do_not_say_the_fit_mode(tmp_path: Path) -> None:
    write_fit(tmp_path, "spline")
    (tmp_path / "z21_coefficients.csv").unlink()
    with pytest.raises(InputError, match=r"do not say what its curve is(?s:.*)z21_coefficients\.csv"):
        devices_from_folder(tmp_path, ["Z21"])


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("z21_coefficients.csv", "coefficient,degree\n1,2\n1,0\n", "not those of a polynomial"),
        ("z21_coefficients.csv", "coefficient,degree\n1,0\n1,1\n", "not those of a polynomial"),
        ("z21_coefficients.csv", "\n".join(f"1,{d}" for d in range(26, -1, -1)), "at most 25"),
        ("z21_coefficients.csv", "1e308,2\n1e308,1\n1e308,0\n", "overflows inside its range"),
        ("z21_coefficients.csv", "\n".join(f"1e300,{d}" for d in range(25, -1, -1)), "overflows inside its range"),
        ("z21_clamp_params.csv", "V_min,V_max\n1.5,0\n", "range of the polynomial"),
        ("z21_clamp_params.csv", "V_min,V_max\n0,1\n0,1\n", "range of the polynomial"),
    ],
)
def test_polynomials_that_are_none_are_refused(file: str, text: str, message: str, tmp_path: Path) -> None:
    write_fit(tmp_path, "poly")
    (tmp_path / "z21_clamp_params.csv").write_text("0,10000\n")
    (tmp_path / file).write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        devices_from_folder(tmp_path, ["Z21"], "poly")
    assert caught.value.where == str(tmp_path / file)


def test_the_basis_types_folder_comes_before_the_folder_itself(tmp_path: Path) -> None:
    write_fit(tmp_path, "univariate")
    write_fit(tmp_path / "pos-ori", "spline")
    found = devices_from_folder(tmp_path, ["Z21"], None, "pos-ori")
    assert (found.found_in, found.fit_mode) == (tmp_path / "pos-ori", "spline")
    for basis_type in (None, "neg-norm"):
        assert devices_from_folder(tmp_path, ["Z21"], None, basis_type).found_in == tmp_path


def test_without_a_basis_type_the_only_one_is_taken(tmp_path: Path) -> None:
    write_fit(tmp_path / "deg12" / "pos-norm", "poly")
    assert devices_from_folder(tmp_path, ["Z21"]).found_in == tmp_path / "deg12" / "pos-norm"
    write_fit(tmp_path / "neg-ori", "poly")
    with pytest.raises(InputError, match=r"several kinds(?s:.*)deg12/pos-norm, neg-ori"):
        devices_from_folder(tmp_path, ["Z21"])


def test_polynomials_of_several_degrees_are_several_curves(tmp_path: Path) -> None:
    for degree in (10, 15):
        write_fit(tmp_path / f"deg{degree}" / "pos-norm", "poly")
    with pytest.raises(InputError, match=r"several kinds(?s:.*)--curves .*deg10/pos-norm"):
        devices_from_folder(tmp_path, ["Z21"], None, "pos-norm")
