"""Golden files: what kanspice writes, kept as text, so that no change of a refactoring goes unseen.

`pytest tests/golden --snapshot-update` accepts what is written now; `git diff` then shows what has changed.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

import pytest
from matplotlib.figure import Figure
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

DIGITS = 12
"""Of a number in a golden file: what processors and versions of BLAS may do to the last ones says nothing."""
_NUMBER = re.compile(r"(?<![\w.])\d+\.\d+(?:e[+-]\d+)?(?![\w.])|(?<![\w.])\d+e[+-]\d+(?![\w.])")
_SPLIT = re.compile(r"\((-?\d+\.\d+(?:e[+-]\d+)?)([+-]\d+\.\d+(?:e[+-]\d+)?)\)")
_SCRIPT = re.compile(r"<script>.*?</script>", re.DOTALL)
_SVG = re.compile(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)")


class _Text(SingleFileSnapshotExtension):
    """One readable file for each golden text, in `__snapshots__`."""

    _write_mode = WriteMode.TEXT


_VERSION = re.compile(r'("kanspice": "|company "kanspice )\d[\w.]*')
"""Of kanspice, as documents and sheets have it."""
EXTENSIONS = {
    name: type(name, (_Text,), {"file_extension": name})
    for name in ("txt", "json", "html", "md", "xml", "csv", "github")
}


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> Callable[[str, str], None]:
    """Holds a text against its golden file, which is named after the test and ends with the extension."""

    def check(text: str, extension: str = "txt") -> None:
        assert steady(text) == snapshot.use_extension(EXTENSIONS[extension])

    return check


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    """Pictures are not drawn, since their bytes are matplotlib's: pages hold the base64 of their format instead."""
    monkeypatch.setattr(Figure, "savefig", lambda _, file, *, format, **options: file.write(format.encode()))


def steady(text: str) -> str:
    """The same wherever it was made: numbers of `DIGITS` digits at most, a ~ where there were more, no version.

    Of the scripts of a page only their hashes stay, which are in its policy.
    """
    text = _SCRIPT.sub("<script>SCRIPT</script>", text)
    text = _SVG.sub(lambda found: base64.b64decode(found[1]).decode(), text)
    text = _SPLIT.sub(lambda found: joined(found[0], *map(float, found.groups())), text)
    return _VERSION.sub(r"\1VERSION", _NUMBER.sub(lambda found: rounded(found[0]), text))


def rounded(number: str) -> str:
    """A number's text without the digits that are not compared: 3.9999999999999996 is 4.0."""
    if digits(number) <= DIGITS:
        return number
    short = repr(float(f"{float(number):.{DIGITS}g}"))
    return short if digits(short) < DIGITS - 1 else f"{short}~"


def joined(text: str, first: float, second: float) -> str:
    """A number in one piece with ~~ where it is written as a sum, as ngspice needs it; else the text."""
    return text if abs(second) > 1e-9 * abs(first) else f"({first + second:.{DIGITS}g}~~)"


def digits(number: str) -> int:
    """Significant ones."""
    mantissa = number.partition("e")[0]
    return len(mantissa.replace(".", "").strip("0"))
