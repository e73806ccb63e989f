"""What a network is tuned with: samples to train on, others to tell how far it is, and others to measure it with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.base.errors import InputError
from kanspice.experiments.evidence import Evidence
from kanspice.families import LoadedModel
from kanspice.families.common.following import followed_stages
from kanspice.nn.training import Samples

_LEAST = 4
"""Samples of each kind, at least."""
_TESTED, _HELD_OUT = 4, 8
"""Every so many samples is one of those, drawn at random."""


class Aim(StrEnum):
    """What the circuit's outputs are to be."""

    LABELS = "labels"
    TARGETS = "targets"
    OUTPUTS = "outputs"
    """The network's own, as it was given."""


@dataclass(frozen=True)
class TuningSamples:
    """Three kinds, of which no sample is of two.

    test: what is measured. population: (samples, inputs) that circuits are sized for: all that whoever designs one has;
    source: where these are from. places: of the test's samples, where they were drawn among all. repeated: how many
    samples of the test are, number for number, among those of training or held out, too: in another row, or in another
    file.
    """

    aim: Aim
    training: Samples
    held_out: Samples
    test: Evidence
    population: Array
    source: str
    places: tuple[int, ...] | None
    repeated: int


def split(loaded: LoadedModel, given: Evidence, test: Evidence | None, seed: int) -> TuningSamples:
    """Draws with the seed which samples are for what. test: where it is given, nothing else is measured.

    Raises InputError for labels and targets both, for too few samples, and for a test that has other answers.
    """
    if given.labels is not None and given.targets is not None:
        hint = "labels for a classification, targets for a regression, neither for the network's own outputs"
        raise InputError("labels and targets, both", where="--targets", expected="one of them", hint=hint)
    aim = Aim.LABELS if given.labels is not None else Aim.TARGETS if given.targets is not None else Aim.OUTPUTS
    if test is not None:
        _check_test(aim, test)
    if aim is Aim.OUTPUTS:
        given, test = _answered(loaded, given), None if test is None else _answered(loaded, test)
    order = np.random.default_rng(seed).permutation(len(given.inputs))
    tested = 0 if test is not None else len(order) // _TESTED
    held_out = len(order) // _HELD_OUT
    _check_number(len(order), tested if test is None else len(test.inputs), held_out)
    places, samples = np.sort(order[:tested]), Samples(given.inputs, given.labels, given.targets)
    training = samples.chosen(np.sort(order[tested + held_out :]))
    measured = _chosen(given, places) if test is None else test
    return TuningSamples(
        aim,
        training,
        samples.chosen(np.sort(order[tested : tested + held_out])),
        measured,
        given.sizing_inputs if test is not None else np.delete(given.sizing_inputs, places, axis=0),
        given.source,
        tuple(places.tolist()) if test is None else None,
        _repeated(measured.inputs, given.inputs[order[tested:]]),
    )


def _check_test(aim: Aim, test: Evidence) -> None:
    """It has what training has."""
    answers = {Aim.LABELS: test.labels, Aim.TARGETS: test.targets}
    for each, known in answers.items():
        if (known is not None) != (aim is each):
            problem = "is there for one of training and test, not for both"
            raise InputError(problem, where=f"--test-{each}", expected=f"--{each} and --test-{each}, or neither")


def _check_number(samples: int, tested: int, held_out: int) -> None:
    if min(held_out, tested, samples - tested - held_out) < _LEAST:
        expected = f"{_LEAST * _HELD_OUT} or more to train with, and {_LEAST} or more to measure with"
        found = f"{samples}, of which {held_out} tell how far training is; {tested} to measure with"
        raise InputError("too few samples", where="--inputs", expected=expected, found=found)


def _answered(loaded: LoadedModel, evidence: Evidence) -> Evidence:
    """With the network's own outputs as targets. Raises InputError where it has none for some sample."""
    stages, without = followed_stages(loaded.model, evidence.inputs)
    if without:
        index, why = next(iter(without.items()))
        hint = "leave such samples out"
        raise InputError("the network has no answer for some samples", where=f"sample {index}, {why}", hint=hint)
    return replace(evidence, targets=list(stages.values())[-1])


def _chosen(evidence: Evidence, places: Indices) -> Evidence:
    labels = None if evidence.labels is None else evidence.labels[places]
    targets = None if evidence.targets is None else evidence.targets[places]
    return replace(evidence, inputs=np.ascontiguousarray(evidence.inputs[places]), labels=labels, targets=targets)


def _repeated(test: Array, seen: Array) -> int:
    """seen: those that training, or what tells how far it is, has."""
    known = {row.tobytes() for row in seen}
    return sum(row.tobytes() in known for row in np.ascontiguousarray(test))
