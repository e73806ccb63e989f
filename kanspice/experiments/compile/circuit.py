"""A compiled circuit, whether it lies in a folder or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from kanspice.base.arrays import Array
from kanspice.circuit import Design
from kanspice.engine.fidelity import Fidelity
from kanspice.experiments.compile.folder import read_compiled, write_compiled
from kanspice.report.blocks import Facts, Notes, Page, Table
from kanspice.report.formatting import devices, many, number
from kanspice.report.shown import Shown
from kanspice.report.verdict import Verdict

_HEADER = ("stage", "kind", "outputs", "volts per unit")


@dataclass(frozen=True, repr=False)
class Circuit(Shown):
    """What `compile` makes of a network: the design, and the level of detail at which it is written for a simulator.

    manifest: of the folder that it was read from or written to; empty for one in no folder. notes: how the network was
    read.
    """

    design: Design
    fidelity: Fidelity
    manifest: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: str | Path) -> Circuit:
        """Of a folder that `compile` wrote. Raises InputError as `read_compiled`."""
        found = read_compiled(Path(folder))
        return cls(found.design, found.fidelity, found.manifest)

    def write(self, folder: str | Path, inputs: Array | None = None) -> Circuit:
        """Writes netlist, subcircuits, design, manifest and a bench, all of it or nothing.

        inputs: samples (samples, inputs) in model units, of which the bench has the first. Raises as `write_compiled`.
        """
        return replace(self, manifest=write_compiled(self.design, self.fidelity, Path(folder), inputs))

    def page(self) -> Page:
        design = self.design
        answer = f"{devices(design.device_count)} in {many(len(design.stages), 'stage')}, {self.fidelity} fidelity"
        rows = [(s.name, type(s).__name__, f"{s.width}", number(s.output_v_per_unit)) for s in design.stages]
        facts = [("amplifiers sized for", design.swing_basis if design.amplified else None)]
        return Page(
            title=f"Circuit of a {design.family} network",
            subject=f"a {design.family} network",
            command="kanspice compile",
            answer=Verdict(answer),
            outcome=None,
            exit_code=0,
            lead=[Facts(facts), Table(_HEADER, rows, texts=frozenset({0, 1})), Notes(self.notes)],
            sections=[],
            checks=[],
        )

    def columns(self) -> Mapping[str, list[object]]:
        """A row for each stage, in signal order."""
        stages = self.design.stages
        return {
            "stage": [stage.name for stage in stages],
            "kind": [type(stage).__name__ for stage in stages],
            "outputs": [stage.width for stage in stages],
            "volts_per_unit": [stage.output_v_per_unit for stage in stages],
        }
