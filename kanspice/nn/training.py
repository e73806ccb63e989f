"""Training a network: by itself, with noise on its weights, or through its circuit, over specimens and corners."""

from __future__ import annotations

import copy
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from kanspice.base.arrays import Array, Indices
from kanspice.base.errors import InputError
from kanspice.base.threads import one_thread
from kanspice.engine.progress import Advance, Progress
from kanspice.families.common.network import Network
from kanspice.nn.module import CircuitModule
from kanspice.technology import Technology

_BATCH = 64
_RISES = 0.1
"""Of the training, during which steps become as large as they may: Adam's first ones are as large for what matters
little as for what matters much, and move all of it at once."""
_OF_STATES = 10.0
"""What a column that lacks a whole swing to have one state only adds to a sample's loss."""
_TRIED = 0.8
"""Of the training, before which it does not end for want of a better network."""
_VALIDATED = 200
"""Samples that tell how far training is, at most: drawn among those held out for it."""
_SIZED_FOR = 2000
"""Samples that circuits are sized for, at most."""
_EXTREME = 16
"""Samples with the largest values of a stage, and with the smallest, that stand for all that circuits are sized for."""
_SIZED_AFTER = 20
"""Steps, after which it is looked anew which samples these are."""
_UNSEEDED = 53
"""Bits of seeds that studies draw specimens with; training draws others."""


@dataclass(frozen=True)
class Samples:
    """inputs: (samples, inputs) in model units. labels: (samples,) classes; or targets: (samples, outputs)."""

    inputs: Array
    labels: Indices | None = None
    targets: Array | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    def chosen(self, places: Sequence[int] | Indices) -> Samples:
        """Those at these places."""
        labels = None if self.labels is None else self.labels[places]
        targets = None if self.targets is None else self.targets[places]
        return Samples(np.ascontiguousarray(self.inputs[places]), labels, targets)


@dataclass(frozen=True)
class Schedule:
    """How a network is trained.

    epochs: passes over all samples, after which steps are zero; seconds: of processor time, after which they are zero
    if that is sooner. rate: the largest step of a parameter, of the mean magnitude of its tensor. input_noise: standard
    deviation of what is added to inputs. seed: of the order of samples, and of all that is drawn. specimens: that tell
    how far training is. patience: epochs without a better network, after which training ends in its last fifth:
    large steps make a network worse before small ones make it better.
    """

    epochs: int = 20
    seconds: float | None = None
    rate: float = 0.02
    input_noise: float = 0.0
    seed: int = 0
    specimens: int = 8
    patience: int = 10

    def training_seed(self, step: int) -> int:
        """Of the specimen of one step: studies' seeds are below these, and those of `validation_seeds` above."""
        return (1 << _UNSEEDED) + _scrambled(self.seed, step)

    @property
    def validation_seeds(self) -> list[int]:
        """Of the specimens that tell how far training is."""
        return [(2 << _UNSEEDED) + _scrambled(self.seed, number) for number in range(self.specimens)]


def _scrambled(seed: int, number: int) -> int:
    words = np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)
    return int(words[0]) >> (64 - _UNSEEDED)


def validated(samples: Samples, seed: int) -> Samples:
    """Those of the samples held out that tell how far a training of this seed is."""
    if len(samples) <= _VALIDATED:
        return samples
    chosen = np.random.default_rng(seed).choice(len(samples), _VALIDATED, replace=False)
    return samples.chosen(np.sort(chosen))


@dataclass(frozen=True)
class TrainingCourse:
    """How a training went.

    losses: on the samples held out, before training and after every epoch. best: which of those is the network's that
    is kept, from 0; 0 is the network as it was. steps: how many were made. processor_s: how long they took, with what
    told how far they were. left_out: answers that had no part in a step, as they had no result or no gradient; of so
    many.
    """

    losses: tuple[float, ...]
    best: int
    steps: int
    processor_s: float
    left_out: int
    answers: int

    @property
    def epochs(self) -> int:
        """That were begun."""
        return len(self.losses) - 1


@dataclass(frozen=True)
class Trained:
    """A network as training found it best, in evaluation mode."""

    network: Network
    course: TrainingCourse


