"""How much a pickle of plain values stands for: a few bytes can name the same list twice, and that list twice again.

Nothing here runs what a pickle says. Opcodes are read with `pickletools`, as its disassembler does.
"""

from __future__ import annotations

import pickletools
from collections.abc import Iterable, Mapping
from itertools import chain, islice
from pathlib import Path

from kanspice.base.errors import InputError
from kanspice.families.common.stand_ins import StandIn

MAX_VALUES = 1_000_000
MAX_DEPTH = 60
MAX_OPCODES = 300_000
"""Of a pickle; a tensor takes some forty."""
_MARK = -1
_KEEPS = {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}
_RECALLS = {"GET", "BINGET", "LONG_BINGET"}


def _effect(opcode: pickletools.OpcodeInfo) -> tuple[bool, int, int]:
    """Whether an opcode takes everything down to the last mark, how many values beneath, and how many it leaves."""
    names = [kind.name for kind in opcode.stack_before]
    to_mark = "mark" in names
    return to_mark, names.index("mark") if to_mark else len(names), len(opcode.stack_after)


_EFFECTS = {opcode.name: _effect(opcode) for opcode in pickletools.opcodes}


def check_pickle(content: bytes, where: Path) -> None:
    """Raises InputError where a value that the pickle builds is too much to be hashed, as a key is.

    Only tuples matter: they are complete when they are built, and lists cannot be keys.
    """
    stack: list[int] = []
    memo: dict[int, int] = {}
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(content)):
            if count > MAX_OPCODES:
                raise _too_much(f"more than {MAX_OPCODES:,} instructions to build what it holds", where)
            if opcode.name in _KEEPS:
                memo[len(memo) if argument is None else int(argument)] = stack[-1]
            elif opcode.name in _RECALLS:
                stack.append(memo[int(argument or 0)])
            elif opcode.name == "MARK":
                stack.append(_MARK)
            else:
                _apply(*_EFFECTS[opcode.name], stack)
            if stack and stack[-1] > MAX_VALUES:
                raise _too_much(f"more than {MAX_VALUES:,} values, most of them the same ones again", where)
    except (ValueError, KeyError, IndexError):
        return  # damaged: whoever reads it will say so


def check_values(value: object, where: Path) -> None:
    """Raises InputError where a value holds too many others, counted as often as they are met, or too deep."""
    level: Iterable[object] = [value]
    count = 0
    for _ in range(MAX_DEPTH):
        level = list(islice(chain.from_iterable(map(_inner, level)), MAX_VALUES + 1))
        count += len(level)
        if count > MAX_VALUES:
            raise _too_much(f"more than {MAX_VALUES:,} values, most of them the same ones again", where)
        if not level:
            return
    raise _too_much(f"values nested more than {MAX_DEPTH} deep", where)


def _apply(to_mark: bool, takes: int, leaves: int, stack: list[int]) -> None:
    """Replaces what an opcode takes by what it leaves, as large as everything that it took together."""
    taken = 0
    if to_mark:
        while (size := stack.pop()) != _MARK:
            taken += size
    for _ in range(takes):
        taken += stack.pop()
    stack.extend([taken + 1] * leaves)


def _inner(value: object) -> Iterable[object]:
    if isinstance(value, StandIn):
        return value.attributes.values()
    if isinstance(value, Mapping):
        return chain(value.keys(), value.values())
    return value if isinstance(value, list | tuple | set | frozenset) else ()


def _too_much(found: str, where: Path) -> InputError:
    return InputError("the file holds too much", where=where, expected="a dictionary of tensors", found=found)
