"""One chip at every age, by itself: as it is, and as it is once it was set anew."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import assert_never

from kanspice.circuit import Design
from kanspice.engine.progress import Progress
from kanspice.engine.solution import Solution
from kanspice.experiments.ensemble.draws import DrawResult
from kanspice.experiments.lifetime.plan import Trimmed
from kanspice.experiments.study.specimens import CheckedDraw, GapSetup
from kanspice.experiments.trims import Affine, fitted_columns, with_columns
from kanspice.gap import decoded_outputs


@dataclass(frozen=True)
class Life:
    """One chip. ages: what was measured at each. recalibrated: the same from when it was set anew on."""

    point: int
    trial: int
    seed: int
    ages: tuple[DrawResult, ...]
    recalibrated: tuple[DrawResult, ...]


@dataclass(frozen=True)
class Recalibration:
    """How chips are set anew: `setup` has the samples that it is done for, and the age. trims: what is set."""

    setup: GapSetup
    trims: Trimmed

    @property
    def age(self) -> int:
        """Its place among the ages."""
        return self.setup.point

    def set_anew(self, trial: int, seed: int) -> SetAnew:
        """What is set of a chip, from what it gives for these samples alone."""
        setup, chip = self.setup, self.setup.specimen(seed)
        match self.trims:
            case "outputs":
                outputs = decoded_outputs(chip, setup.solution(trial, seed, chip))
                return SetAnew(Affine.fitted(outputs, setup.expected), {})
            case "columns":
                trims = fitted_columns(chip, lambda trimmed: setup.solution(trial, seed, trimmed).stage_v, setup.hints)
                return SetAnew(None, trims)
            case _:
                assert_never(self.trims)


@dataclass(frozen=True)
class SetAnew:
    """What is done to a chip: to its outputs, and to column pairs by crossbar."""

    outputs: Affine | None
    columns: dict[str, Affine]

    def measured(self, setup: GapSetup, trial: int, chip: Design, solution: Solution) -> DrawResult:
        """The chip as it is then. solution: without, which trims of outputs leave as it is."""
        if self.columns:
            chip = with_columns(chip, self.columns)
            solution = setup.solution(trial, chip.seed, chip)
        return setup.judged(trial, chip.seed, chip, solution, self.outputs)


@dataclass(frozen=True)
class LifeSetup:
    """What chips are followed with. setups: by age. recalibration: how they are set anew, if they are."""

    setups: tuple[GapSetup, ...]
    recalibration: Recalibration | None

    @cached_property
    def is_random(self) -> bool:
        """Whether two chips can differ at any age."""
        return any(setup.is_random for setup in self.setups)

    def measure(self, trial: int, seed: int) -> Life:
        """One chip at every age: its seed says what it is, so that it is the same one."""
        anew = None if self.recalibration is None else self.recalibration.set_anew(trial, seed)
        ages, recalibrated = list[DrawResult](), list[DrawResult]()
        for age, setup in enumerate(self.setups):
            chip = setup.specimen(seed)
            solution = setup.solution(trial, seed, chip)
            ages.append(setup.judged(trial, seed, chip, solution))
            if self.recalibration is not None and anew is not None and age >= self.recalibration.age:
                recalibrated.append(anew.measured(setup, trial, chip, solution))
        return Life(0, trial, seed, tuple(ages), tuple(recalibrated))

    def check(self, trial: int, seed: int, progress: Progress | None = None) -> CheckedDraw:
        """One chip at its oldest by another engine too."""
        return replace(self.setups[-1].check(trial, seed, progress), point=0)