class Answers(ABC):
    """What is trained: how it answers inputs at a step, and how when it is asked how far it is."""

    left_out = 0

    def __init__(self, network: Network) -> None:
        self.network = network

    @abstractmethod
    def at(self, step: int, inputs: Tensor) -> Tensor:
        """Outputs (samples, outputs), with a graph; rows of NaN where there are none."""

    @abstractmethod
    def validated(self, inputs: Tensor) -> Iterator[Tensor]:
        """Outputs of everything that tells how far training is."""

    def besides(self) -> Tensor | float:
        """What is added to the loss of the step that was answered last."""
        return 0.0

    def after_gradient(self) -> None:  # noqa: B027 - most have nothing to do then
        """Called once the gradient of a step is known, of samples that have a result."""


class Plain(Answers):
    """The network by itself."""

    def at(self, step: int, inputs: Tensor) -> Tensor:
        answer: Tensor = self.network(inputs)
        return answer

    def validated(self, inputs: Tensor) -> Iterator[Tensor]:
        yield self.at(0, inputs)


class Noisy(Answers):
    """The network with independent relative noise on every weight, drawn anew at every step.

    Weights are the trained tensors of two dimensions or more: coefficients, areas, matrices. A network without any has
    noise on all its trained numbers.
    """

    def __init__(self, network: Network, sigma: float, schedule: Schedule) -> None:
        super().__init__(network)
        trained = dict(_trained(network))
        self._weights = [name for name, each in trained.items() if each.ndim > 1] or list(trained)
        self._sigma, self._schedule = sigma, schedule

    def at(self, step: int, inputs: Tensor) -> Tensor:
        return self._drawn(self._schedule.training_seed(step), inputs)

    def validated(self, inputs: Tensor) -> Iterator[Tensor]:
        for seed in self._schedule.validation_seeds:
            yield self._drawn(seed, inputs)

    def _drawn(self, seed: int, inputs: Tensor) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        parameters = dict(self.network.named_parameters())
        noisy = {
            name: parameters[name] * (1 + self._sigma * _normal(parameters[name], generator)) for name in self._weights
        }
        answer: Tensor = functional_call(self.network, noisy, (inputs,))
        return answer


class ThroughCircuit(Answers):
    """The network's circuit: a random specimen at a corner that is drawn anew at every step."""

    def __init__(
        self, network: Network, technologies: Sequence[Technology], sizing_inputs: Array, schedule: Schedule
    ) -> None:
        """technologies: the corners.

        sizing_inputs: samples (samples, inputs) that circuits are sized for.
        """
        super().__init__(network)
        self._sizing_inputs, self._schedule = _some(sizing_inputs, _SIZED_FOR, schedule.seed), schedule
        self._circuits = [
            CircuitModule(network, technology, self._sizing_inputs, prove_states=False, look_for_states=True)
            for technology in technologies
        ]
        self._judged = [
            CircuitModule(network, each.technology, self._sizing_inputs, prove_states=not _has_wires(each))
            for each in self._circuits
        ]
        self._last = self._circuits[0]
        self._is_reached = False

    def at(self, step: int, inputs: Tensor) -> Tensor:
        if step % _SIZED_AFTER == 0:
            for circuit in self._circuits:
                circuit.sizing_inputs = circuit.extreme(self._sizing_inputs, _EXTREME)
        self._last = self._circuits[step % len(self._circuits)]
        answer: Tensor = self._last(inputs, self._schedule.training_seed(step), numbers=range(len(inputs)))
        return answer

    def validated(self, inputs: Tensor) -> Iterator[Tensor]:
        for circuit in self._judged:
            circuit.sizing_inputs = circuit.extreme(self._sizing_inputs, _EXTREME)
            for seed in self._schedule.validation_seeds:
                yield circuit(inputs, seed)

    def besides(self) -> Tensor | float:
        """Columns that could be in other states too: these samples would be wrong."""
        states = self._last.other_states
        return 0.0 if states is None else _OF_STATES * states.mean()

    def after_gradient(self) -> None:
        """Raises InputError once no gradient arrives: the network's trained numbers are not in the circuit then."""
        self.left_out += len(self._last.failed) + int(self._last.folds.without.sum())
        if not self._is_reached:
            gradients = [each.grad for _, each in _trained(self.network)]
            if not any(each is not None and bool((each != 0).any()) for each in gradients):
                hint = "are the samples within what the network and its circuit take?"
                raise InputError("no gradient of the circuit reaches the network's trained numbers", hint=hint)
            self._is_reached = True


