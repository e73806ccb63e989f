"""Files, options and results that nobody should give: one message, exit code 2, and nothing of the user's is touched.

In this process, since hundreds of interpreters would take minutes: what only a whole process shows is tested elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow

V = ("verify", "model.pt", "--engine", "batched", "-q")
WITH_INPUTS = (*V, "--inputs", "inputs.npy")


@pytest.fixture
def hostile(good):
    """The good files, and beside them what is no file."""
    os.mkfifo(good / "pipe")
    os.mkfifo(good / "pipe.npy")
    for name in ("loop", "loop.npy"):
        (good / name).symlink_to(name)
    (good / "folder").mkdir()
    return good


def hashes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


LONG = "n" * 5000
READ = {
    "model": lambda path: ("verify", path, "--inputs", "inputs.npy"),
    "inputs": lambda path: (*V, "--inputs", path if path.startswith("/dev") else f"{path}.npy"),
    "labels": lambda path: (*WITH_INPUTS, "--labels", f"{path}.npy"),
    "curves": lambda path: (*WITH_INPUTS, "--curves", path),
    "technology": lambda path: (*WITH_INPUTS, "--tech", path),
    "list of a technology": lambda path: (*WITH_INPUTS, "--set", f"filters.low_cutoffs_hz='{path}.npy'"),
    "limits": lambda path: (*WITH_INPUTS, "--limits", path),
    "baseline": lambda path: (*WITH_INPUTS, "--baseline", path, "--max-growth", "10%"),
    "report": lambda path: ("report", path),
    "card": lambda path: ("devices", "fit", path, "-o", "card.toml"),
    "circuit": lambda path: ("simulate", path, "-o", "o.npz"),
    "study": lambda path: ("study", "--resume", path),
}


@pytest.mark.parametrize("path", ["pipe", "loop", "/dev/zero", LONG, "model.pt/beneath"])
@pytest.mark.parametrize("kind", READ)
def test_what_is_no_file_is_refused_and_never_waited_for(run, hostile, kind, path):
    before = hashes(hostile)
    done = run(*READ[kind](path))
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert hashes(hostile) == before


def spoiled_design(folder: Path) -> None:
    """A folder whose manifest names a file of the user's."""
    (folder / "thesis.tex").write_text("years")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["thesis.tex"] = hashlib.sha256(b"years").hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


OVERWRITES = {
    "inputs by key": (*V, "--inputs", "both.npz:x", "--json", "both.npz"),
    "reference by key": (*WITH_INPUTS, "--reference", "both.npz:y", "--html", "both.npz"),
    "inputs through a link": (*V, "--inputs", "link.npy", "--junit", "inputs.npy"),
    "the link itself": (*WITH_INPUTS, "--markdown", "link.npy"),
    "points of a curve": (*WITH_INPUTS, "--curves", "iv", "--json", "iv/z21_nodes.csv"),
    "labels, the long way round": (*WITH_INPUTS, "--labels", "labels.npy", "--json", "none/../labels.npy"),
    "limits": (*WITH_INPUTS, "--limits", "limits.toml", "--html", "limits.toml"),
    "technology": (*WITH_INPUTS, "--tech", "tech.toml", "--html", "tech.toml"),
    "a card": ("devices", "plot", "card.toml", "-o", "card.toml"),
    "points of a fit": ("devices", "fit", "iv/z21_nodes.csv", "-o", "iv/z21_nodes.csv", "--name", "a", "--force"),
    "a compiled design": (
        *("simulate", "circuit", "--inputs", "inputs.npy", "--engine", "batched"),
        *("-o", "circuit/design.npz"),
    ),
    "two results": (*WITH_INPUTS, "--json", "same", "--html", "./same"),
    "a folder with a file of mine": ("compile", "model.pt", "-o", "mine"),
    "a circuit changed by hand": ("compile", "model.pt", "-o", "changed"),
    "a folder that is read from": (
        *("compile", "model.pt", "--inputs", "circuit/design.npz:header"),
        *("-o", "circuit"),
    ),
}


