"""Where device cards, subcircuits, schemas, technologies and the demo lie: in a wheel, or beside the package."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def _shipped(folder: str) -> Path:
    in_wheel = _PACKAGE / "_shipped" / folder
    return in_wheel if in_wheel.is_dir() else _PACKAGE.parent / folder


DEVICE_MODELS = _shipped("device_models")
NETLISTS = _shipped("netlists")
EXAMPLES = _shipped("examples")
SCHEMAS = _shipped("schemas")
TECHNOLOGIES = _shipped("technologies")


def schemas() -> dict[str, Path]:
    """The shipped JSON schemas by the contract that each is of: `kanspice.gap/1`."""
    return {"/".join(path.stem.rsplit("-", 1)): path for path in sorted(SCHEMAS.glob("*.json"))}
