"""The documentation site: what can be told without building it, which `make docs` does."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from kanspice.devices import list_devices
from kanspice.technology import entries, load_technology

ROOT = Path(__file__).resolve().parents[1]


class Loader(yaml.SafeLoader):
    """Of a file whose tags name functions of Python, which are not called."""


Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda loader, suffix, node: None)


def tool(name):
    """A module of tools/site, which is no package."""
    sys.path.insert(0, str(ROOT / "tools" / "site"))
    try:
        return import_module(name)
    finally:
        sys.path.pop(0)


def pages(entry) -> list[str]:
    match entry:
        case str():
            return [entry]
        case dict():
            return [page for value in entry.values() for page in pages(value)]
        case _:
            return [page for each in entry for page in pages(each)]


def test_every_page_and_every_example_is_in_the_navigation_once():
    listed = pages(yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader)["nav"])
    written = [path for kind in ("md", "ipynb") for path in (ROOT / "docs").rglob(f"*.{kind}")]
    made = {f"gallery/{example.name}/index.md" for example in tool("gallery").examples()}
    assert len(listed) == len(set(listed))
    assert {path.relative_to(ROOT / "docs").as_posix() for path in written} | made <= set(listed)


def test_every_example_says_how_it_is_verified():
    gallery = tool("gallery")
    for example in gallery.examples():
        words = gallery.command(example)
        assert words[0] == "verify"
        assert (ROOT / words[1]).is_file()


def test_the_reference_has_every_command_option_key_and_device():
    reference = tool("reference")
    commands = reference.command_line()
    assert "## kanspice verify\n" in commands
    assert "## kanspice devices fit\n" in commands
    assert "| `--cross-check`" in commands
    assert "`smooth|passive|" in commands
    keys = reference.technology()
    assert all(f"| `{key.name}` |" in keys for _, _, found in entries(load_technology(None)) for key in found)
    cards = reference.devices()
    for device in list_devices():
        assert cards[f"device-cards/{device.name}.svg"].startswith("<?xml")
        assert f"## {device.name}\n" in cards["device-cards.md"]
    schemas = reference.schemas()
    assert {f"json-schemas/{path.name}" for path in ROOT.glob("schemas/*.json")} < schemas.keys()
    assert "| `cross_check` | " in schemas["json-schemas.md"]
    assert "::: kanspice.verify\n" in reference.python()


def test_links_that_lead_nowhere_are_found(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "index.html").write_text('<h2 id="here"></h2><a href="../#top"></a><a href="../none/"></a>')
    (tmp_path / "index.html").write_text(
        '<p id="top"></p><a href="one/#here"></a><a href="one/#there"></a><img src="x.png">'
    )
    found = tool("links").broken(tmp_path)
    assert sorted(found) == ["index.html: one/#there", "index.html: x.png", "one/index.html: ../none/"]


def test_parameters_of_a_docstring_become_a_list():
    pytest.importorskip("griffe")
    text = "Measures.\n\nlimit: the first\nso many. a, b: two: more. Raises InputError."
    assert tool("parameters").listed(text, ["limit", "a", "b"]) == (
        "Measures.\n\n- `limit`: the first so many.\n- `a, b`: two: more.\n\nRaises InputError."
    )
    assert tool("parameters").listed(text, []) == text
