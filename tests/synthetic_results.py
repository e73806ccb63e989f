"""One synthetic gap to render, and what tests change about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from kanspice.engine.solution import FailedSample, Outcome
from kanspice.experiments.facts import ChipFacts, CircuitFacts, EngineRun, InputsFacts, ModelFacts, SpecimenFacts, Swing
from kanspice.experiments.verify.chip.notes import chip_notes
from kanspice.experiments.verify.result import GapResult
from kanspice.gap.anatomy import StageShape
from kanspice.gap.answers import confusion, output_errors
from kanspice.gap.causes import NONE, NUMERICAL, PROJECTION, Attribution, Cause, Share, Trial
from kanspice.gap.chip import ChipSamples
from kanspice.gap.costs import Areas, ChipEnergy, DigitalCost, DigitalEnergy, Operations, PhysicalCost, StageCost
from kanspice.gap.cross_check import CrossCheck, NotChecked, OtherOutcome
from kanspice.gap.crossbar_maps import CrossbarMap, Crosspoint
from kanspice.gap.distribution import Distribution, Generated, LogDensities, PeriodEnds
from kanspice.gap.law_uses import LawPoint, LawUse
from kanspice.gap.metrics import Gap, compare, spread
from kanspice.gap.operating import DevicePoint, DeviceUse
from kanspice.gap.projection import ProjectedLayer, ProjectionGap
from kanspice.gap.raster import Raster
from kanspice.gap.resolution import Limit, NumericalGap, Variation
from kanspice.gap.stage_gap import StageGap
from kanspice.gap.waveform_pairs import PeriodWaveforms, SampleWaveforms
from kanspice.gap.worst import worst_samples

HOSTILE = "</script><script>document.title = 'hit'</script><img src=x onerror=\"document.title = 'hit'\">"
NAN = float("nan")
NO_GAP = Gap(NAN, NAN, None, None, None)


def gap_of(relative: float | None, scale: float = 0.5) -> Gap:
    if relative is None:
        return Gap(0.0, 0.0, None, None, None)
    return Gap(relative * scale, 3 * relative * scale, relative, 3 * relative, 0.98)


def stage(name: str, gap: float | None, added: float | None, **facts: object) -> StageGap:
    given = {"largest_v": 1.4, "largest_column_v": None, "behavioural": False} | facts
    return StageGap(name, gap_of(gap), gap_of(added), **given)


def technology(gain: float) -> dict[str, object]:
    return {
        "name": "ideal",
        "units": {"v_unit_v": 1.0, "i_unit_a": 1e-6},
        "tia": {"gain": gain, "rail_v": 5.0, "headroom": 0.8},
    }


def causes() -> tuple[Cause, ...]:
    """Two imperfections, the circuit without any, and numerical error; one sample failed with one of them alone."""
    figures = ((0.004, 0), (0.009, 1), (1e-5, 0))
    small, large, none = (Trial(gap_of(gap), failed, np.full(50, gap**2)) for gap, failed in figures)
    return (
        Cause("tia.gain", 1000.0, large, small, Share(0.8345, 0.0123)),
        Cause("devices.curve", "points", small, large, Share(0.1655, 0.0)),
        Cause(NONE, None, none, None, Share(0.0, 0.0)),
        Cause(NUMERICAL, None, none, None, Share(1e-6, 0.0)),
    )


def attributed(samples: int = 50, orders: int = 16) -> GapResult:
    """A result whose causes were told apart on so many of its 50 samples."""
    found = Attribution("batched", 99, orders, samples, 0.01)
    return replace(synthetic(), causes=causes(), attribution=found)


def synthetic(samples: int = 50, outputs: int = 10, error: float = 0.01) -> GapResult:
    """A result as `verify` gives it: everything solved, one limit kept, nothing optional given."""
    random = np.random.default_rng(1)
    reference = random.normal(size=(samples, outputs))
    circuit = reference + error * random.normal(size=(samples, outputs))
    return GapResult(
        model=ModelFacts("examples/digits/model.pt", "kanalogue", "kanspice", "ab" * 32, 4842, ("Z21", "Z15")),
        design=CircuitFacts(
            devices={"Z21": 4096, "Z15": 640},
            nodes=1234,
            elements=5678,
            netlist_bytes=98765,
            fidelity="device",
            technology=technology(float("inf")),
            swing_basis="these samples",
            inference_s=None,
            swing=(Swing("l1.crossbar", 1500.0, 0.0, 3.5, 0.25), Swing("l2.crossbar", 2500.0, 0.0, 3.5, 0.25)),
        ),
        engine=EngineRun("ngspice", "42", {"fidelity": "device", "reltol": 1e-3, "jobs": 2}),
        inputs=InputsFacts("inputs.npy", "cd" * 32),
        samples=samples,
        failed=(),
        gap=compare(circuit, reference),
        stages=(
            stage("l1.input", 0.0, 0.0),
            stage("l1.crossbar", 0.004, 0.004, largest_v=2.71828, largest_column_v=0.00123),
            stage("l1.norm", 0.004, 1e-12, behavioural=True),
            stage("l2.input", 0.006, 1e-12),
            stage("l2.crossbar", 0.01, 0.008, largest_v=3.9, largest_column_v=0.0021),
        ),
        numerical=NumericalGap(min(5, samples), 1.2e-7, 4.5e-7, 1.2e-7),
        external_gap=None,
        external_circuit_gap=None,
        accuracy=None,
        limits=(Limit("relative_rmse", 0.01, 0.05),),
        timing={"load_s": 0.12, "compile_s": 0.034, "simulate_s": 3.21, "per_sample_s": 0.0642},
        memory={"simulator_peak_bytes": 222_000_000, "kanspice_peak_bytes": None},
        notes=(),
        versions={"kanspice": "0.1.0", "python": "3.11.2", "numpy": "2.4.0"},
        reference=reference,
        outputs=circuit,
        worst=worst_samples(circuit, reference, spread(reference)),
    )


def with_failures(result: GapResult, *indices: int) -> GapResult:
    """The same result with samples that have none."""
    outcomes = [Outcome.DIVERGED, Outcome.SINGULAR, Outcome.OUT_OF_RANGE, Outcome.TIMED_OUT, Outcome.CRASHED]
    failed = tuple(FailedSample(i, outcomes[n % len(outcomes)], "seen at 3 V") for n, i in enumerate(indices))
    outputs = result.outputs.copy()
    outputs[list(indices)] = NAN
    solved = np.isfinite(outputs).all(axis=1)
    gap = compare(outputs, result.reference, solved)
    stages = result.stages if solved.any() else tuple(_unmeasured(stage) for stage in result.stages)
    worst = worst_samples(outputs, result.reference, spread(result.reference))
    return replace(result, failed=failed, outputs=outputs, gap=gap, stages=stages, worst=worst)


def with_everything(result: GapResult) -> GapResult:
    """The same result with everything optional given, one limit exceeded, and notes."""
    return replace(
        result,
        external_gap=gap_of(1e-7),
        external_circuit_gap=gap_of(0.0101),
        reference_error=NumericalGap(5, 1e-8, 3e-8, 1e-8),
        variation=Variation(1.0, 3.0),
        accuracy={"reference": 0.98, "circuit": 0.96},
        limits=(
            *result.limits,
            Limit("max_relative", 0.04, 0.02),
            Limit("accuracy", 0.96, min=0.95),
            Limit("l2.crossbar.relative_rmse", NAN, 1.0),
        ),
        notes=("identical device columns were shared", "ngspice raised gmin for 3 samples"),
        command="kanspice verify model.pt --inputs 'my inputs.npy'",
        sized_for=InputsFacts("train.npy", "de" * 32),
        specimen=SpecimenFacts("worst.npz", "ef" * 32),
        date="2026-11-29T16:08:12Z",
    )


def crossbar_map(name: str) -> CrossbarMap:
    """A crossbar of 90 rows, of which the map has 30."""
    values = np.random.default_rng(5).random((30, 4))
    worst = (Crosspoint(89, 3, 0.02), Crosspoint(0, 0, 0.01))
    return CrossbarMap(
        name,
        90,
        4,
        2,
        Raster.of(values),
        Raster.of(values**4),
        (0.01,) * 30,
        (0.02,) * 4,
        worst,
        2,
        1,
        ((3, 1), (88, 0)),
    )


def answered() -> GapResult:
    """Of a network that decides between two classes of small images, of which one sample failed."""
    result = with_failures(synthetic(50, 2, 0.1), 7)
    solved, labels = np.isfinite(result.outputs).all(axis=1), result.reference.argmax(axis=1)
    labels[3] = 1 - labels[3]
    inputs = np.random.default_rng(4).normal(size=(50, 25))
    return replace(
        result,
        accuracy={"reference": 0.98, "circuit": 0.96},
        worst=worst_samples(result.outputs, result.reference, spread(result.reference), inputs),
        anatomy=tuple(
            StageShape(each.name, "crossbar" if "crossbar" in each.name else "limiter", "8 parts", 8, 8)
            for each in result.stages
        ),
        crossbar_maps=(crossbar_map("l1.crossbar"), replace(crossbar_map("l2.crossbar"), error=None, worst=())),
        device_uses=(
            DeviceUse("z21", 4, 2, -0.5, 1.5, (0.25, 0.5, 0.25), (0.0, 1e-6, 5e-7, 2e-6), 0.25, 0.0),
            DeviceUse("ohmic", 2, 2, 0.0, 1.0, (1.0, 0.0), (0.0, 1e-6), 0.0, 0.5),
        ),
        confusion=confusion(result.outputs, result.reference, solved, labels),
        output_errors=output_errors(result.outputs, result.reference, solved),
    )


def hostile() -> GapResult:
    """Everything that has a name has one that would run if it were markup."""
    result = answered()
    uses = tuple(
        replace(use, name=HOSTILE, examples=(DevicePoint(HOSTILE, 1, 2, True, 3, 0.5),)) for use in result.device_uses
    )
    maps = tuple(replace(each, name=HOSTILE) for each in result.crossbar_maps)
    stages = tuple(replace(each, name=HOSTILE) for each in result.stages)
    model = replace(result.model, path=HOSTILE)
    return replace(result, model=model, device_uses=uses, crossbar_maps=maps, stages=stages, notes=(HOSTILE,))


def three_engines() -> GapResult:
    """Solved by the batched engine, and samples 3 and 8 by two simulators besides."""
    result = cross_checked(synthetic(), 2e-10)
    other = CrossCheck("vacask", "0.3.4.dev3", (3, 8), 3e-14, 3, 1e-6, ())
    return replace(result, engine=replace(result.engine, name="batched"), further_checks=(other,))


def cross_checked(result: GapResult, worst: float | None, *outcomes: OtherOutcome) -> GapResult:
    """The same after ngspice solved samples 3 and 8 too."""
    sample = None if worst is None else 8
    return replace(result, cross_check=CrossCheck("ngspice", "42", (3, 8), worst, sample, 1e-6, outcomes))


def waveforms(sample: int = 0, nodes: tuple[int, ...] = (2, 2), error: float = 1e-3) -> SampleWaveforms:
    """A sample's waveforms over periods of 1 us with so many nodes; the last node of the first is off the most."""
    random = np.random.default_rng(sample)
    periods = []
    for index, width in enumerate(nodes):
        time_s = (index + np.linspace(0, 1, 30)) * 1e-6
        reference_v = np.sin(1e6 * time_s[:, None] + random.normal(size=width))
        off_v = error * np.outer(np.linspace(0, 1, 30), np.arange(width) - width / 2 if width > 1 else [1.0])
        periods.append(PeriodWaveforms(f"l{index + 1}.period", time_s, reference_v + off_v, reference_v))
    return SampleWaveforms(sample, tuple(periods), (nodes[-1] - 1, nodes[-1]), 0.5, 2e-6)


