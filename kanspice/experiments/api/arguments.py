"""What functions take where commands take files and texts: what is in them will do, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from kanspice.base.errors import InputError
from kanspice.base.files.inputs import note_read, status_of
from kanspice.families import LoadedModel, load
from kanspice.families.common.network import Network
from kanspice.families.loading import loaded_from
from kanspice.gap.limits import LimitPair, check_fractions, check_ways, merged, parse_limits, read_limits
from kanspice.gap.metric_table import BY_NAME, Metric
from kanspice.technology import Technology, load_technology
from kanspice.technology.loading import Realisation

Model = str | Path | LoadedModel | Network
"""A checkpoint or the folder of a training run, what `load` made of it, or a network itself."""
Tech = str | Path | Technology | None
"""A TOML file, the name of a shipped technology, or one that was loaded; the ideal circuit if None."""
Overrides = Sequence[str] | Mapping[str, object]
"""`SECTION.KEY=VALUE` texts, or values by `SECTION.KEY`."""
Limits = Sequence[str] | Mapping[str, float]
"""`METRIC=VALUE` texts, or values by metric."""


def model_of(model: Model, config: str | Path | None = None, curves: str | Path | None = None) -> LoadedModel:
    """The network that was given, in evaluation mode. Raises InputError as `load`, or for files beside a network."""
    if not isinstance(model, LoadedModel | Network):
        if not isinstance(model, str | Path):
            raise InputError(
                "this is no network of kanspice's",
                expected="a checkpoint's path, what kanspice.load made of it, or a network itself",
                found=f"a {type(model).__name__}",
                hint="kanspice.convert(module) makes one of an nn.Sequential",
            )
        return load(model, config, curves)
    for option, given in (("config", config), ("curves", curves)):
        if given is not None:
            raise InputError("is for a checkpoint in a file", where=option, found="a network that is loaded already")
    if isinstance(model, Network):
        return loaded_from(model)
    file = status_of(model.path)
    if file is not None:
        note_read(file)
    return model


def technology_of(tech: Tech, overrides: Overrides = (), realisation: Realisation | None = None) -> Technology:
    """The technology that was given, with values overridden. Raises InputError as `load_technology`."""
    if realisation is not None and realisation not in get_args(Realisation):
        known = ", ".join(get_args(Realisation))
        raise InputError(f"there is no realisation '{realisation}'", where="--realisation", expected=known)
    if not isinstance(tech, Technology):
        if not isinstance(tech, str | Path | None):
            expected = "a TOML file, the name of a shipped one, or what kanspice.load_technology made of it"
            raise InputError("this is no technology", expected=expected, found=f"a {type(tech).__name__}")
        return load_technology(tech, texts_of(overrides), realisation)
    if overrides or realisation is not None:
        problem, hint = "needs a technology from a file", "load_technology(FILE, overrides)"
        raise InputError(problem, where="set", found="a technology that is loaded already", hint=hint)
    return tech


def limits_of(
    file: str | Path | None, max: Limits = (), min: Limits = (), metrics: Mapping[str, Metric[Any]] = BY_NAME
) -> list[LimitPair]:
    """Limits of a file, and others that override them: what metrics, by name, may be at most, and have to be at least.

    Raises InputError for what is none, or bounds its metric in the wrong way.
    """
    largest, smallest = parse_limits(texts_of(max)), parse_limits(texts_of(min), "--min")
    check_ways(largest, smallest, metrics)
    found = merged([] if file is None else read_limits(file), [*largest, *smallest])
    check_fractions(found, metrics)
    return found


def texts_of(values: Sequence[str] | Mapping[str, object]) -> list[str]:
    """`KEY=VALUE` texts. Raises InputError for what is neither a list nor a mapping of them."""
    if isinstance(values, Mapping):
        return [f"{key}={value}" for key, value in values.items()]
    are_many = isinstance(values, Sequence) and not isinstance(values, str)
    if not are_many or not all(isinstance(text, str) for text in values):
        expected = '["KEY=VALUE", ...] or {"KEY": VALUE, ...}'
        raise InputError("these are no settings", expected=expected, found=f"{values!r}"[:80])
    return [*values]
