"""What commands write of a result: JSON, and its page in every format that there is, each by an option of its own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanspice.base.errors import InputError
from kanspice.base.files import write_text
from kanspice.base.visible import visible, visible_json
from kanspice.report.formats import FORMATS

if TYPE_CHECKING:
    from rich.console import Console

    from kanspice.report.blocks import Page

Command = Callable[..., None]


@dataclass(frozen=True)
class Deliverables:
    """What a command is to write, by its option's name, and where: `-` prints. At most one can be printed."""

    places: Mapping[str, str]

    def __post_init__(self) -> None:
        printed = [f"--{kind} -" for kind, place in self.places.items() if place == "-"]
        if len(printed) > 1:
            raise InputError("only one can be printed", where=" ".join(printed), hint="a file for one of them")

    @property
    def prints(self) -> bool:
        """Whether standard output is taken."""
        return "-" in self.places.values()

    @property
    def files(self) -> list[Path]:
        """What is written to files."""
        return [Path(place) for place in self.places.values() if place != "-"]

    @property
    def with_pictures(self) -> list[str]:
        """Where pages go that show pictures."""
        return [self.places[each.name] for each in FORMATS if each.has_pictures and each.name in self.places]


def delivers(**said: Mapping[str, str]) -> Callable[[Command], Command]:
    """Gives a command `--json`, and an option for every format of pages, in place of its parameter `wanted`.

    said: by an option's name, its help and metavar, where those are not the usual ones.
    """
    helps = {"json": "Write JSON; - prints it."} | {each.name: each.help for each in FORMATS}
    options = [_option(name, {"metavar": "F", "help": text, **said.get(name, {})}) for name, text in helps.items()]

    def extended(command: Command) -> Command:
        signature = inspect.signature(command, eval_str=True)
        parameters: list[inspect.Parameter] = []
        for parameter in signature.parameters.values():
            parameters += options if parameter.name == "wanted" else [parameter]

        @wraps(command)
        def parsed(**given: object) -> None:
            places = {name: place for name in helps if isinstance(place := given.pop(name), str)}
            command(**given, wanted=Deliverables(places))

        parsed.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        return parsed

    return extended


def _option(name: str, told: Mapping[str, str]) -> inspect.Parameter:
    kind = Annotated[str | None, typer.Option(f"--{name}", metavar=told["metavar"], help=told["help"])]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)


def deliver(page: Page, wanted: Deliverables, quiet: bool, json: Callable[[], str] | None = None) -> Console:
    """Prints a page, then makes and writes what is wanted of it. Gives the console for what else there is to print.

    json: makes the document; None where a command takes no `--json`.
    """
    from kanspice.cli.terminal import Terminal  # noqa: PLC0415 - --help stays fast
    from kanspice.report.terminal import print_page  # noqa: PLC0415

    console = Terminal(stderr=wanted.prints, quiet=quiet)
    print_page(page, console)
    make = {each.name: partial(each.write, page) for each in FORMATS} | ({} if json is None else {"json": json})
    for kind, place in wanted.places.items():
        text = make[kind]()
        if place == "-":
            typer.echo(visible_json(text) if kind == "json" else visible(text), nl=False)
        else:
            write_text(place, text)
    for place in wanted.with_pictures:
        if place != "-":
            console.print(f"report: {Path(place)}", soft_wrap=True, highlight=False, markup=False)
    return console