def moving(samples: int = 40, error: float = 0.01) -> GapResult:
    """A circuit that answers after a time, whose two outputs are a point of a plane."""
    return replace(
        synthetic(samples, 2, error),
        stages=(stage("l1.period", 0.004, 0.004), stage("l2.period", 0.01, 0.008), stage("readout", 0.01, 0.0)),
        numerical=NumericalGap(8, 1e-3, 2e-3, 0.002),
        waveforms=(waveforms(0), waveforms(3), waveforms(4), waveforms(5)),
        law_uses=(law_use(),),
    )


def law_use() -> LawUse:
    """Of branches with a law that falls."""
    part, of = {"branch": 3, "from node": 1, "to node": 2}, {"source / V": 0.25, "current / A": 1e-7}
    point = LawPoint("l1.period", part, 4, 2e-7, 0.5, 0.25, of)
    return LawUse(
        "Device1.silu", "branch", 12, 60, -1.0, 1.0, (0.5, 0.5), (-0.5, -0.75, 0.25, 0.5), 0.25, 0.5, (point,)
    )


def generated(samples: int = 40) -> GapResult:
    """Of a network that generates points of a plane, with densities."""
    result = moving(samples)
    found = Distribution(samples, 0.031, 0.24, LogDensities(samples - 2, -2.5, -2.75, 1e-6, 2))
    ends = tuple(PeriodEnds(stage.name, result.reference, result.outputs) for stage in result.stages[:2])
    return replace(result, distribution=found, generated=Generated(ends, None), physical=cost_of_periods())


