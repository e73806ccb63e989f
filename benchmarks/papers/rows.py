"""Rows that studies measure: each once, kept as soon as it is known, with when, where and by which versions."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.papers.data import MissingDataError
from benchmarks.report import surroundings

Row = dict[str, object]
Rows = Iterator[tuple[str, Callable[[], Row]]]
"""A study's rows: what each is called, and what measures it."""


@dataclass(frozen=True)
class Setting:
    """folder: where networks are kept. results: where rows are. quick: whether a tenth of everything is enough."""

    folder: Path
    results: Path
    quick: bool = False

    def part(self, of: int, *, at_least: int = 1) -> int:
        """All of it, or a tenth."""
        return max(of // 10, at_least) if self.quick else of


def measure(study: str, rows: Rows, setting: Setting, only: str = "") -> None:
    """Measures the rows whose names match `only` and that are not known yet, one after the other.

    A row whose data are not here is left out, and what is missing is said.
    """
    path = setting.results / f"{study}.json"
    for name, measured in rows:
        if not re.search(only, name) or name in known(path):
            continue
        print(f"{study}: {name}", flush=True)
        begin, wall = time.process_time(), time.monotonic()
        try:
            row = measured()
        except MissingDataError as error:
            print(f"left out: {error}", flush=True)
            continue
        spent = {"processor_s": time.process_time() - begin, "wall_s": time.monotonic() - wall}
        _keep(path, name, row | {"measured": _measured() | spent})


def known(path: Path) -> dict[str, Row]:
    """The rows of a file, none if there is no file."""
    return json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else {}


def measured_row(study: str, name: str, setting: Setting) -> Row:
    """What was measured before. Raises MissingDataError where nothing was."""
    rows = known(setting.results / f"{study}.json")
    if name not in rows:
        raise MissingDataError(f"{name} was not measured")
    return rows[name]


def _keep(path: Path, name: str, row: Row) -> None:
    """Another process may have added rows meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"schema": "kanspice.papers/1", "rows": known(path) | {name: row}}, indent=1)
    beside = path.with_suffix(f".{os.getpid()}")
    beside.write_text(text + "\n", encoding="utf-8")
    beside.replace(path)


def _measured() -> Row:
    around = surroundings()
    return {name: around[name] for name in ("date", "machine", "versions")}
