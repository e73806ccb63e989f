"""Pickled modules of the classes that papers' authors save whole, read without running anything that they name.

torch's weights-only loader imports nothing: it looks the names in a pickle up in a list, and refuses what is not on
it. For one load the names of the authors' classes, and of the parts of torch that those keep, are added to the list.
What each stands for there is inert: it takes the object's attributes and can do nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

AUTHORS = (
    *("PhyKAN", "PhyKAN_actor", "PhyKAN_critic"),
    *("MemKAN", "MemKAN_actor", "MemKAN_critic", "PhyKAN_memristor"),
)
"""Classes that are read, whatever module they were defined in: that module is never looked for."""
_PARTS = (
    "torch.nn.modules.activation.ReLU",
    "torch.nn.modules.container.Sequential",
    "torch.nn.modules.linear.Linear",
    "torch.nn.modules.loss.BCEWithLogitsLoss",
    "torch.nn.modules.loss.CrossEntropyLoss",
    "torch.nn.modules.loss.MSELoss",
    "torch.optim.adam.Adam",
    "torch.optim.lr_scheduler.ExponentialLR",
)
"""What objects of those classes keep."""
_MODULES = "_modules"


class NotPlainError(Exception):
    """A pickle asks for more of a stand-in than to take attributes."""


class StandIn:
    """What a pickle says of an object: the name of its class, and its attributes, which nothing has looked at."""

    class_name: ClassVar[str] = ""
    attributes: dict[str, object]

    def __new__(cls, *arguments: object) -> StandIn:
        """As the loader makes one, whether the pickle calls the class or not."""
        if arguments:
            raise NotPlainError(f"{cls.class_name} is given arguments")
        made = super().__new__(cls)
        made.attributes = {}
        return made

    def __setstate__(self, state: object) -> None:
        """Takes the attributes, and those that torch keeps as a module's parts among them."""
        if type(state) is not dict or not all(type(name) is str for name in state):
            raise NotPlainError(f"the attributes of {self.class_name} are no plain dictionary")
        parts = state.get(_MODULES, {})
        if not isinstance(parts, Mapping) or not all(type(name) is str for name in parts):
            raise NotPlainError(f"the modules of {self.class_name} are no plain dictionary")
        self.attributes = {**state, **parts}


def _plain_dictionary(*arguments: object) -> dict[object, object]:
    """What a `defaultdict` becomes; its factory is on the list, and is not called."""
    if len(arguments) > 1 or any(argument is not _plain_dictionary for argument in arguments):
        raise NotPlainError("a dictionary is given arguments")
    return {}


_Entry = Callable[..., Any] | tuple[Callable[..., Any], str]
_DICTIONARIES = ("builtins.dict", "collections.defaultdict")


def stand_ins(names: Iterable[str]) -> list[_Entry]:
    """What to put in the place of these full names, `module.name`, in torch's list: none for an unknown name."""
    found: list[_Entry] = []
    for name in names:
        short = name.rpartition(".")[2]
        if name in _DICTIONARIES:
            found.append((_plain_dictionary, name))
        elif name in _PARTS or short in AUTHORS:
            found.append((type(short, (StandIn,), {"class_name": short}), name))
    return found
