"""A specimen given by its numbers instead of by a seed, and its file, `kanspice.specimen/1`: a `.npz` of plain arrays.

Every array in which specimens of the circuit differ is there, and no other: one that is missing would have to be drawn,
and one that makes no difference would pass for one that does.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from kanspice.base.arrays import Array, Digests
from kanspice.base.draws import Draw, GivenDraw
from kanspice.base.errors import InputError
from kanspice.base.files import write_bytes
from kanspice.base.files.array_files import load_arrays
from kanspice.base.validation import similar
from kanspice.base.visible import shown_name
from kanspice.circuit import Design
from kanspice.circuit.specimens.random_arrays import RandomArray, random_arrays
from kanspice.technology import Technology

SCHEMA = "kanspice.specimen/1"
LARGEST = 100.0
"""Standard deviations: no part is as far from what it should be."""
_TEXTS = ("schema", "model_sha256", "technology_sha256")
_LONGEST_TEXT = 200
_SHOWN = 8
_FITTED = "fitted_samples"
_WRITE_ONE = "kanspice compile MODEL --seed N --specimen-out F.npz writes one with the same arrays"


@dataclass(frozen=True, eq=False)
class GivenSpecimen:
    """One specimen by its numbers.

    numbers: by key, `normal/l1.crossbar.area`: standard normal numbers; `uniform/l1.crossbar.stuck_open`: numbers in
    [0, 1). model_sha256, technology_sha256: what it was made for; "" where that is not known. path: its file, "" where
    it is in none. sha256: of the file's bytes, in hexadecimal.
    """

    numbers: Mapping[str, Array]
    model_sha256: str = ""
    technology_sha256: str = ""
    path: str = ""
    sha256: str = ""
    fitted: Digests = field(default_factory=lambda: np.empty(0, np.uint64))

    @classmethod
    def of(cls, draw: Draw, design: Design, technology: Technology) -> GivenSpecimen:
        """The one of a nominal design that `draw` draws."""
        numbers = {array.key: array.of(draw) for array in random_arrays(design, technology)}
        made = cls(numbers, design.model_sha256, technology_sha256(technology))
        return replace(made, sha256=hashlib.sha256(made.to_bytes()).hexdigest())

    @classmethod
    def read(cls, path: str | Path) -> GivenSpecimen:
        """Of a file, which may be a stranger's. Raises InputError for one that is none."""
        arrays, content = load_arrays(path, "the specimen")
        texts = {name: _text(name, arrays.pop(name, np.array("")), path) for name in _TEXTS}
        if texts["schema"] != SCHEMA:
            found = repr(texts["schema"]) if texts["schema"] else "no array of that name"
            expected = f"schema = '{SCHEMA}', a text"
            raise InputError("this is no specimen", where=path, expected=expected, found=found, hint=_WRITE_ONE)
        fitted = _digests(arrays.pop(_FITTED, np.empty(0, np.uint64)), path)
        numbers = {key: _numbers(key, values, path) for key, values in arrays.items()}
        digest = hashlib.sha256(content).hexdigest()
        return cls(numbers, texts["model_sha256"], texts["technology_sha256"], str(path), digest, fitted)

    def to_bytes(self) -> bytes:
        """The file's content: the same bytes every time."""
        buffer = io.BytesIO()
        made_for = self.model_sha256, self.technology_sha256
        texts = {name: np.array(text) for name, text in zip(_TEXTS, (SCHEMA, *made_for), strict=True)}
        fitted = {_FITTED: self.fitted} if len(self.fitted) else {}
        np.savez(buffer, **texts, **fitted, **self.numbers)  # type: ignore[arg-type]
        return buffer.getvalue()

    def write(self, path: str | Path) -> GivenSpecimen:
        """Writes its file, whole or not at all. Raises InputError where that cannot be."""
        content = self.to_bytes()
        write_bytes(path, content)
        return replace(self, path=str(path), sha256=hashlib.sha256(content).hexdigest())

    def draw(self, seed: int) -> Draw:
        """What circuits are drawn with. seed: for what is no part of a specimen, such as noise."""
        kinds = {"normal": dict[str, Array](), "uniform": dict[str, Array]()}
        for key, values in self.numbers.items():
            kind, _, name = key.partition("/")
            kinds[kind][name] = values
        return GivenDraw(seed, kinds["normal"], kinds["uniform"], self.sha256)

    def check_fits(self, design: Design, technology: Technology) -> None:
        """Raises InputError unless it has the arrays in which specimens of a nominal design differ, and no others."""
        known = {array.key: array for array in random_arrays(design, technology)}
        for key, values in self.numbers.items():
            if key not in known:
                raise self._unknown(key, list(known))
            if values.shape != known[key].shape:
                raise self._error(
                    f"{shown_name(key)} has another shape", f"shape {known[key].shape}", f"shape {values.shape}"
                )
        missing = [array for key, array in known.items() if key not in self.numbers]
        if missing:
            raise self._missing(missing)

    def notes(self, design: Design, technology: Technology) -> tuple[str, ...]:
        """What a reader has to know of a circuit that was made with it."""
        said = []
        for made_for, own, what in (
            (self.model_sha256, design.model_sha256, "checkpoint"),
            (self.technology_sha256, technology_sha256(technology), "technology"),
        ):
            if made_for not in ("", own):
                said.append(f"the specimen was made for another {what}: its random numbers are taken for this one")
        if design.has_noise or design.has_mismatch:
            drawn = ["noise"] * design.has_noise + ["the mismatch of transistors"] * design.has_mismatch
            said.append(f"{' and '.join(drawn)}: drawn with --seed, and in no specimen's file")
        return tuple(said)

    def _unknown(self, key: str, known: list[str]) -> InputError:
        problem = f"{shown_name(key)} makes no difference: nothing draws it, in this circuit and technology"
        expected = _some(known) or "no arrays: nothing is random in this technology"
        hint = similar(key, set(known) - set(self.numbers)) or _WRITE_ONE
        return InputError(problem, where=self.path or None, expected=expected, hint=hint)

    def _missing(self, missing: list[RandomArray]) -> InputError:
        named = [f"{array.key} of shape {array.shape}" for array in missing]
        some = ", ".join(named[:4]) + (f" and {len(named) - 4} more" if len(named) > 4 else "")
        return self._error("a random array of the circuit is missing", some, _some(list(self.numbers)) or "none")

    def _error(self, problem: str, expected: str, found: str) -> InputError:
        return InputError(problem, where=self.path or None, expected=expected, found=found, hint=_WRITE_ONE)


