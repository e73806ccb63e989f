"""Netlists that somebody else wrote, looked at line by line, because ngspice takes commands in unexpected places.

ngspice has no switch against `.control` blocks, shell escapes, comments that are commands (`*#`, `*ng_script`),
backquotes, programs started by code models or files outside the folder. So only cards known to be harmless pass, and
what is given on are exactly the lines that were looked at, includes put in place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kanspice.base.errors import InputError
from kanspice.base.files import read_text

_MAX_BYTES = 500_000_000
_MAX_FILES = 200
WHAT = "a netlist"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ANALYSES = _words(".op .dc .ac .tran .noise .tf .sens .pz .disto")
_HARMLESS = _ANALYSES | _words(
    """.title .param .func .subckt .ends .model .global .ic .nodeset .options .option .opt .temp .save .print .plot
    .probe .four .meas .measure .end .if .elseif .else .endif .csparam .width .eom .macro"""
)
_HARMLESS_MODELS = _words(
    """r res c cap l ind d npn pnp lpnp njf pjf nmf pmf nmos pmos vdmos vdmosn vdmosp nhfet phfet sw csw urc ltra txl
    cpl gain summer mult divide limit climit ilimit cntl_limit pwl pwlts multi_input_pwl aswitch zener oneshot sine
    square triangle d_dt int s_xfer slew hyst lcouple core potentiometer inductoric capacitoric lmeter cmeter memristor
    delay sidiode adc_bridge dac_bridge bidi_bridge d_buffer d_inverter d_and d_nand d_or d_nor d_xor d_xnor d_tristate
    d_pullup d_pulldown d_open_c d_open_e d_dff d_jkff d_tff d_srff d_dlatch d_srlatch d_fdiv d_osc d_genlut d_lut"""
)
_COMMANDS = _words("include incl inc lib codemodel osdi source load use")
"""Of the simulator: some versions do them where they stand in a deck, without a dot."""
_FIELDS = {
    **dict.fromkeys("vi", (3, "a name and two nodes")),
    **dict.fromkeys("rcldbefgh", (4, "a name, two nodes and what is between them")),
    "k": (4, "a name, two inductors and their coupling"),
    **dict.fromkeys("qjz", (5, "a name, three nodes and a model")),
    "m": (6, "a name, four nodes and a model"),
}
"""Of elements by their first letter: how many there are at least. What lacks is made up by ngspice, with a warning."""
_INCLUDE = re.compile(r"""\.inc(?:lude)?\s+(?:"([^"]+)"|'([^']+)'|([^\s"']+))""", re.I)
_MODEL = re.compile(r"\.model\s+[\w.-]+\s+(\w+)(?:[\s(]|$)", re.I)
_FILE_PARAMETER = re.compile(r"file\w*=", re.I)
_HINT = "look at it yourself; what you believe, kanspice simulate runs by itself with --trust"


def inspected_deck(path: Path) -> Inspected:
    """A netlist that is run by itself, with what it includes.

    Raises InputError for one that is unreadable, or not known to be harmless.
    """
    return Inspected(Path(os.path.realpath(path.parent))).deck(Path(os.path.realpath(path)))


def inspected_library(path: Path) -> Inspected:
    """A netlist of parts that others use, with what it includes. Raises InputError as `inspected_deck` does."""
    return Inspected(Path(os.path.realpath(path.parent))).library(Path(os.path.realpath(path)))


def inspected_lines(source: Path, lines: Sequence[str]) -> Inspected:
    """Lines of such a library that were looked at once, and have been in a file since."""
    return Inspected(source.parent).text(source, "\n".join(lines))


