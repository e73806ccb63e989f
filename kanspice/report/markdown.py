"""A gap as Markdown: what a pull request, or the summary of a CI job, shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from kanspice.report.formatting import (
    plain,
)
from kanspice.report.verdict import Verdict

# Whatever could begin markup, HTML, a table cell, a link, a mention or an issue's number, written as an entity.
_MARKUP = re.compile(r"[^\w\s.,:;/=%+()'-]|:(?=/)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|(?<=www)\.", re.ASCII)


_MENTION = "@#"


_NO_SPACE = "&#8203;"


Row = Sequence[str]


def document(blocks: Iterable[str]) -> str:
    """Blocks with an empty line between them."""
    return "\n\n".join(block for block in blocks if block) + "\n"


def mark(found: Verdict, exit_code: int) -> str:
    """The verdict of a heading, with a sign that is seen from afar."""
    signs = {0: "✅", 1: "❌"}
    return f"{signs.get(exit_code, '⚠️')} {escape(found.text)}"


def table(header: Row, rows: Iterable[Row]) -> str:
    """A table of cells that are Markdown already; nothing where there are no rows."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    if not lines:
        return ""
    return "\n".join(["| " + " | ".join(header) + " |", "|" + " --- |" * len(header), *lines])


def folded(summary: str, block: str) -> str:
    """A block that opens with a click."""
    return f"<details><summary>{escape(summary)}</summary>\n\n{block}\n\n</details>"


def said(found: Verdict) -> str:
    """A verdict's sentence, bold where it must not be overlooked."""
    return f"**{escape(found.text)}**" if found.warning else escape(found.text)


def code(text: object) -> str:
    """A name: everything in it visible, nothing in it markup."""
    return f"<code>{escape(text)}</code>"


def escape(text: object) -> str:
    """Text on one line that Markdown and HTML leave as it is, and that mentions nobody."""
    return _MARKUP.sub(_entity, plain(text))


def _entity(found: re.Match[str]) -> str:
    letter = found.group()
    if not letter.isascii():
        return letter
    return f"&#{ord(letter)};" + (_NO_SPACE if letter in _MENTION else "")
