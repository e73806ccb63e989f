"""How one circuit is measured against its network, and how much there is to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kanspice.base.draws import Draw
from kanspice.circuit.specimens import GivenSpecimen
from kanspice.engine.engines import engine_named
from kanspice.engine.fidelity import FidelityChoice
from kanspice.engine.options import RunOptions
from kanspice.engine.running import judge_of
from kanspice.gap.causes import AttributionPlan, planned
from kanspice.gap.limits import LimitPair
from kanspice.report.estimate import Workload
from kanspice.technology import Technology


@dataclass(frozen=True)
class VerifyOptions:
    """How to verify. fidelity `auto` takes what is fastest of those that are the same circuit as `device`.

    attribute: solve the circuit again with some of the technology's imperfections, to tell what each one does.
    cross_check: how many samples, drawn with the seed, another engine solves too: `judge`, or the one that the engine
    is usually checked by; where they agree, an engine that solves samples together does what `attribute` needs.
    """

    fidelity: FidelityChoice = "auto"
    run: RunOptions = field(default_factory=RunOptions)
    limits: Sequence[LimitPair] = ()
    attribute: bool = False
    engine: str = "ngspice"
    cross_check: int = 0
    judge: str | None = None
    further_judges: tuple[str, ...] = ()
    """That solve the same samples besides."""
    specimen: GivenSpecimen | None = None
    """Which one is verified; None for that of the seed."""

    @property
    def draw(self) -> Draw:
        """What the specimen is drawn with."""
        seed = self.run.seed
        return Draw(seed) if self.specimen is None else self.specimen.draw(seed)

    @property
    def checking(self) -> tuple[str, ...]:
        """Every engine that checks."""
        first = self.checked_by
        return () if first is None else (first, *(judge_of(self.engine, name) for name in self.further_judges))

    @property
    def checked_by(self) -> str | None:
        """The engine that checks; None where none does."""
        return judge_of(self.engine, self.judge) if self.cross_check else None

    def solves(self, technology: Technology) -> int:
        """How many times `verify` solves every sample."""
        if not self.attribute:
            return 1
        return len(self.plan(technology).trials) + (self.changes_engines or _has_subcircuits(technology))

    @property
    def changes_engines(self) -> bool:
        """Whether trials are left to the judge, if it agrees."""
        judge = self.checked_by
        together = judge is not None and engine_named(judge).solves_together
        return self.attribute and together and not engine_named(self.engine).solves_together

    def work(self, samples: int, technology: Technology) -> Workload:
        """What is to be done at the pace of the first samples, and what would be faster."""
        faster = ["fewer samples (--limit)"]
        one_by_one = not engine_named(self.engine).solves_together
        if one_by_one and self.fidelity != "transient" and not _has_subcircuits(technology):
            faster.insert(0, "--engine batched --cross-check 2")
        if one_by_one and self.run.jobs == 1:
            faster.append("more processes (--jobs)")
        rounds = 1 if self.changes_engines or _has_subcircuits(technology) else self.solves(technology)
        return Workload(samples, rounds=rounds, faster=", or ".join(faster), together=not one_by_one)

    def plan(self, technology: Technology) -> AttributionPlan:
        """Which circuits `attribute` needs."""
        return planned(technology, Draw(self.run.seed))


def _has_subcircuits(technology: Technology) -> bool:
    """Whether amplifiers are subcircuits: an attribution then compares circuits of macro-models, in no time."""
    return bool(technology.tia.subcircuit) or technology.process.pdk != "none"