def digital(reads: float) -> DigitalCost:
    """What a digital circuit takes, of which two figures are the same as those of an analogue chip."""
    energies = (
        DigitalEnergy("int8", "SRAM of 8 kB", {"multiplications": 8e-10, "parameters": 4e-10}),
        DigitalEnergy("float32", "DRAM", {"multiplications": 1.6e-8, "parameters": 8e-7}),
    )
    chips = (ChipEnergy("a chip", "A. Nonymous, Journal 1 (2023) 2-3", 1e13, 8e-10),)
    operations = Operations(4000.0, 4100.0, 12.0, 4736.0, reads, 156.0)
    return DigitalCost(operations, energies, chips, ("nothing is counted twice",), {})


def cost_of_periods() -> PhysicalCost:
    """What an inference of two periods costs, of which one was measured."""
    measured = StageCost("l1.period", 12, 0, None, 2e-5, 3e-5, {"branches": 2e-5}, 2e-11, 4e-12)
    stages = (measured, StageCost("l2.period", 6, 0, None))
    assumptions = "of three samples", "l2.period was not followed"
    beside = replace(digital(1e6), evaluations={"l1.period": 56.0, "l2.period": 50.0})
    return PhysicalCost(
        3, 2e-6, None, None, None, None, stages, assumptions, parts_j={"clocks": 2.5e-12}, digital=beside
    )


