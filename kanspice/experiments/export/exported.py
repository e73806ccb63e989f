"""What `kanspice export` gives: a folder, what should come out of it, and its receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kanspice.experiments.export.bench import Probe
from kanspice.experiments.export.receipt import Receipt
from kanspice.report.blocks import Facts, Notes, Page, Table
from kanspice.report.formatting import many, number, plain
from kanspice.report.shown import Shown
from kanspice.report.verdict import Verdict

_HEADER = ("output", "node", "volts", "model units")


@dataclass(frozen=True, repr=False)
class Exported(Shown):
    """A circuit, or a part of it, in another simulator's language.

    folder: that it was written to. title: of the language. by_hand: how people run it. outputs: what should come out.
    notes: what was left out. receipt: whether a simulator found the same.
    """

    folder: Path
    title: str
    by_hand: str
    outputs: tuple[Probe, ...]
    notes: tuple[str, ...]
    receipt: Receipt

    exit_code = 0

    def page(self) -> Page:
        rows = [
            (str(row["output"]), str(row["node"]), number(float(str(row["volts"]))), number(float(str(row["units"]))))
            for row in self._rows()
        ]
        return Page(
            title=f"Export for {self.title}",
            subject=f"an export for {self.title}",
            command="kanspice export",
            answer=Verdict(plain(self.receipt.line()), warning=not self.receipt.simulated),
            outcome=None,
            exit_code=self.exit_code,
            lead=[
                Facts([("folder", plain(self.folder)), ("run it by hand", self.by_hand)]),
                Table(_HEADER, rows, texts=frozenset({0, 1})),
                Notes(self.notes),
            ],
            sections=[],
            checks=[],
        )

    def _rows(self) -> list[dict[str, object]]:
        found = []
        for each in self.outputs:
            volts = float("nan") if each.expected_v is None else each.expected_v
            found.append({"output": each.index, "node": each.node, "volts": volts, "units": volts / each.v_per_unit})
        return found

    def columns(self) -> Mapping[str, list[object]]:
        """A row for each output: its node, and what should come out there."""
        rows = self._rows()
        return {name: [row[name] for row in rows] for name in ("output", "node", "volts", "units")}

    def lines(self) -> list[str]:
        """What the command says."""
        outputs = many(len(self.outputs), "output")
        return [f"wrote {self.folder}: {self.by_hand} ({outputs})", f"receipt: {self.receipt.line()}"]
