"""Tuning as JSON: the one definition of `kanspice.tuning/1`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from kanspice.experiments.draw_parts import SummaryPart, YieldPart
from kanspice.experiments.parts import Facts, InputsPart, ModelPart
from kanspice.experiments.study.document import CheckedDrawPart
from kanspice.experiments.tune.result import LOST, Arm, TuningResult
from kanspice.experiments.tune.wording import arm_name
from kanspice.report.codec import Count, Figure, Fraction, Key, Part, Size, SizeOrNone


class CoursePart(Part):
    """How a training went."""

    losses: list[Figure]
    """On the samples held out, before training and after every epoch: cross-entropy in nats of a classification,
    squared error in variances of the targets of a regression."""
    best: Count
    """Which of those is the network's; 0 is the network as it was given."""
    steps: Count
    """How many were made."""
    processor_s: Size
    """How long they took, with what told how far they were."""
    left_out: Count
    """Answers that had no part in a step, since they had no result or no gradient."""
    answers: Count
    """Of how many."""


class LostPart(Part):
    """Draws that lose little accuracy."""

    lost: Fraction
    """What they may, of the accuracy of the network as it was given."""
    yield_: Annotated[YieldPart, Field(alias="yield"), Key("found")]
    """How many do."""


class ArmDrawsPart(Part):
    """Every draw at one corner: lists in the same order. null where a draw has no such figure."""

    corner: str | None
    """Its name; null without corners."""
    technology: Annotated[Facts, Key(infinite=True)]
    """Every value of the technology by section and key; "inf" for infinity."""
    random: bool
    """False where all draws would be the same, so that there is one."""
    seed: list[Count]
    """With which `--seed` another command draws it."""
    score: list[Figure]
    """Accuracy, or error."""
    failed_samples: list[dict[str, Count]]
    """How many samples have no result, by outcome."""
    unresolved: list[list[str]]
    """Why the figures cannot be told from numerical error, if so."""


class ArmPart(Part):
    """One network, and the specimens of its circuit."""

    training: Annotated[Literal["given", "plain", "noise", "circuit"], Key("found.kind.name")]
    """How it was trained: not at all, by itself, with noise on its weights, through its circuit."""
    noise: Annotated[Size, Key("found.kind.sigma")]
    """Relative standard deviation of that noise."""
    name: str
    """For readers."""
    itself: Annotated[SizeOrNone, Key("found.itself")]
    """What the network scores without a circuit."""
    score: Annotated[SummaryPart | None, Key("found.summary")]
    """Over all draws at all corners; null where none has a figure."""
    yields: list[LostPart]
    """Of a classification."""
    failed_samples: Annotated[Size, Key("found.failed_samples")]
    """Samples of a draw without a result, in the mean."""
    unresolved_draws: Annotated[Count, Key("found.unresolved")]
    """Draws that cannot be told from numerical error."""
    course: Annotated[CoursePart | None, Key("found.course")]
    """Of the training; null without."""
    points: list[ArmDrawsPart]
    """Its draws by corner."""


class TuningSamplesPart(Part):
    """The samples. None is of two kinds."""

    training: Annotated[Count, Key("training_samples")]
    """Trained on."""
    held_out: Annotated[Count, Key("held_out_samples")]
    """Told how far training was."""
    test: Annotated[Count, Key("samples")]
    """Measured."""
    sizing: Annotated[Count, Key("sizing_samples")]
    """Sized all circuits: those of training and held out, and none that is measured. 0 where nothing is sized."""
    places: list[Count] | None
    """Which of those that were given are measured, from 0; null where they are in a file of their own."""
    repeated: Count
    """Measured samples that training had, or what told how far it was, too, number for number."""


class SchedulePart(Part):
    """How every network was trained."""

    epochs: Count
    """Passes over all samples, at most."""
    seconds: SizeOrNone
    """Of processor time, at most; null without such a limit."""
    rate: Size
    """The largest step of a parameter, of the mean magnitude of its tensor."""
    input_noise: Size
    """Standard deviation of what was added to inputs, model units."""
    seed: Count
    """Of everything that was drawn."""
    specimens: Count
    """That told how far training was."""
    patience: Count
    """Epochs without a better network, after which training ended."""


class TuningDocument(Part):
    """A network trained through its circuit, beside others, on what no training saw."""

    schema_: Annotated[Literal["kanspice.tuning/1"], Field(alias="schema")]
    """The contract."""
    model: Annotated[ModelPart, Key("found.model")]
    """The network as it was given."""
    notes: Annotated[list[str], Key("found.model_notes")]
    """How it was read."""
    inputs: Annotated[InputsPart, Key("found.inputs")]
    """The samples that were measured."""
    sized_for: Annotated[InputsPart | None, Key("found.sized_for")]
    """The samples that all circuits are sized for; of those in the file all that are not measured."""
    aim: Annotated[Literal["labels", "targets", "outputs"], Key("found.aim")]
    """What outputs are to be: the right class (scores are accuracies, where a sample without a result is wrong), true
    answers, or the network's own outputs (scores are errors: root mean squared, in standard deviations of those)."""
    samples: Annotated[TuningSamplesPart, Key("found")]
    """How many of each kind."""
    schedule: Annotated[SchedulePart, Key("found.schedule")]
    """How networks were trained."""
    seeds: Annotated[list[Count], Key("found.seeds")]
    """Of the specimens, the same at every corner and of every network; no training draws with one of them."""
    networks: list[ArmPart]
    """The network as it was given first, the tuned one last."""
    better: Annotated[bool, Key("found.is_better")]
    """Whether the tuned network's specimens score better in the mean."""
    cross_check: Annotated[list[CheckedDrawPart], Key("found.checks")]
    """Draws of the tuned network that another engine looked at too. `point` counts corners of all networks, one after
    the other."""
    why_unchecked: Annotated[str, Key("found.why_unchecked")]
    """Why there are none, where some should be."""
    again: Annotated[str | None, Key("found.again")]
    """The command that measures the tuned network's first specimen by itself."""
    measured: Annotated[bool, Key("found.is_measured")]
    """Whether every sample without a result is so for what its circuit does."""
    versions: Annotated[dict[str, str], Key("found.versions")]
    """Of everything that the results depend on."""
    command: Annotated[str | None, Key("found.command")]
    """What was called, if a command was."""


def tuning_json(result: TuningResult) -> str:
    """JSON text; a figure that does not exist is null."""
    return TuningDocument.text({"found": result, "networks": [_arm(result, arm) for arm in result.arms]})


def _arm(result: TuningResult, arm: Arm) -> dict[str, Any]:
    yields = zip(LOST, result.yields(arm), strict=False)
    return {
        "found": arm,
        "name": arm_name(arm.kind),
        "yields": [{"lost": lost, "found": found} for lost, found in yields],
        "points": [
            {
                "corner": point.point.corner,
                "technology": point.point.technology.model_dump(),
                "random": point.is_random,
                "seed": [draw.seed for draw in point.draws],
                "score": [arm.score_of(draw) for draw in point.draws],
                "failed_samples": [draw.failed for draw in point.draws],
                "unresolved": [list(draw.unresolved) for draw in point.draws],
            }
            for point in arm.points
        ],
    }
