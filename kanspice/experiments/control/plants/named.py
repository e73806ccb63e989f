"""Plants by name: our own, and whatever is registered with gymnasium."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kanspice.base.errors import InputError
from kanspice.base.validation import similar
from kanspice.experiments.control.plants.arm import PlanarArm
from kanspice.experiments.control.plants.cartpole import CartPole
from kanspice.experiments.control.plants.photovoltaic import PhotovoltaicArray
from kanspice.experiments.control.plants.plant import Plant
from kanspice.experiments.control.plants.power_curves import PowerTracking, load_curves
from kanspice.experiments.control.plants.serial_arm import SerialArm

PlantMaker = Callable[[], Plant]
"""Makes one plant: every episode that runs at the same time has its own."""
PLANTS: dict[str, Callable[[int], Plant]] = {
    "cartpole": lambda _actions: CartPole(),
    "pv": lambda _actions: PhotovoltaicArray(),
    "pv-curves": lambda _actions: PowerTracking(),
    "arm": PlanarArm,
    "arm6": lambda _actions: SerialArm(),
}
"""Our own, for a network of so many outputs."""
_ON_CURVES = "pv-curves"
_REGISTERED = re.compile(r"(?:[A-Za-z0-9_-]+/)?[A-Za-z0-9_.-]+")


def plant_maker(name: str, actions: int, curves: Path | None = None) -> PlantMaker:
    """What makes the plant of that name, for a network of so many outputs; it can be pickled.

    curves: a file of power curves for `pv-curves`, which `load_curves` reads.
    Raises InputError for a name that is neither ours nor registered with gymnasium, and for curves that cannot be used.
    `module:Name-v0`, which would have gymnasium import the module, is refused: a name is no permission to run code.
    """
    if curves is not None:
        if name != _ON_CURVES:
            expected = f"--plant {_ON_CURVES}, or no curves"
            raise InputError("the plant has no curves", where="--plant-curves", expected=expected, found=name[:200])
        return partial(PowerTracking, load_curves(curves))
    if name in PLANTS:
        return partial(_own, name, actions)
    ours = ", ".join(PLANTS)
    if ":" in name:
        hint = "install the package that registers the environment, and use its registered name; or pass it from Python"
        raise InputError("a plant's name cannot name a module to import", where="--plant", found=name[:200], hint=hint)
    if not _REGISTERED.fullmatch(name):
        raise InputError(
            f"unknown plant '{name[:200]}'",
            where="--plant",
            expected=f"one of {ours}",
            hint=similar(name, PLANTS),
        )
    if find_spec("gymnasium") is None:
        expected = f"one of {ours}; or an environment of gymnasium, which is not installed"
        hint = similar(name, PLANTS) or "pip install 'kanspice[gymnasium]'"
        raise InputError(f"unknown plant '{name}'", where="--plant", expected=expected, hint=hint)
    return _registered(name)


def _own(name: str, actions: int) -> Plant:
    return PLANTS[name](actions)


def _made(name: str) -> Any:
    import gymnasium  # noqa: PLC0415 - an extra

    # What its checker would print as warnings, our loop checks.
    return gymnasium.make(name, disable_env_checker=True)


def _registered(name: str) -> PlantMaker:
    import gymnasium  # noqa: PLC0415 - an extra

    make = partial(_made, name)
    try:
        make().close()
    except gymnasium.error.Error as error:
        expected = f"one of {', '.join(PLANTS)}; or an environment registered with gymnasium"
        found = str(error).splitlines()[0][:300]
        raise InputError(f"unknown plant '{name}'", where="--plant", expected=expected, found=found) from error
    except Exception as error:  # an environment is somebody else's code
        raise InputError(
            "the plant cannot be made", where=name, found=f"{type(error).__name__}: {error}"[:300]
        ) from error
    return make
