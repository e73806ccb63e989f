"""The engines: each is a package with a record of what it does, `ENGINE`, and one line of `names.HOMES`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.base.validation import nearest
from kanspice.circuit import Design, OdePeriod
from kanspice.devices import Curve
from kanspice.engine.fidelity import Fidelity
from kanspice.engine.names import HOMES
from kanspice.engine.options import RunOptions
from kanspice.engine.progress import Follow, Progress
from kanspice.engine.sequence import Course, Pace
from kanspice.engine.solution import Solution


class Solve(Protocol):
    """Solving a design for many inputs."""

    def __call__(
        self,
        design: Design,
        inputs: Array,
        fidelity: Fidelity,
        options: RunOptions,
        *,
        hints: Mapping[str, Array],
        progress: Progress | None,
        numbers: Sequence[int] | None,
        known: Any,
    ) -> Solution:
        """As `running.solve`, before anything is accepted."""


class Session(Protocol):
    """An engine that keeps a design's circuit ready: for inputs that depend on the outputs before them."""

    def solve(self, inputs: Array, numbers: Sequence[int] | None = None) -> Solution:
        """Voltages of every stage for inputs (samples, inputs) in model units, and which samples these are."""


class OpenSession(Protocol):
    """Making a session, which ends with its block."""

    def __call__(
        self,
        design: Design,
        fidelity: Fidelity,
        options: RunOptions,
        *,
        sample_timeout_s: float,
        follow: Follow | None,
    ) -> AbstractContextManager[Session]:
        """As `running.open_session`, before anything is accepted."""


class FollowSequence(Protocol):
    """Following samples that come one after the other, from the operating point of each to that of the next."""

    def __call__(
        self,
        design: Design,
        inputs_v: Array,
        rest: Solution,
        pace: Pace,
        *,
        finer: bool,
        which: Sequence[int] | None,
        timeout_s: float | None,
        told: Callable[[int], None],
    ) -> Iterator[Course]:
        """One course per sample, in order, or of those that are wanted: an engine may follow all nevertheless.

        rest: the operating points. told: called with how many samples have been followed since its last call. finer:
        more exactly, to measure the numerical error. Raises SimulatorError where it does not come to its end.
        """


class EndPeriod(Protocol):
    """Following one period by itself."""

    def __call__(self, period: OdePeriod, before_v: Array, device: str) -> Array:
        """Node voltages (samples, nodes) at the end of a period of ideal sources that nothing else hangs on; NaN where
        it explodes. before_v: (samples, inputs) voltages of the stage before the period. device: as `--device`.
        """


class SweepCurve(Protocol):
    """Evaluating a device's curve."""

    def __call__(self, curve: Curve, volts: Array, timeout_at: float | None) -> Array:
        """Currents (points,) at voltages (points,), in the curve's own unit; NaN where there is none.

        timeout_at: value of time.monotonic() at which it is given up. Raises SimulatorError where it cannot begin.
        """


@dataclass(frozen=True)
class Engine:
    """One way to solve designs.

    checked_by: the engine that it is checked against unless another is asked for. solves_together: a sample costs next
    to nothing beside others, so that what an answer does not depend on (causes, trials) is best left to it.
    """

    name: str
    find: Callable[[], object]
    """Raises SimulatorError where it is not installed."""
    solve: Solve
    open_session: OpenSession
    follow_sequence: FollowSequence
    follows_some: bool
    """Whether `which` saves it the work for the others."""
    checked_by: str
    solves_together: bool
    check_device: Callable[[str, Design], None] | None
    """Raises InputError for a `--device` that is not there, or has nothing to do; None where there is no choice."""
    fidelities: frozenset[Fidelity]
    share: Callable[[], Any]
    """Makes what solutions of circuits that get the same inputs can share, `known`."""
    end_period: EndPeriod | None = None
    """None where the integrator of `circuit/` is as fast."""
    check_design: Callable[[Design], None] | None = None
    """Raises InputError, naming it, for a circuit that it does not solve; None where it solves all."""
    has_subcircuits: bool = False
    """Whether it solves amplifiers and clips that are subcircuits; else it solves their macro-models."""
    sweep_curve: SweepCurve | None = None
    """None where curves are evaluated by NumPy's own code."""


def engine_named(name: str) -> Engine:
    """The engine of a name. Raises InputError for one that there is not."""
    if name not in HOMES:
        known = ", ".join(HOMES)
        raise InputError(f"unknown engine '{name}'", where="--engine", expected=known, hint=nearest(str(name), HOMES))
    engine: Engine = import_module(HOMES[name]).ENGINE
    return engine
