"""Text from strangers, made safe to show: every character can be seen, so that no name moves a terminal's cursor."""

from __future__ import annotations

import json
import re

_UNSEEN = re.compile(r"[^\n -~]")
"""What has to be looked at more closely."""
_LONGEST_NAME = 80


def visible(text: str) -> str:
    """The text, line by line, with what cannot be seen as Python writes it in a string."""
    return _UNSEEN.sub(lambda found: found[0] if found[0].isprintable() else escaped(found[0]), text)


def plain(value: object) -> str:
    """Text on one line with every character visible."""
    return visible(" ".join(str(value).split()))


def shown_name(text: str) -> str:
    """A name that a stranger gave, for a message: on one line, every character visible, cut where it is long."""
    shown = "".join(letter if letter.isprintable() else escaped(letter) for letter in text[:_LONGEST_NAME])
    return shown + "..." * (len(text) > _LONGEST_NAME)


def visible_json(text: str) -> str:
    """A JSON document with what cannot be seen as JSON writes it in a string, which is where it must be."""
    return _UNSEEN.sub(lambda found: found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1], text)


def escaped(letter: str) -> str:
    r"""One character as Python writes it in a string: `\x1b`."""
    return letter.encode("unicode_escape").decode("ascii")
