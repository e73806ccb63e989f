"""Device curves in Verilog-A against NumPy, and how their compiled modules are kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from circuits import DEVICE_NAMES, LINE, load_device

from kanspice.base.errors import SimulatorError
from kanspice.devices import PiecewisePolynomial
from kanspice.engine.simulators.process import run_program, working_folder
from kanspice.engine.simulators.raw import read_plots
from kanspice.engine.vacask import library
from kanspice.engine.vacask.elements import GROUND, element
from kanspice.engine.vacask.library import compiled
from kanspice.engine.vacask.program import find_vacask, simulator_environment
from kanspice.engine.vacask.self_test import divided_v
from kanspice.engine.vacask.verilog import module_of, number

pytestmark = [pytest.mark.vacask, pytest.mark.slow]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def swept(curves, volts, shift):
    """(curves, points) the currents of every curve's module at these voltages, which its shift comes off."""
    program, modules = find_vacask(), [module_of(curve) for curve in curves]
    names = [f"source{place}" for place in range(len(modules))]
    with working_folder() as folder:
        files = compiled(program, modules, folder, None)
        lines = ["sweep", "ground 0", *(f'load "{file}"' for file in files), "model vsource vsource"]
        for place, name in enumerate(module.name for module in modules):
            lines.append(f"model {name}_{place} {name}")
            lines.append(f"{names[place]} (n{place} 0) vsource dc=x{place}[k]")
            lines.append(element(f"d{place}", (f"n{place}", GROUND), f"{name}_{place}", amps=1.0, shift=shift))
        tight = "reltol=1e-12 vntol=1e-13 abstol=1e-15"
        lines += ["control", f'  options rawfile="binary" {tight}', "  var k=0"]
        lines += [f"  var x{place}=[{', '.join(map(number, row))}]" for place, row in enumerate(volts)]
        lines += [f"  save {' '.join(f'i({name})' for name in names)}"]
        lines += [f'  sweep k variable="k" values=[{",".join(map(str, range(volts.shape[1])))}]', "    analysis p op"]
        (folder / "run.sim").write_text("\n".join([*lines, "endc", ""]), encoding="ascii")
        arguments = [str(program.simulator), "-qp", "-sp", "-se", "run.sim"]
        run = run_program(arguments, folder, simulator_environment(folder))
        assert run.returncode == 0, run.messages
        (plot,) = read_plots(folder / "p.raw")
    places = [plot.vectors.index(f"{name}:flow(br)") for name in names]
    return -plot.table[:, places].T


