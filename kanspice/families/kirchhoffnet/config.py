"""`config.yaml` of the KirchhoffNet authors' training scripts: what of it says which network a checkpoint is.

Which script reads it decides that as much as its entries do. `main_gen.py`, `main_den.py` and `inference_gen_den.py`
(generation and density matching) build their networks without projector, encoder, residual and fill, whatever the
configuration says, and draw an input for every node of the first layer. `main_image_classify.py` and
`inference_image_classify.py` take these entries, but never the encoder. `test_bench` says which scripts know what to
do; for a test bench that none of theirs has, `visualization` does: only the scripts that generate read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from kanspice.base.errors import InputError
from kanspice.base.files import read_file
from kanspice.base.validation import validate
from kanspice.families.common.yaml_config import MAX_YAML_BYTES, parse_yaml
from kanspice.families.kirchhoffnet.projector import projector_widths

_GENERATED = {
    *("2spirals", "8gaussians", "circle", "gauss", "genmnist", "pinwheel", "swissroll", "twomoon"),
    *("potential1", "potential2"),
}
"""The test benches of the scripts that generate: samples to learn from, and densities to match."""
_ANSWERED = {
    *("cifar10", "cifar100", "mnist", "svhn", "tinyimage"),
    *("diabete", "housing", "toyregress"),
}
"""Those of the others: classes, and numbers."""
_KEYS_OF_KANALOGUE = {"HIDDEN_DIMS", "td_basis_types", "norm_layer"}
_NOTHING = (None, "none", "zero", "zeros")
_LEFT_OUT = ("projector", "encoder", "residual", "fill")


def _number(value: object) -> object:
    """YAML reads 1e-3 as text, which the authors' code turns into a number; true and false are none."""
    if isinstance(value, bool):
        raise ValueError("a number, not true or false")
    return value


def _none_is_zeros(value: object) -> object:
    return {None: "zeros", "zero": "zeros"}.get(value, value) if value is None or isinstance(value, str) else value


def _none_is_null(value: object) -> object:
    return None if value == "none" else value


def _projectors(value: object) -> object:
    """A name, or a list of them, each of which the authors' code applies to what the one before gives."""
    if value is not None and not all(isinstance(name, str) for name in (value if isinstance(value, list) else [value])):
        raise ValueError("the name of a projector, or a list of names")
    if not isinstance(value, list):
        return _none_is_null(value)
    widths = [projector_widths(name) for name in value]
    if not value or len(value) > 2 or any(widths[:-1]) or (len(value) == 2 and widths[1] is None):
        raise ValueError("a list of one projector, or of first<n> or last<n> and then mlp_<n>_<b>: no other is read")
    return value


_Number = Annotated[float, Field(strict=False, allow_inf_nan=False), BeforeValidator(_number)]


class _Part(BaseModel):
    """Keys that decide what the checkpoint means; others (batch_size, lr, method, tol, ...) are left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class Named(_Part):
    """A topology or a branch function: its name and its arguments."""

    name: str
    args: Annotated[dict[str, Any], BeforeValidator(lambda value: {} if value is None else value)] = {}


class _Circuit(_Part):
    net_struct: Annotated[list[Named], Field(min_length=1, max_length=1000)]
    model: Named


class Around(_Part):
    """What a network that answers has around its layers."""

    fill: Annotated[Literal["zeros", "repeat"], BeforeValidator(_none_is_zeros)] = "zeros"
    residual: Annotated[list[int], Field(min_length=2, max_length=2)] | None = None
    projector: Annotated[str | list[str] | None, BeforeValidator(_projectors)] = None

    @property
    def projectors(self) -> list[str]:
        """One after the other."""
        given = self.projector
        return given if isinstance(given, list) else [given] if given is not None else []

    @property
    def prefix(self) -> str:
        """With which the names of the last projector's tensors begin, in the state dict."""
        place = f"{len(self.projectors) - 1}." if isinstance(self.projector, list) else ""
        return f"projector.{place}net.0."


class _Simulation(_Part):
    t_end: Annotated[list[_Number], Field(min_length=2, max_length=1001)]


class _Script(_Part):
    """What says by which scripts the checkpoint was made."""

    test_bench: str | None = None
    visualization: Any = None

    @property
    def generates(self) -> bool:
        known = self.test_bench in _GENERATED or self.test_bench in _ANSWERED
        return self.test_bench in _GENERATED if known else self.visualization is not None


class _Config(_Part):
    network: _Circuit
    simulation: _Simulation


class AuthorsConfig:
    """The parts of a `config.yaml` that are read. Raises InputError, naming it, for one that cannot be used."""

    def __init__(self, path: Path) -> None:
        mapping = parse_yaml(read_file(path, "the configuration", MAX_YAML_BYTES), path)
        if "network" not in mapping and _KEYS_OF_KANALOGUE & mapping.keys():
            raise InputError(
                "the checkpoint and the configuration are of different families",
                where=path,
                expected="the config.yaml of a KirchhoffNet, as the weights are",
                found="the configuration of a KANalogue network",
                hint="use the configuration that was written with this checkpoint",
            )
        self.path = path
        config, script = validate(_Config, mapping, path), validate(_Script, mapping, path)
        self.layers, self.branch = config.network.net_struct, config.network.model
        self.durations = _durations(config.simulation.t_end, len(self.layers), path)
        self.test_bench, self.generates = script.test_bench, script.generates
        self._network: Mapping[str, Any] = mapping["network"]
        self.around = Around() if self.generates else validate(_Network, mapping, path).network

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader has to know of how it was read."""
        encoder = self._network.get("encoder")
        if not self.generates:
            said = f"encoder {encoder} left aside, as by the authors' scripts: they build every network without one"
            return () if encoder in _NOTHING else (said[:200],)
        bench = "visualization" if self.test_bench is None else f"test_bench {self.test_bench}"
        ignored = [f"{key} {self._network[key]}" for key in _LEFT_OUT if self._network.get(key) not in _NOTHING]
        without = f"; left aside, as by the authors' scripts: {', '.join(ignored)}"[:200] if ignored else ""
        return (f"read as a network that generates ({bench}): every node is an input and an output{without}",)


class _Network(_Part):
    network: Around


def _durations(times: list[float], layers: int, path: Path) -> list[float]:
    shown = str(times)[:200]
    if len(times) != layers + 1:
        raise InputError(
            "'simulation.t_end' does not fit the layers",
            where=path,
            expected=f"{layers + 1} times: the start, and the end of each of {layers} layer(s)",
            found=f"{len(times)}: {shown}",
        )
    durations = [end - start for start, end in pairwise(times)]
    if min(durations) <= 0:
        raise InputError(
            "'simulation.t_end' does not increase",
            where=path,
            expected="each time later than the one before",
            found=shown,
        )
    return durations
