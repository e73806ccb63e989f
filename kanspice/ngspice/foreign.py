"""Running a netlist that somebody else wrote: looked at first, because a deck can run any command.

ngspice has no switch against `.control` blocks, shell escapes, backquotes, programs started by code models or
files outside the folder, so only cards known to be harmless pass; `trust` skips the look.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from kanspice.errors import InputError, SimulatorError
from kanspice.ngspice.diagnose import first_complaint, suspicion
from kanspice.ngspice.process import RAW_FILE, run_deck
from kanspice.ngspice.program import find_ngspice
from kanspice.ngspice.raw import Plot, read_plots

_MAX_BYTES = 500_000_000
_MAX_FILES = 200
_DECK = "netlist.cir"
_HARMLESS = frozenset(
    ".title .param .func .subckt .ends .model .include .inc .global .ic .nodeset .options .option .opt .temp .save"
    " .print .plot .probe .op .dc .ac .tran .noise .tf .sens .pz .disto .four .meas .measure .end .if .elseif .else"
    " .endif .csparam .width .eom .macro".split()
)
_INCLUDE = re.compile(r"^\.inc(?:lude)?\s+(.+?)\s*$", re.I)
_SUSPECT = (
    ("`", "a backquote, which runs a command"),
    ("d_process", "a code model that starts a program"),
    ("d_cosim", "a code model that loads a library"),
    ("filesource", "a code model that reads a file"),
    ("file=", "a parameter that names a file"),
    ("filename=", "a parameter that names a file"),
    ("state_file", "a parameter that names a file"),
    ("input_file", "a parameter that names a file"),
)
_HINT = "look at the netlist yourself, then pass --trust if you believe it"


@dataclass(frozen=True)
class NetlistRun:
    """Plots of a foreign netlist, and what ngspice said."""

    plots: tuple[Plot, ...]
    messages: str
    engine_version: str
    wall_s: float


def run_netlist(path: Path, *, trust: bool = False, timeout_s: float | None = None) -> NetlistRun:
    """Runs the analyses in a netlist, in a fresh folder that holds it and the files it includes.

    Raises InputError for a netlist that is unreadable or, without `trust`, not known to be harmless;
    SimulatorError when ngspice gives no complete, finite result.
    """
    program = find_ngspice()
    with tempfile.TemporaryDirectory(prefix="kanspice-") as name:
        folder = Path(name)
        deck = path.resolve()
        if trust:
            run = run_deck(program, deck.parent, str(deck), deadline=_deadline(timeout_s), raw=folder / RAW_FILE)
        else:
            _copy_checked(path, folder)
            run = run_deck(program, folder, _DECK, deadline=_deadline(timeout_s))
        plots = tuple(read_plots(folder / RAW_FILE))
    if run.timed_out:
        raise SimulatorError(
            "the simulation was ended", where=path, found=f"no result in {timeout_s:g} s", hint="raise --timeout"
        )
    doubt = suspicion(run.messages)
    if doubt is not None:
        raise SimulatorError("ngspice did not converge", where=path, found=doubt[1])
    if not plots or any(plot.table.size == 0 for plot in plots):
        raise SimulatorError("ngspice gave no results", where=path, found=first_complaint(run.messages))
    return NetlistRun(plots, run.messages, program.version_text, run.wall_s)


def _deadline(timeout_s: float | None) -> float | None:
    return None if timeout_s is None else time.monotonic() + timeout_s


def _copy_checked(path: Path, folder: Path) -> None:
    """Copies the netlist and what it includes into `folder`, every line looked at."""
    root = path.parent.resolve()
    waiting, seen = [path.resolve()], set[Path]()
    while waiting:
        source = waiting.pop()
        if source in seen:
            continue
        seen.add(source)
        if len(seen) > _MAX_FILES:
            raise InputError("includes too many files", where=path, expected=f"at most {_MAX_FILES}")
        text = _read(source)
        waiting += _check(text, source, root, is_deck=source == path.resolve())
        target = folder / (_DECK if source == path.resolve() else source.relative_to(root))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError("is too large for a netlist", where=path, expected=f"at most {_MAX_BYTES} bytes")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("cannot be read as a netlist", where=path, found=str(error)) from error


def _check(text: str, path: Path, root: Path, *, is_deck: bool) -> list[Path]:
    """Refuses what is not known to be harmless; returns the files that the text includes."""
    included = []
    for number, line in enumerate(_logical_lines(text), 1):
        if number == 1 and is_deck:
            line = _title(line)  # noqa: PLW2901 - ngspice takes a deck's first line for its title
        lowered = line.lower()
        for sign, meaning in _SUSPECT:
            if sign in lowered.replace(" ", ""):
                raise _refusal(path, meaning, line)
        card = lowered.split(maxsplit=1)[0] if lowered.strip() else ""
        if card.startswith(".") and card not in _HARMLESS:
            raise _refusal(path, f"the card {card}, which is not known to be harmless", line)
        match = _INCLUDE.match(line.strip())
        if match:
            included.append(_included(match[1], path, root, line))
    return included


def _title(line: str) -> str:
    """A title may say anything, unless ngspice would read it as a card."""
    return line if line.strip().startswith((".", "*")) or "`" in line else ""


def _logical_lines(text: str) -> list[str]:
    """Lines with their `+` continuations joined and comment lines emptied."""
    lines: list[str] = []
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("+") and lines:
            lines[-1] += " " + line[1:]
        else:
            lines.append("" if line.startswith("*") and "`" not in line else line)
    return lines


def _included(name: str, path: Path, root: Path, line: str) -> Path:
    target = (path.parent / name.strip("\"'")).resolve()
    if not target.is_relative_to(root):
        raise _refusal(path, "a file outside of the netlist's folder", line)
    return target


def _refusal(path: Path, meaning: str, line: str) -> InputError:
    return InputError(
        "this netlist is not run: it comes from elsewhere and is not known to be harmless",
        where=path,
        found=f"{meaning}: {line.strip()[:120]!r}",
        hint=_HINT,
    )
