"""Folders of results: written whole or not at all, and replaced only where all in them is what was written there."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kanspice.base.errors import InputError
from kanspice.base.files.inputs import looked_at, refuse_inputs
from kanspice.base.files.plain import parse_json
from kanspice.base.files.reading import is_folder, is_there, opened, read_text

_MAX_MANIFEST_BYTES = 64_000_000
_HINT = "choose another folder with -o"


@dataclass(frozen=True)
class FolderKind:
    """What a folder of results is known by.

    what: such as "compiled folder". manifest: its file with `schema` and, of every other file, the hash in `files`.
    family: of its schemas, without the version. names: of the files that are ever written beside the manifest.
    """

    what: str
    manifest: str
    family: str
    names: re.Pattern[str]

    def read_manifest(self, folder: Path) -> Any:
        """The manifest of a folder. Raises InputError where there is none that can be read."""
        path = folder / self.manifest
        return parse_json(read_text(path, "the manifest", _MAX_MANIFEST_BYTES), path)

    def write(
        self,
        folder: Path,
        files: Mapping[str, Iterator[bytes]],
        manifest_of: Callable[[Mapping[str, str]], dict[str, object]],
    ) -> Mapping[str, object]:
        """Writes the files, then the manifest that is made from their hashes, and returns it.

        A folder that was written so before is replaced; anything else in the way is an InputError.
        """
        self.refuse_others(folder)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
            try:
                manifest = manifest_of({name: _write(fresh / name, parts) for name, parts in files.items()})
                text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
                (fresh / self.manifest).write_text(text, encoding="utf-8")
                fresh.chmod(0o755)
                _swap(fresh, folder)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
        except OSError as error:
            raise InputError(
                "cannot be written", where=folder, found=error.strerror, hint="choose another folder"
            ) from error
        return manifest

    def refuse_others(self, folder: Path) -> None:
        """Raises InputError for a folder that may not be replaced."""
        if is_there(folder) and not self._may_be_replaced(folder):
            expected = f"an empty or an earlier {self.what}, unchanged"
            raise InputError("is in the way", where=folder, expected=expected, hint=_HINT)

    def _may_be_replaced(self, folder: Path) -> bool:
        """True for an empty folder, and for one that holds nothing but what was written there, as it was written.

        What a manifest says is believed only of names that are ever given, and of files that have not been changed
        since. Raises InputError where a file in it is an input.
        """
        if not is_folder(folder) or folder.is_symlink():
            return False
        present = sorted(path.name for path in folder.iterdir())
        refuse_inputs(folder / name for name in present)
        with looked_at():
            return self._is_as_written(folder, present)

    def _is_as_written(self, folder: Path, present: Sequence[str]) -> bool:
        try:
            manifest = self.read_manifest(folder)
            ours = str(manifest["schema"]).startswith(f"{self.family}/")
            hashes = dict(manifest["files"])
            files = [name for name in present if name != self.manifest]
            return ours and all(
                self.names.fullmatch(name) and hash_of(folder / name) == hashes.get(name) for name in files
            )
        except (InputError, ValueError, KeyError, TypeError):
            return not present


def hash_of(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal. Raises InputError where it cannot be read."""
    with opened(path, "a file of a folder of results", None) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, parts: Iterator[bytes]) -> str:
    """Writes a file as its parts come, and returns the hash of all of them."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for part in parts:
            file.write(part)
            digest.update(part)
    return digest.hexdigest()


def _swap(fresh: Path, folder: Path) -> None:
    """Puts the fresh folder in the place of the other, which is gone only once it has been replaced."""
    if not folder.exists():
        fresh.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent)) / "old"
    try:
        folder.rename(old)
        try:
            fresh.rename(folder)
        except OSError:
            old.rename(folder)
            raise
    finally:
        shutil.rmtree(old.parent, ignore_errors=True)
