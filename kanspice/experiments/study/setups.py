"""What draws of a network's circuits are measured with: everything that is the same for all of them, made once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from kanspice.base.threads import one_thread
from kanspice.circuit import Design
from kanspice.engine.acceptance import chosen_samples
from kanspice.engine.engines import engine_named
from kanspice.engine.options import RunOptions
from kanspice.engine.running import check_design, check_device, check_judge_of_subcircuits, check_mismatch
from kanspice.experiments.ensemble.variations import Point
from kanspice.experiments.evidence import Evidence
from kanspice.experiments.followed import Followed
from kanspice.experiments.generator import Generator
from kanspice.experiments.study.specimens import GapSetup
from kanspice.experiments.verify.projected import original_of
from kanspice.families import LoadedModel, compile_nominal
from kanspice.gap import NumericalGap, check_limits, given
from kanspice.gap.limits import LimitPair
from kanspice.technology.sections import Converters


class DrawsAsked(Protocol):
    """How draws are asked. seed: of all of them. limits: of a good draw. judge, checked_by: as requests have it."""

    @property
    def engine(self) -> str: ...
    @property
    def device(self) -> str: ...
    @property
    def seed(self) -> int: ...
    @property
    def limits(self) -> Sequence[LimitPair]: ...
    @property
    def judge(self) -> str | None: ...
    @property
    def checked_by(self) -> str | None: ...


def gap_setups(
    asked: DrawsAsked, loaded: LoadedModel, evidence: Evidence, points: Sequence[Point]
) -> tuple[GapSetup, ...]:
    """Follows the network once, and compiles the nominal circuit of every point.

    Raises InputError for technologies or limits that cannot be used.
    """
    generator, original = Generator.of(loaded), original_of(loaded)
    there = given(
        labels=evidence.labels is not None,
        targets=evidence.targets is not None,
        generates=generator is not None,
        projected=original is not None,
    )
    check_limits(asked.limits, there, "the limits")
    finest = max((point.technology for point in points), key=lambda technology: _bits(technology.converters))
    with one_thread():
        network = Followed.of(loaded, evidence, finest)
        designs = [compile_nominal(loaded, point.technology, network.sizing) for point in points]
        _check(asked, designs)
        everywhere = partial(
            GapSetup,
            device=asked.device,
            inputs=network.inputs,
            places=tuple(network.answered),
            without=tuple(network.failures),
            hints=network.hints,
            labels=evidence.labels,
            targets=evidence.targets,
            reference_error=_reference_error(asked, network, designs[0]),
            generator=generator,
            learnt=None if original is None else original.outputs(evidence.inputs),
            limits=asked.limits,
            judge=asked.judge,
        )
        parts = zip(points, designs, strict=True)
        return tuple(_at(everywhere, asked.engine, network, point, design) for point, design in parts)


def _bits(converters: Converters) -> tuple[int, int]:
    return converters.adc_bits, converters.dac_bits


def _check(asked: DrawsAsked, designs: Sequence[Design]) -> None:
    check_device(asked.device, designs[0], asked.engine, asked.checked_by)
    check_design(designs[0], asked.engine, asked.checked_by)
    for design in designs:
        check_mismatch(design, asked.engine)
        if asked.checked_by is not None and engine_named(asked.engine).has_subcircuits:
            check_judge_of_subcircuits(design, asked.engine, asked.checked_by)


def _at(everywhere: Callable[..., GapSetup], engine: str, network: Followed, point: Point, design: Design) -> GapSetup:
    return everywhere(
        engine=engine,
        point=point.index,
        design=design,
        technology=point.technology,
        expected=network.expected(design),
        scale=network.scale(design),
    )


def _reference_error(asked: DrawsAsked, network: Followed, design: Design) -> NumericalGap | None:
    """The network's own, on samples drawn with the seed: it is the same for all draws."""
    chosen = chosen_samples(network.answered, RunOptions(seed=asked.seed))
    return network.error(design.stages[-1].compares_to, chosen, network.scale(design))