def _some(names: list[str]) -> str:
    return ", ".join(map(shown_name, names[:_SHOWN])) + ", ..." * (len(names) > _SHOWN)


def technology_sha256(technology: Technology) -> str:
    """Of everything that is not at its default, whatever the technology is called; in hexadecimal."""
    said = technology.model_dump(exclude={"name", "general"}, exclude_defaults=True)
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _text(name: str, values: np.ndarray[Any, Any], path: str | Path) -> str:
    if values.dtype.kind != "U" or values.size != 1 or values.dtype.itemsize > 4 * _LONGEST_TEXT:
        found = f"{values.dtype} of shape {values.shape}"[:100]
        raise InputError(f"{name} is no text", where=path, expected="one text, as numpy.array('...')", found=found)
    return str(values.reshape(())[()])


def _digests(values: np.ndarray[Any, Any], path: str | Path) -> Digests:
    if values.dtype != np.uint64 or values.ndim != 1:
        found = f"{values.dtype} of shape {values.shape}"[:100]
        expected = "digests of inputs as uint64, as kanspice identify writes them"
        raise InputError(f"{_FITTED} are no digests", where=path, expected=expected, found=found)
    return values


def _numbers(key: str, values: np.ndarray[Any, Any], path: str | Path) -> Array:
    """The numbers of an array as float64. Raises InputError for any that cannot be."""
    kind, _, name = key.partition("/")
    if kind not in ("normal", "uniform") or not name:
        expected = "normal/NAME or uniform/NAME, as normal/l1.crossbar.area"
        raise InputError("this is no name of a specimen's array", where=path, expected=expected, found=shown_name(key))
    if values.dtype.kind not in "iuf" or values.dtype.itemsize > 8:
        found = str(values.dtype)[:100]
        raise InputError(
            f"{shown_name(key)}: wrong type of number", where=path, expected="float64 or float32", found=found
        )
    numbers = np.asarray(values, dtype=np.float64, order="C")
    if kind == "normal":
        good, expected = np.abs(numbers) <= LARGEST, f"standard normal numbers, within {LARGEST:g} of 0"
    else:
        good, expected = (numbers >= 0) & (numbers < 1), "numbers from 0 to below 1"
    if not good.all():
        first = tuple(np.argwhere(~good)[0].tolist())
        found = f"{int((~good).sum()):,} others, the first {numbers[first]:g} at {list(first)}"
        raise InputError(f"{shown_name(key)} cannot be used", where=path, expected=expected, found=found)
    return numbers
