"""Technologies from TOML files, by name or path, with single values overridden."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, assert_never

from kanspice.base.errors import InputError, errors_at
from kanspice.base.files import is_there, parse_toml
from kanspice.base.files.array_files import load_list
from kanspice.base.quantities import read_quantity
from kanspice.base.resources import TECHNOLOGIES
from kanspice.base.validation import read_toml, similar, validate
from kanspice.technology.sections import Filters
from kanspice.technology.technology import Technology

Realisation = Literal["behavioural", "schematic", "transistor"]
"""How a circuit is built: of sources and macro-models, of the KirchhoffNet paper's schematics, of transistors."""
_OF_TRANSISTORS = "gf180"
_PARTS = (("process", "pdk"), ("tia", "subcircuit"), ("branches", "realisation"))
"""Keys that say what a circuit is built of beyond sources and macro-models."""
_LISTS = ("low_cutoffs_hz", "high_cutoffs_hz")
"""Of the filters: they may be in files."""


def shipped_technologies() -> dict[str, Path]:
    """Name -> file of the technologies that come with kanspice."""
    return {path.stem: path for path in sorted(TECHNOLOGIES.glob("*.toml"))}


def load_technology(
    source: str | Path | None = None, overrides: Sequence[str] = (), realisation: Realisation | None = None
) -> Technology:
    """The technology of a TOML file, or a shipped one by its name, with `SECTION.KEY=VALUE` overrides applied.

    The overrides are added to its name. realisation: `transistor` has the shipped technology `gf180` for what the file
    does not say; `schematic` sets `branches.realisation`; `behavioural` takes transistors and subcircuits away and
    leaves the figures that describe them; None: as the file says.
    Raises InputError for an unknown name, an unreadable file, an unknown key (naming the nearest) or a bad value.
    """
    data, path = _tables(source)
    asked = set[str]()
    match realisation:
        case None:
            pass
        case "behavioural":
            data = _without_parts(data)
        case "schematic":
            overrides = ["branches.realisation=schematic", *overrides]
        case "transistor":
            asked = set() if data.get("general") else _keys(data)
            data = _over(_tables(_OF_TRANSISTORS)[0], data)
        case _:
            assert_never(realisation)
    _check_whose_figures(data, overrides)
    for override in overrides:
        _apply_override(data, override)
    technology = _with_lists(validate(Technology, data, path or "technology"))
    changes = ["".join(text.split()) for text in overrides]
    technology = technology.model_copy(update={"name": ", ".join([technology.name, *changes])})
    if technology.general:
        technology._overridden = frozenset(change.partition("=")[0] for change in changes) | asked
    return technology


def _tables(source: str | Path | None) -> tuple[dict[str, Any], Path | None]:
    """What a technology says, and the file that says it. A file in the way of a shipped name wins."""
    if source is None:
        return {}, None
    shipped = shipped_technologies()
    path = Path(source)
    if is_there(path) or path.suffix:
        return _beside(path, read_toml(path, "a technology")), path
    if str(source) not in shipped:
        names = ", ".join(shipped)
        hint = similar(str(source), shipped)
        raise InputError("no such technology", where=source, expected=f"a TOML file, or one of {names}", hint=hint)
    path = shipped[str(source)]
    return read_toml(path, "a technology"), path


def _without_parts(data: dict[str, Any]) -> dict[str, Any]:
    """The tables of a technology without the keys that name transistors, subcircuits or schematics."""
    tables = {section: dict(table) if isinstance(table, dict) else table for section, table in data.items()}
    for section, key in _PARTS:
        if isinstance(tables.get(section), dict):
            tables[section].pop(key, None)
    return tables


def _over(base: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """The tables of a technology, and those of another for what it does not say.

    An amplifier that it brings has its own figures, and none of the other's.
    """
    both = {**base, **data}
    for section, table in base.items():
        if isinstance(table, dict) and isinstance(data.get(section), dict) and not _brings(section, data[section]):
            both[section] = {**table, **data[section]}
    if "name" in data:
        both["name"] = f"{base['name']}, {data['name']}"
    return both


def _brings(section: str, table: dict[str, Any]) -> bool:
    """Whether a section says which subcircuit amplifiers are."""
    return section == "tia" and bool(table.get("subcircuit"))


def _keys(data: dict[str, Any]) -> set[str]:
    """What a technology says, `section.key`."""
    return {f"{section}.{key}" for section, table in data.items() if isinstance(table, dict) for key in table}


def _check_whose_figures(data: dict[str, Any], overrides: Sequence[str]) -> None:
    """Raises InputError where another amplifier is brought than that which the figures of a technology are of."""
    changed, tia = {text.partition("=")[0].strip() for text in overrides}, data.get("tia")
    if "tia.subcircuit" not in changed or "tia.gain" in changed or not isinstance(tia, dict):
        return
    if "gain" in tia and not tia.get("subcircuit_sha256"):
        raise InputError(
            "tia.subcircuit is another amplifier than that which the technology has the figures of",
            where="--set",
            expected="its own figures, tia.gain among them",
            hint="kanspice characterise FILE -o tia.toml, then --tech tia.toml",
        )


def _beside(path: Path, data: dict[str, Any]) -> dict[str, Any]:
    """The tables, with files that they name found from where their own file lies."""
    filters = data.get("filters")
    if isinstance(filters, dict):
        filters |= {key: str(path.parent / filters[key]) for key in _LISTS if isinstance(filters.get(key), str)}
    tia = data.get("tia")
    if isinstance(tia, dict) and isinstance(tia.get("subcircuit"), str) and tia["subcircuit"]:
        tia["subcircuit"] = str(path.parent / tia["subcircuit"])
    return data


def _with_lists(technology: Technology) -> Technology:
    """The technology with lists instead of files of them, so that it says all that there is to say."""
    named = {key: getattr(technology.filters, key) for key in _LISTS}
    lists: dict[str, list[float]] = {}
    for key, value in named.items():
        if isinstance(value, str):
            with errors_at(f"filters.{key}"):
                lists[key] = load_list(value, "the list of cut-offs", "cut-off").tolist()
    if not lists:
        return technology
    filters = validate(Filters, technology.filters.model_dump() | lists, "technology")
    return technology.model_copy(update={"filters": filters})


def _apply_override(data: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    section, dot, name = key.strip().partition(".")
    if not (equals and dot and section and name):
        raise InputError(f"bad override '{override}'", where="--set", expected="SECTION.KEY=VALUE, as in tia.gain=1000")
    table = data.setdefault(section, {})
    if not isinstance(table, dict):
        raise InputError(f"'{section}' is not a section", where="--set", found=repr(table))
    table[name.strip()] = _value(text.strip(), name.strip())


def _value(text: str, name: str) -> Any:
    """As in TOML; a quantity as engineers write it; else the text."""
    try:
        table = parse_toml(f"value = {text}", "--set")
    except InputError as error:
        if isinstance(error.__cause__, tomllib.TOMLDecodeError):
            value = read_quantity(text, name)
            return text if value is None else value
        raise
    return table["value"] if len(table) == 1 else text