@dataclass
class Inspected:
    """The lines of a netlist and of what it includes, each looked at, in the order in which ngspice would see them."""

    root: Path
    lines: list[str] = field(default_factory=list)
    """As they were written: a card's continuations are lines of their own."""
    cards: list[str] = field(default_factory=list)
    """The same, every card in one line."""
    analyses: int = 0
    files: int = 0

    def deck(self, path: Path) -> Inspected:
        """With a deck, whose first line is its title."""
        text = _read(path)
        title, _, body = text.partition("\n")
        _check_text(path, title)
        if title.strip().startswith("."):
            raise _refusal(path, "a card in the first line, which ngspice takes for the title", title)
        self._take(path, body, is_deck=True)
        return self

    def text(self, path: Path, text: str) -> Inspected:
        """With lines that stand in no file of their own."""
        self._take(path, text, is_deck=False)
        return self

    def library(self, path: Path) -> Inspected:
        """With a file that others include, which has no title."""
        self._take(path, _read(path), is_deck=False)
        return self

    def _take(self, path: Path, text: str, *, is_deck: bool) -> None:
        self.files += 1
        if self.files > _MAX_FILES:
            raise InputError("includes too many files", where=path, expected=f"at most {_MAX_FILES}")
        for written in _cards(path, text):
            line = " ".join(part.removeprefix("+") for part in written)
            card = line.split(maxsplit=1)[0].lower()
            if card in (".include", ".inc"):
                included = self._included(path, line)
                self._take(included, _read(included), is_deck=False)
            elif card != ".end" or is_deck:
                _check_card(path, card, line)
                self.analyses += card in _ANALYSES
                self.lines += written
                self.cards.append(line)

    def _included(self, path: Path, line: str) -> Path:
        match = _INCLUDE.fullmatch(line)
        name = "".join(part or "" for part in match.groups()) if match else ""
        if not name or set("~${}") & set(name):
            raise _refusal(path, "an include of something else than one plain file name", line)
        target = Path(os.path.realpath(path.parent / name))
        if not target.is_relative_to(self.root):
            raise _refusal(path, "a file outside of the netlist's folder", line)
        return target


def _read(path: Path) -> str:
    """The text as ngspice would see it, a mark in front of it too."""
    return read_text(path, WHAT, _MAX_BYTES, "utf-8")


def _cards(path: Path, text: str) -> Iterator[list[str]]:
    """Each card's lines, the continuations with their `+`; comments, once looked at, and empty lines are left out."""
    card: list[str] = []
    for raw in text.split("\n"):
        line = raw.strip()
        _check_text(path, line)
        if line.startswith("+"):
            if not card:
                raise _refusal(path, "a continuation of nothing", line)
            card.append(line)
        elif line and not line.startswith("*"):
            if card:
                yield card
            card = [line]
    if card:
        yield card


def _check_text(path: Path, line: str) -> None:
    """Refuses what ngspice acts on anywhere in a file, in titles and comments too."""
    lowered = line.strip().lower()
    if "`" in line:
        raise _refusal(path, "a backquote, which runs a command", line)
    if lowered.startswith(("*#", "*ng_script")):
        raise _refusal(path, "a comment that ngspice runs as a command", line)
    if not line.replace("\t", " ").isprintable():
        raise _refusal(path, "a character that cannot be seen", line)


def _check_card(path: Path, card: str, line: str) -> None:
    if card.startswith(".") and card not in _HARMLESS:
        raise _refusal(path, f"the card {card}, which is not known to be harmless", line)
    model = _MODEL.match(line)
    if card == ".model" and (model is None or model[1].lower() not in _HARMLESS_MODELS):
        raise _refusal(path, "a model of a kind that is not known to be harmless", line)
    if card in _COMMANDS or card.startswith("pre_"):
        raise _refusal(path, f"{card}, which is a command", line)
    _check_fields(path, line)
    if _FILE_PARAMETER.search(re.sub(r"\s", "", line)):
        raise _refusal(path, "a parameter that names a file", line)


def _check_fields(path: Path, line: str) -> None:
    fewest, expected = _FIELDS.get(line[0].lower(), (0, ""))
    if len(re.split(r"[\s,()=]+", line.strip(" \t,()"))) < fewest:
        problem = "an element of the netlist is not complete"
        raise InputError(problem, where=path, expected=expected, found=repr(line.strip()[:120]))


def _refusal(path: Path, meaning: str, line: str) -> InputError:
    return InputError(
        "this netlist is not run: it comes from elsewhere and is not known to be harmless",
        where=path,
        found=f"{meaning}: {line.strip()[:120]!r}",
        hint=_HINT,
    )
