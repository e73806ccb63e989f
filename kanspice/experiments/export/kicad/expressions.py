"""S-expressions as KiCad writes them: words, numbers, and texts between quotation marks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid5

_OURS = UUID("6b616e73-7069-6365-8000-6b6963616421")
_ESCAPED = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "", "\t": " "})


@dataclass(frozen=True)
class Text:
    """What stands between quotation marks."""

    text: str

    def __str__(self) -> str:
        printable = "".join(each for each in self.text.translate(_ESCAPED) if each.isprintable())
        return f'"{printable}"'


Atom = str | float | Text
"""A `str` is a bare word; numbers have at most four decimals, which is a tenth of a micrometre."""
Node = Atom | tuple["Node", ...]


def form(head: str, *parts: Node) -> Node:
    """A list that begins with a word."""
    return (head, *parts)


def written(node: Node) -> str:
    """An expression as text, a line for every list that holds lists."""
    return "".join(_lines(node, 0)) + "\n"


def identity(*names: object) -> str:
    """A UUID that is the same for the same names, so that the same circuit is the same file."""
    return str(uuid5(_OURS, "/".join(map(str, names))))


def _lines(node: Node, depth: int) -> Iterator[str]:
    if isinstance(node, str | Text):
        yield str(node)
    elif isinstance(node, float | int):
        yield _number(node)
    elif all(_is_atom(part) for part in node):
        yield f"({' '.join(''.join(_lines(part, 0)) for part in node)})"
    else:
        yield "("
        for place, part in enumerate(node):
            if place:
                yield " " if _is_atom(part) else "\n" + "  " * (depth + 1)
            yield from _lines(part, depth + 1)
        yield ")"


def _is_atom(node: Node) -> bool:
    return isinstance(node, str | float | int | Text)


def _number(value: float) -> str:
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