def cost_of_filters() -> PhysicalCost:
    """What an inference of a bank of filters costs, of which all is known."""
    parts = {"filters": 2e-6, "amplifiers": 3e-6, "quiescent": 1e-6, "oscillators": 0.0}
    stage = StageCost("l1.filters", 72, 368, None, 6e-6, 7e-6, parts, 6e-9)
    parts_j = {name: 1e-3 * power_w for name, power_w in parts.items()} | {"converters": 1e-9}
    said = "a filter has 3 amplifiers", "all layers are on"
    return PhysicalCost(50, 1e-3, 6e-6, 7e-6, 7e-9, None, (stage,), said, parts_j=parts_j, digital=digital(360.0))


def cost_of_crossbars() -> PhysicalCost:
    """What an inference of two crossbars costs."""
    areas, parts = Areas(120.5, 3.25, 0.015625), {"rows": 1e-5, "drivers": 2e-6, "amplifiers": 3e-6, "quiescent": 0.0}
    stages = (
        StageCost("l1.crossbar", 4096, 256, areas, 1.5e-5, 2.5e-5, parts),
        StageCost("l2.crossbar", 640, 94, Areas(8.0, 1.0, 0.5), 1e-6, 2e-6, {"rows": 1e-6}),
    )
    assumptions = "class AB", "no bandwidth was given"
    return PhysicalCost(50, None, 1.6e-5, 2.6e-5, None, None, stages, assumptions, digital=digital(4736.0))


def regression() -> GapResult:
    """With true answers, what an inference costs, and another engine that could not try one sample."""
    crashed = (NotChecked(3, "ngspice crashed: signal 11"),)
    check = CrossCheck("ngspice", "42", (3, 8), 2e-8, 8, 1e-6, (), crashed)
    loss = {"reference": 0.0125, "circuit": 0.013}
    return replace(synthetic(), loss=loss, physical=cost_of_crossbars(), cross_check=check)


def unresolved() -> GapResult:
    """A gap that cannot be told from the numerical errors of both sides."""
    errors = {"numerical": NumericalGap(5, 0.009, 0.02, 0.0095), "reference_error": NumericalGap(5, 0.03, 0.06, 0.031)}
    return replace(synthetic(), **errors, variation=Variation(1.0, 3.0))