def train(
    answers: Answers,
    samples: Samples,
    held_out: Samples,
    schedule: Schedule,
    *,
    progress: Progress | None = None,
    keep: Callable[[Network], None] | None = None,
) -> Trained:
    """Trains the network in place, and gives a copy of it as it was best.

    Adam's steps, of each tensor's own size, rise at first and fall to zero as a cosine. What is best is so on samples
    held out, and on specimens that no step has; a sample without a result counts there as an answer that says nothing.
    Normalisation keeps its statistics. progress: told of every epoch. keep: called with each network that is better
    than all before.
    Raises InputError where nothing is trained, or no gradient of a circuit reaches it.
    """
    network = answers.network.eval()
    trained = _trained(network)
    if not trained:
        raise InputError("there is nothing to train", found="a network without trained numbers")
    with one_thread():
        return _Course(answers, samples, held_out, schedule, keep).run(progress or (lambda _: None))


@dataclass
class _Course:
    """One training under way."""

    answers: Answers
    samples: Samples
    held_out: Samples
    schedule: Schedule
    keep: Callable[[Network], None] | None
    losses: list[float] = field(default_factory=list)
    lowest: tuple[float, ...] = ()
    best: int = 0
    steps: int = 0
    asked: int = 0
    waiting_from: int = 0

    def __post_init__(self) -> None:
        self.generator = torch.Generator().manual_seed(self.schedule.seed)
        tensors = [each for _, each in _trained(self.answers.network)]
        self.adam = torch.optim.Adam([{"params": [each], "size": size} for each, size in _sizes(tensors)], lr=1.0)
        self.began = time.process_time()
        self.loss = _Loss.of(self.samples)

    def run(self, progress: Progress) -> Trained:
        network = self.answers.network
        self.note()
        best = copy.deepcopy(network)
        while self._goes_on():
            self.epoch()
            self.note()
            if self.best == len(self.losses) - 1:
                best = copy.deepcopy(network)
                if self.keep is not None:
                    self.keep(best)
            progress(Advance(1))
        progress(Advance(self.schedule.epochs - (len(self.losses) - 1)))
        spent = time.process_time() - self.began
        course = TrainingCourse(tuple(self.losses), self.best, self.steps, spent, self.answers.left_out, self.asked)
        return Trained(best.eval(), course)

    def _goes_on(self) -> bool:
        if self.part < _TRIED:
            self.waiting_from = len(self.losses) - 1
        waited = len(self.losses) - 1 - max(self.best, self.waiting_from)
        return self.part < 1 and waited < self.schedule.patience

    @property
    def part(self) -> float:
        """Of the training, that is done."""
        done = self.steps / (self.schedule.epochs * math.ceil(len(self.samples) / _BATCH))
        seconds = self.schedule.seconds
        return done if seconds is None else max(done, (time.process_time() - self.began) / seconds)

    def epoch(self) -> None:
        """One pass over all samples, or as far as the time is enough for."""
        order = torch.randperm(len(self.samples), generator=self.generator)
        for batch in torch.split(order, _BATCH):
            part = self.part
            if part >= 1:
                return
            for group in self.adam.param_groups:
                falling = (1 + math.cos(math.pi * part)) / 2
                group["lr"] = self.schedule.rate * group["size"] * falling * min(1.0, (part + 1e-3) / _RISES)
            self.step(self.samples.chosen(batch.numpy()))
            self.steps += 1

    def step(self, batch: Samples) -> None:
        inputs = torch.from_numpy(batch.inputs)
        if self.schedule.input_noise:
            inputs = inputs + self.schedule.input_noise * _normal(inputs, self.generator)
        self.adam.zero_grad()
        outputs = self.answers.at(self.steps, inputs)
        solved = torch.isfinite(outputs).all(dim=1)
        self.asked += len(batch)
        if solved.any():
            loss = self.loss.rows(outputs[solved], batch.chosen(solved.numpy())).mean() + self.answers.besides()
            loss.backward()  # type: ignore[no-untyped-call]
            self.answers.after_gradient()
            self.adam.step()

    def note(self) -> None:
        """How far the network is now."""
        some = validated(self.held_out, self.schedule.seed)
        with torch.no_grad():
            inputs = torch.from_numpy(some.inputs)
            found = [self._mean_loss(outputs, some) for outputs in self.answers.validated(inputs)]
        self.losses.append(sum(found) / len(found))
        if self.is_best(found):
            self.best = len(self.losses) - 1
        if not self.lowest or sum(found) < sum(self.lowest):
            self.lowest = tuple(found)

    def is_best(self, found: Sequence[float]) -> bool:
        """Whether losses, on one specimen each, make this the network to keep: the last one that is no further from the
        lowest than one standard error of the difference (Breiman et al. 1984), and that is better than the network as
        it was. The lowest of many is a lucky one of large steps.
        """
        if not self.lowest or self.losses[-1] >= self.losses[0]:
            return False
        worse = np.subtract(found, self.lowest)
        error = worse.std(ddof=1) / math.sqrt(len(worse)) if len(worse) > 1 else 0.0
        return bool(worse.mean() < error or worse.mean() < 0)

    def _mean_loss(self, outputs: Tensor, some: Samples) -> float:
        solved = torch.isfinite(outputs).all(dim=1)
        rows = torch.full((len(some),), self.loss.of_ignorance, dtype=torch.float64)
        rows[solved] = self.loss.rows(outputs[solved], some.chosen(solved.numpy()))
        return rows.mean().item()


