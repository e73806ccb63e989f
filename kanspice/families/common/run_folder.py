"""Which files of a training run belong together: the weights in its folder, the configuration near the weights.

Written for `kanalogue train`, which leaves `<run>/<dataset>/weights/<title>_best_model.pt`, `weights/best.pth`,
`weights/checkpoint.pth` and `<run>/<dataset>/configs/<title>_best_config.json`. The same files in one flat folder, and
any folder with a single checkpoint, are understood too: so `model.pth` and `config.yaml` as the KirchhoffNet authors
publish them, and tensors of the PhyKAN authors' class beside `config.json`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from kanspice.base.errors import InputError
from kanspice.base.files import is_folder

_WEIGHTS = (".pt", ".pth")
_BEST_MODEL = "_best_model"
_BEST_CONFIG = "_best_config"
_IN_ORDER = ("best.pth", "checkpoint.pth")
"""Weights without a title, as they are preferred: those of the end of the run, then those of its latest epoch."""
_PLACES = ("weights", "*/weights", "*/*/weights")
"""Where a run's weights lie below the folder that is given, if they are not in it: nearer ones win."""
_SHOWN = 6


def checkpoint_in(folder: Path) -> tuple[Path, str]:
    """The checkpoint of a run's folder, and why it is this one, for the report.

    `<title>_best_model.pt` before `best.pth` before `checkpoint.pth`; anything else only where it is alone. Raises
    InputError where there is none, and where several are as good.
    """
    for level in ([folder], *(sorted(folder.glob(place)) for place in _PLACES)):
        holding = [(inner, files) for inner in level if (files := _weights_in(inner))]
        if len(holding) > 1:
            raise _several(folder, "runs", [inner for inner, _ in holding], "give the folder of one of them")
        if holding:
            return _preferred(*holding[0])
    raise InputError(
        "this folder holds no checkpoint",
        where=folder,
        expected="a training run's folder, with weights (.pt or .pth) in it or in its weights/",
        hint="name the file",
    )


def config_near(checkpoint: Path, suffixes: Collection[str] = (".json",)) -> Path | None:
    """The configuration that was written with a checkpoint, or None where there is none. suffixes: of its family's.

    `<title>_best_config.json` belongs to `<title>_best_model.pt`. Otherwise it is the only configuration beside the
    checkpoint, or in `configs/` beside it or beside its `weights/`. Raises InputError where several could be it.
    """
    folders = [checkpoint.parent, checkpoint.parent / "configs"]
    if checkpoint.absolute().parent.name == "weights":
        folders.append(checkpoint.absolute().parent.parent / "configs")
    found = [path for folder in folders for path in _configs_in(folder, suffixes)]
    titled = [path for path in found if path.stem == f"{title_of(checkpoint)}{_BEST_CONFIG}"]
    candidates = titled or found
    if len(candidates) > 1:
        raise _several(checkpoint, "configurations", candidates, "pass the one that belongs to it with --config")
    return candidates[0] if candidates else None


def found_by_place(config: Path) -> str:
    """What the report says of a configuration that nobody named."""
    return f"configuration: {config}, found by its place"


def title_of(path: Path) -> str | None:
    """`<title>` of a `<title>_best_model.pt` or `<title>_best_config.json`; None of any other file."""
    for ending in (_BEST_MODEL, _BEST_CONFIG):
        if path.stem.endswith(ending):
            return path.stem.removesuffix(ending)
    return None


def _weights_in(folder: Path) -> list[Path]:
    return _files_in(folder, _WEIGHTS)


def _configs_in(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """All such files of a `configs` folder; elsewhere only those that are named as a configuration."""
    files = _files_in(folder, suffixes)
    if folder.name == "configs":
        return files
    return [path for path in files if path.stem == "config" or path.stem.endswith(_BEST_CONFIG)]


def _files_in(folder: Path, suffixes: Collection[str]) -> list[Path]:
    if not is_folder(folder):
        return []
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes and path.is_file())
    except OSError as error:
        raise InputError("cannot be read", where=folder, found=error.strerror or str(error)) from error


def _preferred(folder: Path, files: list[Path]) -> tuple[Path, str]:
    groups = [[path for path in files if path.stem.endswith(_BEST_MODEL)]]
    groups += [[path for path in files if path.name == name] for name in _IN_ORDER]
    best = next((group for group in (*groups, files) if group), files)
    if len(best) > 1:
        raise _several(folder, "checkpoints", best, "name the file")
    others = [path for path in files if path != best[0]]
    beside = f"; not {_names(others)} beside it" if others else ", the only one there"
    return best[0], f"of the run's folder the checkpoint {best[0].name} was read{beside}"


def _several(where: Path, what: str, found: Iterable[Path], hint: str) -> InputError:
    return InputError(f"several {what} could be meant", where=where, found=_names(list(found)), hint=hint)


def _names(paths: list[Path]) -> str:
    shown = [str(Path(path.parent.name, path.name)) if path.name == "weights" else path.name for path in paths]
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more
