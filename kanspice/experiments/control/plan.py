"""What a closed loop with draws is asked to do, as its folder keeps it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import ClassVar

from kanspice.engine.fidelity import FidelityChoice
from kanspice.engine.running import judge_of
from kanspice.experiments.control.result import BY_NAME
from kanspice.experiments.control.setup import ControlOptions
from kanspice.experiments.control.success import Draws
from kanspice.experiments.ensemble.requests import Counted, EngineName, Limits, NotNegative, Positive, Request
from kanspice.experiments.ensemble.variations import Sweep
from kanspice.gap.metric_table import has_minimum

_ALSO = ("config", "curves", "tech", "plant_curves", "sized_for")


@dataclass(frozen=True)
class LoopRequest(Request):
    """Everything that was asked for, as plain values. Files are named as they were given, from `folder`.

    cross_check: at how many observations another engine is asked too, `judge` or the usual one. spot_check: so many of
    the draws by another engine too, `spot_judge` or the usual one. sized_for: samples that circuits are sized for, if
    those are not what the network comes by.
    """

    experiment = "control"
    optional: ClassVar[tuple[str, ...]] = ("sized_for",)

    folder: str
    model: str
    plant: str
    plant_curves: str | None = None
    config: str | None = None
    curves: str | None = None
    tech: str | None = None
    set_: tuple[str, ...] = ()
    sweeps: tuple[Sweep, ...] = ()
    trials: Counted = 100
    seed: NotNegative = 0
    engine: EngineName = "ngspice"
    fidelity: FidelityChoice = "auto"
    episodes: Counted = 10
    steps: Counted = 500
    latency: NotNegative = 0
    timeout: Positive = 10.0
    cross_check: NotNegative = 0
    judge: EngineName | None = None
    spot_check: NotNegative = 0
    spot_judge: EngineName | None = None
    limits: Limits = ()
    sized_for: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        judge_of(self.engine, self.judge)
        judge_of(Draws.engine, self.spot_judge)

    @property
    def options(self) -> ControlOptions:
        """For network and circuit."""
        return ControlOptions(
            episodes=self.episodes,
            steps=self.steps,
            seed=self.seed,
            latency=self.latency,
            engine=self.engine,
            fidelity=self.fidelity,
            sample_timeout_s=self.timeout,
            limits=self.limits,
            cross_check=self.cross_check,
            plant_curves=None if self.plant_curves is None else self.at(self.plant_curves),
            judge=self.judge,
        )

    def periods(self, draws: Draws | None) -> int:
        """Control periods of network, circuit and all draws, at most."""
        return 2 * self.episodes * self.steps + (0 if draws is None else draws.periods(self.episodes, self.steps))

    def draws(self) -> Draws:
        """For specimens. Raises InputError for a bad technology."""
        return Draws(self.points(), self.sweeps, self.trials, checks=self.spot_check, judge=self.spot_judge)

    @property
    def command(self) -> str:
        """The command line that measures the same."""
        words = ["kanspice", "control", self.model, "--plant", self.plant]
        for option in _ALSO:
            value = getattr(self, option)
            words += [] if value is None else [f"--{option.replace('_', '-')}", value]
        words += [word for override in self.set_ for word in ("--set", override)]
        words += [word for sweep in self.sweeps for word in ("--sweep", f"{sweep.key}={','.join(sweep.values)}")]
        for option in ("engine", "fidelity", "episodes", "steps", "seed", "latency", "trials", "timeout"):
            words += [f"--{option}", str(getattr(self, option))]
        for option, count, judge in (
            ("--cross-check", self.cross_check, self.judge),
            ("--spot-check", self.spot_check, self.spot_judge),
        ):
            words += [option, f"{count}:{judge}" if judge else str(count)]
        for metric, bound in self.limits:
            words += ["--min" if has_minimum(metric, BY_NAME) else "--max", f"{metric}={bound!r}"]
        return shlex.join(words)
