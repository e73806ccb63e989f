"""The one tree of errors that kanspice raises on purpose.

Every error says where it happened, what was expected, what was found and what to try, so that the
command line can print one clear message and leave with the right exit code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kanspice.base.visible import plain, visible


class KanspiceError(Exception):
    """Base of all deliberate errors. `exit_code` is what the command line leaves with."""

    exit_code = 3

    def __init__(
        self,
        problem: str,
        *,
        where: str | Path | None = None,
        expected: str | None = None,
        found: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.problem = problem
        self.where = None if where is None else str(where)
        self.expected = expected
        self.found = found
        self.hint = hint
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The error as the user reads it: one headline, then one line per known fact, every character visible.

        Further lines of a fact are indented, so that none of what was found in a file looks like a message of ours.
        """
        headline = self.problem if self.where is None else f"{plain(self.where)}: {self.problem}"
        facts = [("expected", self.expected), ("found", self.found), ("try", self.hint)]
        lines = [headline.replace("\n", "\n  ")]
        lines += [f"  {name + ':':9} {text}".replace("\n", "\n" + " " * 12) for name, text in facts if text]
        return visible("\n".join(lines))


class InputError(KanspiceError):
    """A file, an option or an array that the user gave cannot be used (exit code 2)."""

    exit_code = 2


class SimulatorError(KanspiceError):
    """The simulator is missing, crashed, or gave an incomplete answer (exit code 3)."""


@contextmanager
def errors_at(place: str | Path) -> Iterator[None]:
    """Within it, an error that does not name this place does: `place`, then where the error was within it."""
    try:
        yield
    except KanspiceError as error:
        if error.where is not None and error.where.startswith(str(place)):
            raise
        where = str(place) if error.where is None else f"{place}, {error.where}"
        raise type(error)(
            error.problem, where=where, expected=error.expected, found=error.found, hint=error.hint
        ) from error