@pytest.fixture
def owned(run, good):
    """The good files, with more that a user may have."""
    from kanspice.devices import load_device, write_card

    inputs, outputs = np.load("inputs.npy"), np.load("outputs.npy")
    np.savez("both.npz", x=inputs, y=outputs)
    Path("link.npy").symlink_to("inputs.npy")
    Path("iv").mkdir()
    device = load_device("z21")
    v = np.linspace(device.curve.lo_v, device.curve.hi_v, 20)
    np.savetxt("iv/z21_nodes.csv", np.c_[v, device.curve.numpy(v)[0]], delimiter=",")
    Path("limits.toml").write_text("relative_rmse = 1.0\n")
    Path("tech.toml").write_text("[tia]\ngain = 1000.0\n")
    write_card(device, Path("card.toml"))
    assert run("compile", "model.pt", "-o", "circuit", "-q").code == 0
    for name in ("mine", "changed"):
        shutil.copytree("circuit", name)
    spoiled_design(Path("mine"))
    with Path("changed/circuit.cir").open("a") as file:
        file.write("* my own line\n")
    return good


@pytest.mark.parametrize("kind", OVERWRITES)
def test_nothing_that_is_read_is_written_over(run, owned, kind):
    before = hashes(owned)
    done = run(*OVERWRITES[kind])
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert hashes(owned) == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize(
    "arguments",
    [
        (*WITH_INPUTS, "--json", "/dev/full"),
        ("devices", "plot", "z21", "-o", "/dev/full"),
        ("devices", "fit", "iv/z21_nodes.csv", "-o", "/dev/full", "--name", "a", "--force"),
    ],
)
def test_a_device_is_written_to_and_never_replaced(run, owned, arguments):
    done = run(*arguments)
    assert done.code == 2
    assert "No space left on device" in done.err
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


TEXTS = {
    "deep table": ("t.toml", "x = " + "[" * 3000, (*WITH_INPUTS, "--tech", "t.toml")),
    "deep header": ("t.toml", "[" + ".".join("a" * 3000) + "]", (*WITH_INPUTS, "--limits", "t.toml")),
    "long number": ("t.toml", "relative_rmse = " + "7" * 6000, (*WITH_INPUTS, "--limits", "t.toml")),
    "large number": ("t.toml", "relative_rmse = 1" + "0" * 350, (*WITH_INPUTS, "--limits", "t.toml")),
    "infinite limit": ("t.toml", "relative_rmse = inf", (*WITH_INPUTS, "--limits", "t.toml")),
    "deep report": ("r.json", '{"a":' * 50_000, ("report", "r.json")),
    "long cell": ("p.csv", "0," + "1" * 150_000 + "\n", ("devices", "fit", "p.csv", "-o", "c.toml")),
    "digits of another script": (
        "p.csv",
        "0,0\n\u0661,1\n2,2\n3,3\n4,4\n",
        ("devices", "fit", "p.csv", "-o", "c.toml"),
    ),
    "no UTF-8": ("t.toml", b"name = '\xff'", (*WITH_INPUTS, "--tech", "t.toml")),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_texts_that_nobody_could_work_with(run, good, kind):
    name, text, arguments = TEXTS[kind]
    (good / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    done = run(*arguments)
    assert done.code == 2
    assert done.err.startswith("error: ")


OPTIONS = {
    "deep value": (*WITH_INPUTS, "--set", "tia.gain=" + "[" * 2000),
    "long value": (*WITH_INPUTS, "--set", "tia.gain=" + "7" * 6000),
    "infinite limit": (*WITH_INPUTS, "--max", "relative_rmse=inf"),
    "infinite period": ("settle", "model.pt", "--inputs", "inputs.npy", "--period", "inf"),
    "rise longer than the period": ("settle", "model.pt", "--inputs", "inputs.npy", "--period", "1e-6", "--rise", "1"),
    "infinite tolerance": ("settle", "model.pt", "--inputs", "inputs.npy", "--within", "inf"),
    "a study for ever": ("study", "model.pt", "--inputs", "inputs.npy", "--trials", 10**12, "-o", "st"),
    "a study of everything": (
        *("study", "model.pt", "--inputs", "inputs.npy", "-o", "st"),
        *("--sweep", "tia.rail_v=" + ",".join(map(str, range(1, 100_001)))),
    ),
}


@pytest.mark.parametrize("kind", OPTIONS)
def test_options_that_nobody_could_mean(run, good, kind):
    done = run(*OPTIONS[kind])
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert not (good / "st").exists()


@pytest.mark.parametrize("setting", ["units.v_unit_v=1e300", "devices.area_sigma=1e308", "clippers.knee_v=5e-324"])
def test_absurd_values_warn_of_nothing_but_in_our_words(run, good, setting):
    done = run(*WITH_INPUTS, "--set", setting, "--html", "gap.html")
    assert done.code in {0, 2, 3}
    assert "Warning" not in done.err