@dataclass(frozen=True)
class _Loss:
    """Cross-entropy of classes, or squared error in variances of the targets.

    of_ignorance: of an answer that says nothing: all classes alike, or the targets' mean.
    """

    variance: float
    of_ignorance: float

    @classmethod
    def of(cls, samples: Samples) -> _Loss:
        """For these. Raises InputError for targets that are all the same."""
        if samples.targets is None:
            assert samples.labels is not None  # noqa: S101 - either is there
            return cls(1.0, math.log(max(2, int(samples.labels.max()) + 1)))
        variance = float(samples.targets.var(axis=0).mean())
        if not variance > 0:
            raise InputError("the targets are the same for all samples", where="--targets", expected="some that vary")
        return cls(variance, 1.0)

    def rows(self, outputs: Tensor, samples: Samples) -> Tensor:
        """(samples,)."""
        if samples.targets is None:
            return cross_entropy(outputs, torch.from_numpy(np.asarray(samples.labels)), reduction="none")
        return ((outputs - torch.from_numpy(samples.targets)) ** 2).mean(dim=1) / self.variance


def _some(inputs: Array, number: int, seed: int) -> Array:
    """So many of the samples (samples, inputs), drawn, in their order; all if there are no more."""
    if len(inputs) <= number:
        return inputs
    return inputs[np.sort(np.random.default_rng(seed).choice(len(inputs), number, replace=False))]


def _has_wires(circuit: CircuitModule) -> bool:
    """Whether other states are hard to find."""
    return any(crossbar.has_wires for crossbar in circuit.design().crossbars)


def _trained(network: Network) -> list[tuple[str, Tensor]]:
    return [(name, each) for name, each in network.named_parameters() if each.requires_grad]


def _sizes(tensors: Sequence[Tensor]) -> list[tuple[Tensor, float]]:
    """With the mean magnitude of each; of one that is zero everywhere, that of all together."""
    means = [each.detach().abs().mean().item() for each in tensors]
    known = [mean for mean in means if mean > 0]
    usual = sum(known) / len(known) if known else 1.0
    return [(each, mean or usual) for each, mean in zip(tensors, means, strict=True)]


def _normal(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator, dtype=like.dtype)
