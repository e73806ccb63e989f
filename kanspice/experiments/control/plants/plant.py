"""What a plant must be for a network to control it: gymnasium's interface, with vectors for states and actions."""

from __future__ import annotations

from typing import Any, Protocol

from kanspice.base.errors import InputError


class Plant(Protocol):
    """A plant with gymnasium's interface (https://gymnasium.farama.org/api/env); environments of it are plants.

    Both spaces have `low`, `high`, `shape` and `dtype`, as gymnasium's `Box` has. What `info["is_success"]` says at an
    episode's end decides whether the episode succeeded, where a plant says it.
    """

    @property
    def observation_space(self) -> Any:
        """A Box: (observations,)."""

    @property
    def action_space(self) -> Any:
        """A Box: (actions,). Actions are limited to it."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """A new episode: its first observation, and what else there is to know."""

    def step(self, action: Any, /) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """One control period with this action: observation, reward, terminated, truncated, info."""

    def close(self) -> None:
        """Frees what it holds."""


def check_fit(plant: Plant, name: str, inputs: int, outputs: int) -> None:
    """Raises InputError unless a network of so many inputs and outputs can control the plant."""
    for space, what, width, whose in (
        (plant.observation_space, "observation", inputs, "inputs"),
        (plant.action_space, "action", outputs, "outputs"),
    ):
        problem = f"the network does not fit the plant's {what} space"
        expected = f"a box of shape ({width},) for a network of {width} {whose}"
        if not all(hasattr(space, part) for part in ("low", "high", "shape")):
            raise InputError(problem, where=name, expected=expected, found=str(space)[:200])
        if tuple(space.shape) != (width,):
            found = f"{space}"[:200]
            raise InputError(
                problem, where=name, expected=expected, found=found, hint="another plant, or another network"
            )
