"""The receipt of an export: whether a simulator was given its files, and how far its answer is from kanspice's."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from kanspice.base.errors import SimulatorError
from kanspice.base.processes.folders import fresh_folder
from kanspice.engine.memory import NoRoomError
from kanspice.engine.netlist.netlist import Text
from kanspice.experiments.export.bench import Bench, Probe
from kanspice.experiments.export.formats.format import ExportFormat, ExportPlan, OutOfTimeError, Simulated
from kanspice.report.codec import Count, Figure, Part, SizeOrNone
from kanspice.report.formatting import many

OPERATING_POINT, _TRANSIENT = 1e-9, 1e-4
"""What may differ, as a part of the largest voltage of the same stage."""
_LEAST_OF_UNIT = 1e-2
"""A stage whose voltages are all smaller counts as one whose largest is this part of a model unit."""


@dataclass(frozen=True)
class Receipt:
    """Of one export.

    program, version, how: of the simulator that was given the files; empty where none was. why_not: why none was.
    voltages: how many were compared: of all stages. worst_v: by how much one differs most, at `worst_node`;
    worst_relative: the same as a part of the largest voltage of its stage, which `limit` is for.
    """

    format: str
    sample: int | None
    program: str = ""
    version: str = ""
    how: str = ""
    why_not: str = ""
    voltages: int = 0
    worst_v: float | None = None
    worst_relative: float | None = None
    worst_node: str = ""
    limit: float = OPERATING_POINT

    @property
    def simulated(self) -> bool:
        """Whether a simulator was given the files."""
        return self.worst_relative is not None

    @property
    def passed(self) -> bool:
        """Whether what it found is kanspice's own answer; False where there is nothing to compare."""
        return self.worst_relative is not None and self.worst_relative <= self.limit

    def line(self) -> str:
        """All of it in a sentence."""
        if self.worst_v is None or self.worst_relative is None:
            return f"not simulated here: {self.why_not}"
        agrees = "gives" if self.passed else "DOES NOT GIVE"
        return (
            f"{self.program} {self.version} ({self.how}) {agrees} kanspice's own answer: "
            f"{many(self.voltages, 'voltage')}, at most {self.worst_v:.2g} V apart, {self.worst_relative:.2g} of the "
            f"largest of a stage (limit {self.limit:g}), at {self.worst_node}"
        )


def prove(plan: ExportPlan, timeout_s: float) -> Receipt:
    """Has a simulator run the files of an export, in a fresh folder, and compares all voltages.

    Raises SimulatorError where it was started and has no result: the files are not what they should be, then.
    """
    limit = OPERATING_POINT if plan.bench.transient is None else _TRANSIENT
    receipt = Receipt(plan.written.name, plan.bench.sample, limit=limit)
    try:
        plan.written.find()
        found = run_files(plan, timeout_s)
    except (NoRoomError, OutOfTimeError) as error:
        return replace(receipt, why_not=_said(error))
    except SimulatorError as error:
        if _is_missing(plan.written):
            return replace(receipt, why_not=_said(error))
        raise
    return _compared(receipt, plan.bench, found)


def run_files(plan: ExportPlan, timeout_s: float) -> Simulated:
    """What the format's simulator finds with the files, in a folder of their own. Raises SimulatorError."""
    try:
        with fresh_folder() as folder:
            place = folder / "export"
            place.mkdir()
            write_texts(place, plan.files)
            try:
                return plan.written.simulate(plan.circuit, plan.bench, place, timeout_s)
            finally:
                shutil.rmtree(place, ignore_errors=True)
    except OSError as error:
        hint = "free some space, or set TMPDIR to a folder that has some"
        raise SimulatorError("the working folder cannot be used", found=str(error), hint=hint) from error


def write_texts(folder: Path, files: Mapping[str, Text]) -> None:
    """Writes texts piece by piece."""
    for name, text in files.items():
        with (folder / name).open("w", encoding="ascii", newline="\n") as file:
            file.writelines(text())


def _is_missing(written: ExportFormat) -> bool:
    try:
        written.find()
    except SimulatorError:
        return True
    return False


def _said(error: SimulatorError) -> str:
    facts = (error.problem, error.found, error.hint)
    return "; ".join(fact for fact in facts if fact)


def _compared(receipt: Receipt, bench: Bench, found: Simulated) -> Receipt:
    worst, largest = (0.0, 0.0, ""), _largest(bench)
    for each, volts in zip(bench.stages, found.volts, strict=True):
        apart_v = abs(volts - _expected(each))
        worst = max(worst, (apart_v / largest[each.stage], apart_v, each.node))
    relative, volts, node = worst
    return replace(
        receipt,
        program=found.program,
        version=found.version,
        how=found.how,
        voltages=len(bench.stages),
        worst_v=volts,
        worst_relative=relative,
        worst_node=node or bench.stages[-1].node,
    )


def _largest(bench: Bench) -> dict[str, float]:
    """Of each stage the largest voltage, of either sign."""
    found: dict[str, float] = {}
    for each in bench.stages:
        least = _LEAST_OF_UNIT * abs(each.v_per_unit)
        found[each.stage] = max(found.get(each.stage, least), abs(_expected(each)))
    return found


def _expected(each: Probe) -> float:
    if each.expected_v is None:
        raise ValueError("a bench without answers has nothing to compare")
    return each.expected_v


class ReceiptDocument(Part):
    """Whether a simulator was given the files of an export, and how far what it found is from kanspice's own answer."""

    schema_: Annotated[Literal["kanspice.receipt/1"], Field(alias="schema")]
    """The contract that this document keeps."""
    format: str
    """What was written: `ngspice`, `vacask` and so on."""
    sample: Count | None
    """Which sample of the inputs the bench has; null for an example that kanspice chose."""
    simulated: bool
    """Whether a simulator was given the files."""
    passed: bool
    """Whether what it found is kanspice's own answer; false where there is nothing to compare."""
    program: str
    """The simulator; empty where none was given the files."""
    version: str
    """Of the simulator."""
    how: str
    """What it was given, and in which of its modes."""
    why_not: str
    """Why no simulator was given the files; empty where one was."""
    voltages: Count
    """How many were compared: those of all stages."""
    worst_v: SizeOrNone
    """By how much the voltage that differs most does, volts."""
    worst_relative: Figure
    """The largest difference as a part of the largest voltage of the same stage."""
    worst_node: str
    """Where that is."""
    limit: float
    """What `worst_relative` may be at most."""


def receipt_json(receipt: Receipt) -> str:
    """The receipt as a JSON document."""
    return ReceiptDocument.text(receipt)
