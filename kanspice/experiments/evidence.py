"""What a circuit is measured with: samples, and what is known of their answers; checked before anything is solved."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array, Digests
from kanspice.base.errors import InputError
from kanspice.base.files.array_files import Given, load_array, load_labels
from kanspice.experiments.chip import MeasuredChip
from kanspice.experiments.facts import InputsFacts
from kanspice.experiments.sizing import SizingSamples, sha256_of, source_of
from kanspice.families import LoadedModel


@dataclass(frozen=True)
class Evidence:
    """What the circuit is measured with.

    inputs: (samples, inputs) in model units. labels: (samples,) classes. targets: (samples, outputs), true answers of a
    regression. external: (samples, outputs), outputs for the same inputs computed elsewhere. population: (samples,
    inputs) that the amplifiers are sized for, `inputs` if None. external_population: outputs computed elsewhere for all
    of those. measured: what a chip gave for the inputs. sized_for: where `population` is from, if it was given apart
    from the inputs.
    Raises InputError when they do not fit together.
    """

    inputs: Array
    labels: npt.NDArray[np.int64] | None = None
    external: Array | None = None
    source: str = ""
    population: Array | None = None
    external_population: Array | None = None
    targets: Array | None = None
    measured: MeasuredChip | None = None
    sized_for: InputsFacts | None = None

    def __post_init__(self) -> None:
        if self.inputs.ndim != 2 or len(self.inputs) == 0:
            found = f"shape {self.inputs.shape}"
            raise InputError("the inputs have no samples", where=self.source, expected="(samples, inputs)", found=found)
        if not np.isfinite(self.inputs).all():
            raise InputError("some inputs are NaN or infinite", where=self.source, expected="finite numbers")
        for where, rows in (("--labels", self.labels), ("--reference", self.external), ("--targets", self.targets)):
            if rows is not None and len(rows) != len(self.inputs):
                expected = f"{len(self.inputs)} rows, one for each sample"
                raise InputError("does not fit the inputs", where=where, expected=expected, found=f"{len(rows)}")

    def limited(self, limit: int | None) -> Evidence:
        """The first `limit` samples, for a circuit that is sized for all of them; everything for None."""
        if limit is None:
            return self
        return replace(
            self,
            inputs=self.inputs[:limit],
            labels=None if self.labels is None else self.labels[:limit],
            external=None if self.external is None else self.external[:limit],
            targets=None if self.targets is None else self.targets[:limit],
            measured=None if self.measured is None else self.measured.limited(limit),
            population=self.sizing_inputs,
            external_population=self.external,
        )

    def sized(self, samples: SizingSamples | None) -> Evidence:
        """For a circuit that is sized for other samples; the same where none are given."""
        return self if samples is None else replace(self, population=samples.inputs, sized_for=samples.facts)

    @property
    def sha256(self) -> str:
        """Of the inputs, in hexadecimal."""
        return sha256_of(self.inputs)

    @property
    def answers_sha256(self) -> str | None:
        """Of the true classes (int64) and answers (float64), in hexadecimal; None where there are none."""
        known = [answers for answers in (self.labels, self.targets) if answers is not None]
        return hashlib.sha256(b"".join(answers.tobytes() for answers in known)).hexdigest() if known else None

    @property
    def digests(self) -> Digests:
        """(samples,) the first 64 bits of the SHA-256 of each sample's inputs: which samples these are."""
        rows = (hashlib.sha256(np.ascontiguousarray(row).tobytes()).digest()[:8] for row in self.inputs)
        return np.frombuffer(b"".join(rows), "<u8").astype(np.uint64)

    @property
    def sizing_inputs(self) -> Array:
        """The inputs that amplifiers are sized for."""
        return self.inputs if self.population is None else self.population

    def check_fit(self, input_width: int, output_width: int) -> None:
        """Raises InputError unless this is evidence for a model with so many inputs and outputs."""
        samples, width = self.inputs.shape
        if width != input_width:
            raise InputError(
                "the inputs do not fit the model",
                where=self.source,
                expected=f"(samples, {input_width})",
                found=f"({samples}, {width})",
            )
        if self.labels is not None:
            _check_labels(self.labels, output_width)
        for where, rows in (("--reference", self.external), ("--targets", self.targets)):
            if rows is not None and rows.shape != (samples, output_width):
                expected, found = f"shape {(samples, output_width)}", f"shape {rows.shape}"
                raise InputError("does not fit the outputs", where=where, expected=expected, found=found)


def read_evidence(
    loaded: LoadedModel,
    inputs: Given,
    *,
    labels: Given | None = None,
    targets: Given | None = None,
    reference: Given | None = None,
    measured: Given | None = None,
    sized_for: Given | None = None,
) -> Evidence:
    """Evidence for a model from files or arrays: samples, classes, true answers, outputs from elsewhere or of a chip.

    sized_for: samples (samples, inputs) that circuits are sized for, if those are others than the inputs.
    Raises InputError for a file that cannot be read, or does not fit the model or the others.
    """

    outputs = loaded.output_width
    samples = load_array(inputs, "the inputs", loaded.input_width, loaded.model.input_axes)
    found = Evidence(
        inputs=samples,
        labels=None if labels is None else load_labels(labels),
        external=None if reference is None else load_array(reference, "the reference outputs", outputs),
        targets=None if targets is None else load_array(targets, "the targets", outputs),
        source=source_of(inputs),
        measured=None if measured is None else MeasuredChip.read(measured, len(samples), outputs),
    )
    return found.sized(SizingSamples.read(loaded, sized_for))


def _check_labels(labels: npt.NDArray[np.int64], classes: int) -> None:
    if labels.min() < 0 or labels.max() >= classes:
        worst = int(labels.min()) if labels.min() < 0 else int(labels.max())
        raise InputError("a label is not a class", where="--labels", expected=f"0 to {classes - 1}", found=str(worst))
