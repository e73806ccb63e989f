"""Pages of the documentation site that the program writes about itself, as Markdown."""

from __future__ import annotations

import inspect
import io
import json
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import typer
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

import kanspice
from kanspice.cli.commands import app
from kanspice.devices import Device, list_devices
from kanspice.technology import entries, load_technology

ROOT = Path(__file__).resolve().parents[2]
_VALUES = {Path: "PATH", int: "INTEGER", float: "FLOAT"}
_TECHNOLOGIES = ("ideal", "typical", "pessimistic")


def python() -> str:
    """Every public name of the package; mkdocstrings puts the docstrings in."""
    objects = {name: getattr(kanspice, name) for name in sorted(kanspice.__all__)}
    functions = [name for name, found in objects.items() if inspect.isroutine(found)]
    classes = [name for name, found in objects.items() if inspect.isclass(found)]
    errors = [name for name in classes if issubclass(objects[name], Exception)]
    lines = ["# Python", "", "What `import kanspice` gives, from its docstrings. [How to use it](../python.md)."]
    for title, names in {
        "Functions": functions,
        "Classes": [name for name in classes if name not in errors],
        "Errors": errors,
    }.items():
        lines += ["", f"## {title}", "", *(f"::: kanspice.{name}\n" for name in names)]
    return "\n".join(lines)


def command_line() -> str:
    """Every command with its arguments and options."""
    lines = ["# Command line", "", "Every command and option, as `kanspice COMMAND --help` has them."]
    for path, command in _commands("kanspice", typer.main.get_command(app)):
        usage, *rest = inspect.cleandoc(command.help or "").split("\n\n")
        lines += ["", f"## {path}", "", usage, *(f"\n{paragraph}" for paragraph in rest), "", *_options(command)]
    return "\n".join(lines)


def _commands(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name, child in children.items():
        yield from _commands(f"{path} {name}", child)


def _options(command: Any) -> Iterator[str]:
    """Tables of its parameters, one for each group that --help shows."""
    groups: dict[str, list[Any]] = {}
    for parameter in command.params:
        if not getattr(parameter, "hidden", False):
            is_argument = parameter.param_type_name == "argument"
            group = getattr(parameter, "rich_help_panel", None) or ("Arguments" if is_argument else "Options")
            groups.setdefault(group, []).append(parameter)
    for group, parameters in groups.items():
        yield from ("", f"**{group}**", "", "| | meaning | if not given |", "|---|---|---|")
        yield from (_row(parameter) for parameter in parameters)


def _row(parameter: Any) -> str:
    names = [] if parameter.param_type_name == "argument" else [*parameter.opts, *parameter.secondary_opts]
    value = "" if parameter.type_descriptor.annotation is bool else _metavar(parameter)
    shown = " ".join(f"`{part}`" for part in [*names, value] if part)
    default = "required" if parameter.required else _default(parameter.default)
    return f"| {shown} | {_cell(parameter.help or '')} | {default} |"


def _metavar(parameter: Any) -> str:
    """What stands for its value, as --help has it, or its choices."""
    kind = parameter.type_descriptor.annotation
    if parameter.metavar:
        return str(parameter.metavar).strip("<>")
    if inspect.isclass(kind) and issubclass(kind, Enum):
        return "|".join(str(each.value) for each in kind)
    return _VALUES.get(kind, "TEXT")


def _default(value: object) -> str:
    if value is None or value is False or value in ((), [], "") or callable(value):
        return ""
    return f"`{getattr(value, 'value', value)}`"


def technology() -> str:
    """Every key of a technology, with its value in those that are shipped."""
    loaded = {name: load_technology(name) for name in _TECHNOLOGIES}
    values = {
        name: {key.name: key.value for _, _, keys in entries(each) for key in keys} for name, each in loaded.items()
    }
    lines = [
        "# Technology keys",
        "",
        "Every key that a technology file, or `--set SECTION.KEY=VALUE`, can give.",
        "[What they are for](../technology.md).",
    ]
    for section, about, keys in entries(loaded["ideal"]):
        lines += ["", f"## {section}", "", _cell(about), "", f"| key | {' | '.join(_TECHNOLOGIES)} | meaning |"]
        lines.append("|---|" + "---:|" * len(_TECHNOLOGIES) + "---|")
        for key in keys:
            cells = " | ".join(_value(values[name][key.name]) for name in _TECHNOLOGIES)
            lines.append(f"| `{key.name}` | {cells} | {_cell(key.meaning)} |")
    return "\n".join(lines)


def _value(value: float | str) -> str:
    return f"{value:g}" if isinstance(value, float) else _cell(str(value))


def schemas() -> dict[str, str]:
    """The JSON schemas with a page of their fields: contents by name of file."""
    files = {path.name: path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("schemas/*.json"))}
    lines = [
        "# JSON schemas",
        "",
        "What `--json` writes, by the `format` in it. The files are JSON Schema, draft 2020-12.",
        "[What the numbers mean](../gap-metrics.md).",
    ]
    for name, text in files.items():
        schema = json.loads(text)
        lines += ["", f"## {name.removesuffix('.json')}", "", _cell(schema.get("description", ""))]
        lines += ["", f"[{name}](json-schemas/{name})", "", "| key | what it is | always there |", "|---|---|---|"]
        for key, field in schema["properties"].items():
            needed = "yes" if key in schema.get("required", ()) else ""
            lines.append(f"| `{key}` | {_cell(_described(field, schema))} | {needed} |")
    return {f"json-schemas/{name}": text for name, text in files.items()} | {"json-schemas.md": "\n".join(lines)}


