"""The command that measures a tuned network's first specimen by itself."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kanspice.experiments.tune.result import TuningResult

_OPTIONS = {"labels": "--labels", "targets": "--targets", "outputs": None}
"""What is known of samples by what was aimed at."""


@dataclass(frozen=True)
class Names:
    """What a tuning was given: files, or whatever else. None: nothing.

    sizing: the samples that training had, where `test` is in a file of its own. answers: of the test, by option.
    """

    output: object
    tech: object
    sizing: object
    test: object
    answers: Mapping[str, object]


def again(result: TuningResult, names: Names) -> str:
    """As a shell reads it. What has no file of its own has a name in capitals."""
    return shlex.join(_words(result, names))


def _words(result: TuningResult, names: Names) -> Iterator[str]:
    yield from ("kanspice", "verify", _name(names.output, "TUNED.pt"), "--inputs", _name(names.test, "TEST.npy"))
    option = _OPTIONS[result.aim]
    if option is not None:
        yield from (option, _name(names.answers[option], "TEST_ANSWERS.npy"))
    if result.sized_for is not None:
        yield from ("--sized-for", _name(names.sizing, "REST.npy"))
    if names.tech is not None:
        yield from ("--tech", _name(names.tech, "TECH.toml"))
    for setting in result.tuned.points[0].point.overrides:
        yield from ("--set", setting)
    yield from ("--engine", "batched", "--seed", str(result.seeds[0]))


def _name(given: object, otherwise: str) -> str:
    return str(given) if isinstance(given, str | Path) else otherwise
