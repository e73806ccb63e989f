"""What was measured, and with what: network, samples, circuit and engine, as every report names them."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from kanspice.circuit import Crossbar, Design, Tiles
from kanspice.circuit.specimens import GivenSpecimen
from kanspice.engine.solution import Solution
from kanspice.experiments.chip import MeasuredChip
from kanspice.report.formatting import plain
from kanspice.technology import Technology

if TYPE_CHECKING:  # reading a report does without torch
    from kanspice.families import LoadedModel


DATE = "%Y-%m-%dT%H:%M:%SZ"
"""How reports write the time of a measurement, UTC."""
_DIGITS = 11
"""Of a time in seconds: with more, years have five."""
_PACKAGES = ("kanspice", "torch", "numpy", "scipy")


@dataclass(frozen=True)
class ModelFacts:
    """A network and its checkpoint.

    path: as it was given. format: whose checkpoint format it is. sha256: of the checkpoint's bytes, in hexadecimal.
    parameters: the number of trainable numbers. devices: names of the devices or branches that it is made of. What is
    None is not in reports of earlier versions.
    """

    path: str
    family: str
    format: str | None
    sha256: str
    parameters: int
    devices: tuple[str, ...] | None

    @classmethod
    def of(cls, loaded: LoadedModel) -> ModelFacts:
        """Of a network as it was loaded."""
        return cls(
            path=str(loaded.path),
            family=loaded.family,
            format=loaded.format,
            sha256=loaded.sha256,
            parameters=loaded.parameters,
            devices=tuple(loaded.model.part_names),
        )


@dataclass(frozen=True)
class InputsFacts:
    """The samples: where they are from, "" where that is Python; SHA-256 of the float64 values in order of memory."""

    path: str
    sha256: str


def sized_for_rows(facts: InputsFacts | None) -> Iterator[tuple[str, str]]:
    """For a table of how something was measured: the samples that circuits are sized for, if those are others."""
    if facts is not None:
        yield "sized for", f"samples from {plain(facts.path) or 'Python'}, SHA-256 {facts.sha256[:12]}"


@dataclass(frozen=True)
class SpecimenFacts:
    """A specimen that was given instead of drawn: its file, "" where that is Python; SHA-256 of the file's bytes."""

    path: str
    sha256: str

    @classmethod
    def of(cls, specimen: GivenSpecimen | None) -> SpecimenFacts | None:
        """Of one that was given, if one was."""
        return None if specimen is None else cls(specimen.path, specimen.sha256)


@dataclass(frozen=True)
class ChipFacts:
    """What a chip gave: its file, "" where that is Python; SHA-256 of the float64 values in order of memory."""

    path: str
    sha256: str

    @classmethod
    def of(cls, chip: MeasuredChip | None) -> ChipFacts | None:
        """Of one that was measured, if one was."""
        return None if chip is None else cls(chip.source, chip.sha256)


@dataclass(frozen=True)
class Swing:
    """How the amplifiers of one crossbar are sized.

    feedback_ohm, feedback_f: of their feedback resistors and capacitors, the medians where they differ.
    column_amplifier_v: the largest voltage that the columns' amplifiers have to deliver. output_v_per_unit: volts at
    the outputs per model unit.
    """

    stage: str
    feedback_ohm: float
    feedback_f: float
    column_amplifier_v: float
    output_v_per_unit: float

    @classmethod
    def of(cls, crossbar: Crossbar | Tiles) -> Swing:
        """Of the amplifiers of a crossbar, or of those at all positions."""
        return cls(
            stage=crossbar.name,
            feedback_ohm=float(np.median(crossbar.feedback_ohm)),
            feedback_f=float(np.median(crossbar.feedback_f)),
            column_amplifier_v=crossbar.column_swing_v,
            output_v_per_unit=crossbar.output_v_per_unit,
        )


@dataclass(frozen=True)
class CircuitFacts:
    """A circuit, as large as the engine found it.

    devices: how many, or how many of each kind. nodes, elements, netlist_bytes: of the netlist; nodes of an engine that
    writes none are the voltages that it solves for. technology: every value by section and key. swing_basis: what the
    amplifiers are sized for. inference_s: how long the circuit takes to answer; None where only its operating point is
    solved for. What is None or empty besides is not in reports of earlier versions.
    """

    devices: int | Mapping[str, int]
    nodes: int
    elements: int | None
    netlist_bytes: int | None
    fidelity: str
    technology: Mapping[str, object]
    swing_basis: str | None
    inference_s: float | None
    swing: tuple[Swing, ...]

    @classmethod
    def of(cls, design: Design, solution: Solution, technology: Technology) -> CircuitFacts:
        """Of a design that was solved."""
        return cls(
            devices=design.device_count,
            nodes=solution.size.nodes,
            elements=solution.size.elements,
            netlist_bytes=solution.size.netlist_bytes,
            fidelity=solution.fidelity,
            technology=technology.model_dump(),
            swing_basis=design.swing_basis,
            inference_s=design.inference_s if design.is_timed else None,
            swing=tuple(map(Swing.of, design.amplified)),
        )

    @property
    def process(self) -> str | None:
        """Whose transistors it is built of; None where it is not built of any."""
        section = self.technology.get("process")
        pdk = section.get("pdk") if isinstance(section, Mapping) else None
        return None if pdk in (None, "none") else str(pdk)

    @property
    def technology_name(self) -> str:
        """What the technology calls itself."""
        return str(self.technology.get("name", "unnamed"))


@dataclass(frozen=True)
class EngineRun:
    """What solved the circuit. options: what it was told, and the seed of all that was drawn."""

    name: str
    version: str
    options: Mapping[str, object]

    @classmethod
    def of(cls, solution: Solution) -> EngineRun:
        """That of a solution."""
        return cls(solution.engine, solution.engine_version, dict(solution.engine_options))

    @property
    def label(self) -> str:
        """Which engine, of what version, and what it computed with unless that is the central processor."""
        device = self.options.get("device", "cpu")
        where = "" if device == "cpu" or self.name != "batched" else f" on {device}"
        return f"{self.name} {self.version}{where}"

    @property
    def seed(self) -> object:
        """What random imperfections, and the samples that are solved again, were drawn with; None if not known."""
        return self.options.get("seed")


def date() -> str:
    """The time now, UTC: "2026-11-29T16:08:12Z". Of a reproducible build, what SOURCE_DATE_EPOCH says it is."""
    said = os.environ.get("SOURCE_DATE_EPOCH", "")
    is_known = said.isascii() and said.isdigit() and len(said) <= _DIGITS
    seconds = int(said) if is_known else int(time.time())
    return f"{datetime.fromtimestamp(seconds, UTC):{DATE}}"


def versions() -> dict[str, str]:
    """Of kanspice and of what it computes with."""
    return {name: version(name) for name in _PACKAGES} | {"python": platform.python_version()}