def _described(field: dict[str, Any], schema: dict[str, Any]) -> str:
    """Its description, or that of the part it refers to."""
    if "description" in field:
        return str(field["description"])
    if "$ref" in field:
        part = schema["$defs"][field["$ref"].rpartition("/")[2]]
        return str(part.get("description", ""))
    return str(field.get("const", ""))


def devices() -> dict[str, str]:
    """The shipped device cards with their curves: contents by name of file."""
    files, lines = {}, ["# Device cards", "", "The devices that kanspice ships. [How to add one](../add-a-device.md)."]
    for device in list_devices():
        files[f"device-cards/{device.name}.svg"] = _curve(device)
        card = (ROOT / "device_models" / f"{device.name}.toml").read_text(encoding="utf-8")
        lines += [
            "",
            f"## {device.name}",
            "",
            f"![Curve of {device.name}](device-cards/{device.name}.svg){{ loading=lazy }}",
            "",
        ]
        lines += [_cell(device.card.description), "", f"Source: {_cell(device.card.source)}", ""]
        lines += [
            f'??? note "{device.name}.toml"',
            "",
            "    ```toml",
            *(f"    {line}" for line in card.splitlines()),
            "    ```",
        ]
    return files | {"device-cards.md": "\n".join(lines)}


def _curve(device: Device) -> str:
    figure = Figure(figsize=(5.5, 3), layout="constrained")
    FigureCanvasSVG(figure)
    axes: Axes = figure.add_subplot()
    v = np.linspace(device.curve.lo_v, device.curve.hi_v, 401)
    axes.plot(v, device.curve.numpy(v)[0], label="card")
    if device.card.points is not None:
        axes.plot(device.card.points.v, device.card.points.i, ".", color="0.3", label="points")
        axes.legend(frameon=False)
    axes.set_xlabel("voltage / V")
    axes.set_ylabel("current / units of the card")
    axes.axhline(0, color="0.7", linewidth=0.8)
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def _cell(text: str) -> str:
    """In a line of a table; what looks like HTML is shown as it is. Code is left alone: nothing in it is a mark."""
    parts = " ".join(text.split()).split("`")
    parts[::2] = [re.sub(r"<(?=[a-zA-Z/])", "&lt;", part.replace("|", "\\|")) for part in parts[::2]]
    return "`".join(parts)
