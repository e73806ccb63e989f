"""`kanspice devices`: what it prints and writes."""

from __future__ import annotations

import json
import math
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from kanspice.base.errors import InputError
from kanspice.cli.devices import app
from kanspice.devices import Device, list_devices, load_device, write_card
from kanspice.families.compiling import compile_nominal
from kanspice.families.kanalogue.network import KANalogue
from kanspice.families.loading import load
from kanspice.families.saving import save
from kanspice.technology.loading import load_technology

POINTS = "v,i\n" + "".join(f"{v:.2f},{math.sin(5 * v)!r}\n" for v in np.linspace(0, 1, 21).tolist())


VOLTS = [round(v, 6) for v in np.linspace(0, 1, 21).tolist()]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "160"})


@pytest.fixture
def points(tmp_path: Path) -> Path:
    path = tmp_path / "iv.csv"
    path.write_text(POINTS)
    return path


def test_list_names_every_device() -> None:
    result = run("list")
    assert result.exit_code == 0
    for name in ("a21", "z21", "z15", "zaz21", "rtd", "nmos_2n7002"):
        assert name in result.stdout
    assert "a21, constant, z21, zaz21: currents against the voltage" in result.stdout
    assert "zaz21_passive: the same points fitted without" in " ".join(result.stdout.split())
    assert "unit -: the source does not say what its unit of current is" in result.stdout


def test_show_says_where_a_curve_delivers_power_and_what_its_unit_is() -> None:
    shown = " ".join(run("show", "z21").stdout.split())
    assert "at 1.147 V, where it carries -0.08371: no passive device does" in shown
    assert "not stated: units.i_unit_a of the technology is assumed" in shown
    shown = " ".join(run("show", "nmos_2n7002").stdout.split())
    assert "delivers power nowhere" in shown
    assert "amperes in it 0.001" in shown


def test_fit_is_told_what_the_currents_are_in(points: Path, tmp_path: Path) -> None:
    assert run("fit", points, "-o", tmp_path / "c.toml", "--kind", "segments", "--current-unit", "uA").exit_code == 0
    units = load_device(tmp_path / "c.toml").card.units
    assert (units.current, units.current_unit_a) == ("uA", 1e-6)


def test_cards_are_printed_as_json() -> None:
    shown = json.loads(run("show", "ZAZ-15", "--json").stdout)
    assert (shown["format"], shown["name"]) == ("kanspice.device/1", "zaz21")
    assert Device.from_dict(shown).sha256 == load_device("zaz21").sha256
    assert [card["name"] for card in json.loads(run("list", "--json").stdout)] == [d.name for d in list_devices()]


@pytest.mark.slow
def test_a_picture_is_named_after_its_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_card(load_device("a21"), tmp_path / "A_pos.toml")
    assert "wrote A_pos.png" in run("plot", "A_pos.toml").stdout


def test_show_says_source_peak_and_valley() -> None:
    result = run("show", "ZAZ-15")
    assert result.exit_code == 0
    assert "Li et al." in result.stdout
    assert "1.522 at 0.9732 V" in result.stdout
    assert "undefined: the valley current is not positive" in result.stdout
    assert load_device("zaz21").sha256 in result.stdout


def test_show_of_a_rising_curve() -> None:
    assert "none: the curve never falls" in run("show", "2n7002").stdout


def test_show_of_an_unknown_device_raises_the_clear_error() -> None:
    result = run("show", "b21")
    assert isinstance(result.exception, InputError)
    assert result.exception.exit_code == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a21", "nmos_2n7002"])
def test_plot_writes_a_picture(name: str, tmp_path: Path) -> None:
    result = run("plot", name, "-o", tmp_path / "curve.png")
    assert result.exit_code == 0
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG\r\n")


@pytest.mark.slow
def test_plot_beneath_a_file_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("plot", "a21", "-o", tmp_path / "file" / "curve.png")
    assert isinstance(result.exception, InputError)
    assert "the file cannot be written" in str(result.exception)


def test_fit_writes_a_card_that_loads(points: Path, tmp_path: Path) -> None:
    card = tmp_path / "My_Diode.toml"
    result = run("fit", points, "-o", card, "--smoothing", "0", "--reverse", "odd")
    assert result.exit_code == 0, result.exception
    assert "residual rms" in result.stdout
    device = load_device(card)
    assert (device.name, device.curve.lo_v) == ("my_diode", -1.0)
    assert device.curve.numpy(-0.5)[0] == pytest.approx(-np.sin(2.5), abs=1e-12)


@pytest.mark.parametrize("kind", [["polynomial", "--degree", "7"], ["segments"], ["spline", "--smoothing", "0.01"]])
def test_every_kind_of_fit(kind: list[str], points: Path, tmp_path: Path) -> None:
    result = run("fit", points, "-o", tmp_path / "c.toml", "--name", "d1", "--kind", *kind)
    assert result.exit_code == 0, result.exception
    assert load_device(tmp_path / "c.toml").curve.numpy(0.3)[0] == pytest.approx(np.sin(1.5), abs=0.05)