def test_every_card_carries_what_numpy_says():
    """Far beyond both ends, on every breakpoint, between them and beside them; stretched, mirrored and shifted too."""
    shipped = [load_device(name).curve for name in DEVICE_NAMES]
    some = [load_device(name).curve for name in ("z15", "rtd", "nmos_2n7002")]
    curves = [*shipped, *(curve.stretched(0.7) for curve in some), *(curve.odd() for curve in some)]
    rng, points, rows = np.random.default_rng(0), 150, []
    for curve in curves:
        corners = curve.breakpoints if isinstance(curve, PiecewisePolynomial) else np.array([curve.lo_v, curve.hi_v])
        near = np.concatenate([corners, np.nextafter(corners, -np.inf), np.nextafter(corners, np.inf), [0.0, 50.0]])
        near = rng.permutation(near)[: points // 2]
        span = curve.hi_v - curve.lo_v
        rows.append(np.concatenate([near, rng.uniform(curve.lo_v - span, curve.hi_v + span, points - len(near))]))
    for shift in (0.0, 0.05):
        found = swept(curves, np.array(rows), shift)
        for curve, volts, currents in zip(curves, rows, found, strict=True):
            expected = curve.numpy(volts - shift)[0]
            peak = float(np.abs(curve.numpy(np.linspace(curve.lo_v, curve.hi_v, 501))[0]).max())
            np.testing.assert_allclose(currents, expected, rtol=0, atol=1e-12 * peak)


def test_a_known_circuit_is_solved():
    assert divided_v(find_vacask()) == pytest.approx(2.0, abs=1e-12)


def kept(home: Path) -> list[Path]:
    """Compiled modules, each of which has the digest of what it was beside it."""
    modules = list(home.rglob("*.osdi"))
    assert {path.with_suffix("") for path in modules} == {path.with_suffix("") for path in home.rglob("*.sha256")}
    return modules


def test_a_module_is_compiled_once_and_kept_whole(home, tmp_path, monkeypatch):
    program, modules = find_vacask(), [module_of(LINE.curve)]
    folders = [tmp_path / name for name in ("first", "second", "third")]
    for folder in folders:
        folder.mkdir()
    (first,) = compiled(program, modules, folders[0], None)
    assert [path.name for path in kept(home)] == [first]
    with monkeypatch.context() as patch:
        patch.setattr(library, "_compile", None)
        compiled(program, modules, folders[1], None)
    assert (folders[1] / first).read_bytes() == (folders[0] / first).read_bytes()
    kept(home)[0].write_bytes(b"cut off")
    compiled(program, modules, folders[2], None)
    assert (folders[2] / first).stat().st_size == (folders[0] / first).stat().st_size


def test_a_cache_that_others_can_write_is_not_used(home, tmp_path):
    program, modules = find_vacask(), [module_of(LINE.curve)]
    compiled(program, modules, tmp_path, None)
    (module,) = kept(home)
    module.write_bytes(b"x" * 10_000)
    module.parent.chmod(0o777)
    compiled(program, modules, tmp_path, None)
    assert (tmp_path / module.name).read_bytes() != b"x" * 10_000


@pytest.mark.parametrize("spoil", ["another module", "one bit", "no digest"])
def test_a_kept_module_that_is_not_what_it_was_is_compiled_anew(spoil, home, tmp_path):
    program, (line, other) = find_vacask(), [module_of(curve) for curve in (LINE.curve, load_device("z21").curve)]
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
    first, second = compiled(program, [line, other], folders[0], None)
    file = next(path for path in kept(home) if path.name == first)
    match spoil:
        case "another module":
            file.write_bytes((folders[0] / second).read_bytes())
        case "one bit":
            content = bytearray(file.read_bytes())
            content[-100] ^= 1
            file.write_bytes(content)
        case _:
            file.with_suffix(".sha256").unlink()
    compiled(program, [line], folders[1], None)
    assert (folders[1] / first).read_bytes() == (folders[0] / first).read_bytes() == file.read_bytes()


def test_a_module_that_is_another_curve_is_not_believed_and_not_kept(home, tmp_path):
    right = module_of(load_device("z21").curve)
    wrong = replace(right, text=right.text.replace("I(a, c) <+ amps * f", "I(a, c) <+ amps * f * (1.0 + 1e-8 * x)"))
    with pytest.raises(SimulatorError, match=r"(?s)is not the curve that it should be.*kanspice devices check"):
        compiled(find_vacask(), [wrong], tmp_path, None)
    assert kept(home) == []
    compiled(find_vacask(), [right], tmp_path, None)


def test_a_curve_of_many_pieces_is_that_curve(tmp_path):
    volts = np.linspace(-1, 2, 1202)
    curve = PiecewisePolynomial.natural_spline(volts, np.sin(3 * volts) + 0.1 * np.cos(40 * volts))
    compiled(find_vacask(), [module_of(curve)], tmp_path, None)  # which compares them


def test_without_a_linker_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SimulatorError, match=r"(?s)needs a linker.*apt-get install binutils"):
        compiled(find_vacask(), [module_of(LINE.curve)], tmp_path, None)


def test_a_compiler_that_makes_nothing_is_an_error(tmp_path, monkeypatch):
    """Its exit status says that all went well."""
    (tmp_path / "ld").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    (tmp_path / "ld").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SimulatorError, match="made no module"):
        compiled(find_vacask(), [module_of(LINE.curve)], tmp_path, None)
