"""The templates of pages, and what they need."""

from __future__ import annotations

import base64
import re
from functools import cache
from typing import TYPE_CHECKING

from kanspice.report.symbols import SYMBOLS

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup


_WHOLE = 18
"""Code of so many characters is not broken into lines."""


@cache
def template(name: str) -> Template:
    """A page, or a part of one, from the templates beside this file."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - most runs write no page

    environment = Environment(
        loader=PackageLoader("kanspice.report", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["breakable"] = _breakable
    environment.filters["capital"] = _capital
    environment.filters["ticked"] = _ticked
    environment.globals["symbols"] = SYMBOLS
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    return environment.get_template(name)


def _breakable(name: object) -> Markup:
    """A name that a narrow column may break where its parts end."""
    from markupsafe import Markup, escape  # noqa: PLC0415 - comes with jinja2

    return Markup(re.sub(r"(?<=\w{4})([._/])(?=\w)", r"\1<wbr>", str(escape(name))))  # noqa: S704 - escaped just now


def _capital(text: str) -> str:
    """A sentence with its first letter large, unless it begins with a name, as `z21_nodes:` is one."""
    first = text.partition(" ")[0].rstrip(",:;")
    return f"{text[:1].upper()}{text[1:]}" if first.replace("'", "").isalpha() else text


def _ticked(text: object) -> Markup:
    """Text in which what stands between back-ticks is code."""
    from markupsafe import Markup, escape  # noqa: PLC0415 - comes with jinja2

    def code(found: re.Match[str]) -> str:
        if len(found[1]) <= _WHOLE:
            return f'<code class="whole">{found[1]}</code>'
        return f"<code>{' '.join(map(_unbroken, found[1].split(' ')))}</code>"

    return Markup(re.sub(r"`([^`]+)`", code, str(escape(text))))  # noqa: S704 - escaped just now


def _unbroken(word: str) -> str:
    """A short word of code, in which a browser would break lines after hyphens."""
    return f'<span class="whole">{word}</span>' if "-" in word and len(word) <= _WHOLE else word


def inside(picture: bytes) -> str:
    """A picture's bytes as an address that needs no other file."""
    return "data:image/png;base64," + base64.b64encode(picture).decode("ascii")