def test_fit_says_how_it_read_a_file_and_keeps_its_unit(tmp_path: Path) -> None:
    swept = [*((v, 2.0) for v in VOLTS), *((v, 1.8) for v in VOLTS[::-1])]
    rows = [f"{k};{1e3 * v:.1f};{a * math.sin(5 * v):.6f}\n" for k, (v, a) in enumerate(swept)]
    (tmp_path / "smu.csv").write_text("SMU 1\nNr;Spannung [mV];Strom [mA]\n" + "".join(rows).replace(".", ","))
    result = run("fit", tmp_path / "smu.csv", "-o", tmp_path / "c.toml")
    assert result.exit_code == 0, result.exception
    told = " ".join(result.stdout.split())
    assert "42 rows from line 3, separated by semicolons, decimal commas" in told
    assert "voltage: column 2 'Spannung' in mV; current: column 3 'Strom' in mA" in told
    assert "the voltage turns 1 time: the branch up is taken (--branch down or mean for another)" in told
    assert "hysteresis: the branch down is off the one up by" in told
    units = load_device(tmp_path / "c.toml").card.units
    assert (units.current, units.current_unit_a) == ("mA", 1e-3)
    assert load_device(tmp_path / "c.toml").curve.numpy(0.3)[0] == pytest.approx(2 * math.sin(1.5), abs=0.05)


def test_the_circuit_carries_the_currents_of_the_file(tmp_path: Path) -> None:
    """From the unit of a header to amperes of a crossbar, and to those that a technology gives instead."""
    (tmp_path / "iv.csv").write_text("V (V),I (mA)\n" + "".join(f"{v},{2 * v}\n" for v in VOLTS))
    run("fit", tmp_path / "iv.csv", "-o", tmp_path / "c.toml")
    network = KANalogue((1, 1), [load_device(tmp_path / "c.toml")])
    save(network, tmp_path / "model.pt")
    loaded = load(tmp_path / "model.pt")
    assert compile_nominal(loaded, load_technology("ideal")).crossbars[0].current_unit_a == 1e-3
    asked = load_technology("ideal", ["units.i_unit_a=1e-6"])
    assert compile_nominal(loaded, asked).crossbars[0].current_unit_a == 1e-6


def test_several_devices_become_a_card_with_their_spread(tmp_path: Path) -> None:
    header = "V (V)," + ",".join(f"I{k} (uA)" for k in range(1, 4)) + "\n"
    rows = "".join(f"{v},{0.9 * v},{v},{1.1 * v}\n" for v in VOLTS)
    (tmp_path / "iv.csv").write_text(header + rows)
    result = run("fit", tmp_path / "iv.csv", "-o", tmp_path / "c.toml", "--kind", "segments")
    text = " ".join(result.stdout.split())
    assert "10.00% of the current" in text
    assert "in a circuit drawn with that; --set devices.area_sigma" in text
    assert "spread of 3 devices" in run("show", str(tmp_path / "c.toml")).stdout
    device = load_device(tmp_path / "c.toml")
    assert device.card.spread is not None
    assert device.card.spread.devices == 3
    assert device.curve.numpy(0.5)[0] == pytest.approx(0.5)


def test_fit_keeps_an_existing_card_unless_forced(points: Path, tmp_path: Path) -> None:
    card = tmp_path / "c.toml"
    card.write_text("precious")
    assert isinstance(run("fit", points, "-o", card).exception, InputError)
    assert card.read_text() == "precious"
    assert run("fit", points, "-o", card, "--force").exit_code == 0
    assert load_device(card).name == "c"


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--reverse", "mirror"], "'reverse'"), (["--name", "a b"], "'name'")],
)
def test_bad_options_are_input_errors(options: list[str], message: str, points: Path, tmp_path: Path) -> None:
    result = run("fit", points, "-o", tmp_path / "c.toml", *options)
    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)
    assert not (tmp_path / "c.toml").exists()


def test_help_waits_for_no_heavy_import() -> None:
    code = "import sys, kanspice.cli.devices; print({'torch', 'matplotlib', 'sympy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_law_is_printed_with_its_errors(tmp_path: Path) -> None:
    pytest.importorskip("lmfit")
    v = np.linspace(0, 0.5, 60)
    i = 2 * (v / 0.1) * np.exp(1 - v / 0.1) + 1e-7 * np.expm1(v / 0.03)
    i += 0.01 * np.random.default_rng(0).normal(size=60)
    (tmp_path / "iv.csv").write_text("V,I (mA)\n" + "".join(f"{a},{b}\n" for a, b in zip(v, i, strict=True)))
    result = run("fit", tmp_path / "iv.csv", "-o", tmp_path / "c.toml", "--kind", "esaki")
    told = " ".join(result.stdout.split())
    assert "law esaki_tunnelling goodness of fit R^2 = 0.999" in told
    assert "times that about a smooth curve: it describes them" in told
    assert "vp 0.10" in told
    assert "+-" in told
    assert "parameters ip " in " ".join(run("show", str(tmp_path / "c.toml")).stdout.split())


@pytest.mark.slow
@pytest.mark.ngspice
def test_the_commands_of_the_page_on_devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a file with units, `;` and decimal commas to a card, as written there."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "add-a-device.md").read_text(encoding="utf-8")
    first, *commands = page.split("```sh\n")[1].split("```")[0].splitlines()
    monkeypatch.chdir(tmp_path)
    subprocess.run(["bash", "-c", first], check=True)
    assert [command.split()[2] for command in commands] == ["fit", "plot", "show", "check"]
    for command in commands:
        assert run(*shlex.split(command)[2:]).exit_code == 0
    device = load_device(tmp_path / "my_diode.toml")
    assert (device.card.units.current, device.curve.hi_v) == ("mA", 1.0)
    assert device.curve.numpy(0.3)[0] == pytest.approx(2.4, abs=0.02)