def projected() -> GapResult:
    """Of a network that was made of a learnt one, which is a cause of its own."""
    layers = (ProjectedLayer("l1", gap_of(0.002), gap_of(0.002)), ProjectedLayer("l2", gap_of(0.037), gap_of(0.0365)))
    made, whole = gap_of(0.037), gap_of(0.0383)
    alone, without = (Trial(gap, 0, np.full(50, gap.rmse**2)) for gap in (made, gap_of(0.01)))
    cause = Cause(PROJECTION, None, alone, without, Share(0.93, 0.0))
    result = attributed(orders=0)
    return replace(result, projection=ProjectionGap(made, whole, layers, 49), causes=(cause, *result.causes))


def with_chip(result: GapResult, labels: bool = True) -> GapResult:
    """The same result, and a chip that its circuit explains for the most part.

    Samples 1 and 2 and output 1 were not measured, of sample 5 output 0 was not; of the nominal circuit 6 failed.
    """
    random = np.random.default_rng(2)
    chip = np.where(np.isfinite(result.outputs), result.outputs, result.reference)
    chip += 0.004 * random.normal(size=chip.shape)
    chip[1:3] = chip[:, 1] = chip[5:6, 0] = NAN
    nominal = result.reference + 0.002
    nominal[6:7] = NAN
    solved = np.isfinite(result.outputs).all(axis=1)
    fitted = np.arange(len(chip)) < 10 if result.specimen is not None else None
    samples = ChipSamples(chip, result.outputs, result.reference, solved, spread(result.reference), nominal, fitted)
    classes = result.reference.argmax(axis=1) if labels else None
    found = samples.gaps(classes, result.reference + 0.5)
    facts = ChipFacts("chip.npy", "ba" * 32)
    notes = (*result.notes, *chip_notes(found, None if fitted is None else 10, 0))
    limit = Limit("chip_circuit_relative_rmse", found.circuit.relative_rmse or NAN, 0.05)
    limits = (*result.limits, limit)
    return replace(result, measured=facts, chip=found, chip_outputs=chip, notes=notes, limits=limits)


def whole_chip() -> GapResult:
    """A chip of which everything was measured, whose circuit does not explain it."""
    result = synthetic(error=0.002)
    chip = result.reference - 20 * (result.outputs - result.reference)
    solved = np.full(result.samples, True)
    samples = ChipSamples(chip, result.outputs, result.reference, solved, spread(result.reference))
    found = samples.gaps(result.reference.argmax(axis=1))
    return replace(result, measured=ChipFacts("", "ba" * 32), chip=found, chip_outputs=chip)


def _unmeasured(found: StageGap) -> StageGap:
    return replace(found, gap=NO_GAP, added=NO_GAP, largest_v=NAN, largest_column_v=None)


EXTREMES: dict[str, Callable[[], GapResult]] = {
    "plain": synthetic,
    "everything": lambda: with_everything(synthetic()),
    "some failed": lambda: with_failures(with_everything(synthetic()), 3, 7, 8, 9, 20, 21, 40),
    "all failed": lambda: with_failures(synthetic(4), 0, 1, 2, 3),
    "no error": lambda: replace(
        synthetic(error=0.0),
        stages=(stage("l1.crossbar", 0.0, 0.0),),
        numerical=NumericalGap(5, 0.0, 0.0, 0.0),
    ),
    "one sample": lambda: replace(
        synthetic(samples=1, outputs=1), stages=(stage("only", None, None),), numerical=NumericalGap(1, 0.0, 0.0, None)
    ),
    "periods": moving,
    "attributed": attributed,
    "engines disagree": lambda: cross_checked(synthetic(), 0.1, OtherOutcome(3, "multistable", "converged")),
    "three engines agree": three_engines,
    "no stages": lambda: replace(synthetic(), stages=(), limits=(), numerical=None, timing={}, versions={}),
}
GAPS = {
    **EXTREMES,
    "generated": generated,
    "filters": lambda: replace(synthetic(), physical=cost_of_filters()),
    "regression": regression,
    "unresolved": unresolved,
    "answered": answered,
    "projected": projected,
    "chip": whole_chip,
    "chip in part": lambda: with_chip(with_failures(with_everything(synthetic()), 3, 7)),
    "chip without a circuit": lambda: with_chip(with_failures(synthetic(4), 0, 1, 2, 3), labels=False),
}
