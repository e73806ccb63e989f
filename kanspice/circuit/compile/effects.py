"""Imperfections that a circuit cannot have: left out in silence, they would pass for harmless ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from kanspice.base.errors import InputError
from kanspice.technology import Technology

_EVERYONES = ("units", "converters")
_RAILS = "tia"
"""Filters have the rails of this section, though not its imperfections."""
_NO_PAIRS = "a pairs.thermal_v above 0: without it sigmoid and tanh are formulas, and there are no pairs"


@dataclass(frozen=True)
class Foreign:
    """Keys of a technology that a circuit has no part for.

    section: all of its causes but those in `but`, or `only` some. expected: what it would take, for whoever set one.
    """

    section: str
    expected: str
    but: Collection[str] = ()
    only: Collection[str] | None = None

    def among(self, causes: Iterable[str]) -> list[str]:
        """Those of the causes, `section.key`, that have no effect."""
        keys = (cause.partition(".") for cause in causes)
        found = [key for section, _, key in keys if section == self.section and key not in self.but]
        return [f"{self.section}.{key}" for key in found if self.only is None or key in self.only]


def fitting(
    technology: Technology, circuit: str, sections: Sequence[str], foreign: Iterable[Foreign] = ()
) -> Technology:
    """The technology without what a circuit cannot have, if it is general.

    circuit: what it is called. sections: those that it has parts for, besides what all have. foreign: what of these
    it has not got. InputError for another that has it, and for what a general one was overridden with.
    """
    expected = f"what {circuit} has: {', '.join((*sections, 'converters'))}"
    pdk = technology.process.pdk
    if pdk != "none" and "process" not in sections:
        raise InputError(
            f"process.pdk would have no effect: kanspice builds {circuit} of none of the transistors of {pdk}",
            where="technology",
            expected="a network of crossbars, a perceptron, or a KirchhoffNet with branches.realisation = 'transistor'",
            hint="another --tech, and no --realisation transistor",
        )
    others = [name for name in technology.sections if name not in (*sections, *_EVERYONES)]
    said = [key for name in others if name != _RAILS for key in technology.said_of(name)]
    _refuse(technology, said, expected)
    foreign = [*(Foreign(name, expected) for name in others), *foreign]
    if technology.pairs.thermal_v == 0:
        _refuse(technology, technology.said_of("pairs"), _NO_PAIRS)
        foreign.append(Foreign("pairs", _NO_PAIRS))
    marked = (*technology.causes, *technology.costs)
    for part in foreign:
        useless = tuple(part.among(marked))
        if useless:
            _refuse(technology, useless, part.expected)
            technology = technology.without(useless)
            marked = tuple(name for name in marked if name not in useless)
    return technology


def _refuse(technology: Technology, useless: Iterable[str], expected: str) -> None:
    """Raises InputError for values, `section.key`, that somebody wants and that have no effect."""
    refused = [name for name in useless if not technology.general or name in technology.overridden]
    if refused:
        raise InputError(f"{', '.join(refused)} would have no effect", where="technology", expected=expected)
