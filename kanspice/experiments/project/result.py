"""What a projection found: errors of layers and edges, which devices would do, and the network of devices itself."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kanspice.base.arrays import Array
from kanspice.experiments.facts import InputsFacts, ModelFacts
from kanspice.gap.metrics import Gap
from kanspice.report.blocks import Page
from kanspice.report.frames import Columns
from kanspice.report.shown import Shown

if TYPE_CHECKING:
    from kanspice.families.kanalogue.network import KANalogue


@dataclass(frozen=True)
class LayerError:
    """A layer made of devices against the learnt one: relative RMSE of its sums, before any norm.

    exact: with the learnt network's own values as inputs. arrived: with those of the network of devices.
    largest_area, total_area: of its devices, in units of a card.
    """

    name: str
    edges: int
    exact: float | None
    arrived: float | None
    largest_area: float
    total_area: float


@dataclass(frozen=True)
class EdgeError:
    """An edge made of devices. rmse: in standard deviations of the layer's sums over samples.

    relative: in those of the edge's own function; None where it does not vary. layer: from 1; source, target: from 0.
    """

    layer: int
    source: int
    target: int
    rmse: float
    relative: float | None

    @property
    def name(self) -> str:
        return f"l{self.layer}: {self.source} to {self.target}"


@dataclass(frozen=True)
class EdgeCourse:
    """An edge over the range of its node, (points,) each; seen: what the samples have there."""

    edge: EdgeError
    values: Array
    learnt: Array
    made: Array
    seen: Array


@dataclass(frozen=True)
class Subset:
    """What some of the cards would do. accuracy: with labels."""

    devices: tuple[str, ...]
    relative_rmse: float | None
    argmax_agreement: float | None
    accuracy: float | None
    largest_area: float


@dataclass(frozen=True)
class Accuracy:
    """Fractions of the samples whose largest output is the label's."""

    network: float
    projected: float
    tuned: float | None


@dataclass(frozen=True)
class Tuning:
    """Fine-tuning of the network of devices on the learnt one's outputs.

    epochs: over so many samples as `trained`. held_out: samples, every fifth, that it did not see. before: the
    projection's gap on those. unseen: the tuned network's gap on those; seen: on the others. kept: whether the tuned
    network is better on what it did not see, and so is the one that is kept.
    """

    epochs: int
    trained: int
    held_out: int
    before: Gap
    unseen: Gap
    seen: Gap

    @property
    def kept(self) -> bool:
        return self.unseen.rmse < self.before.rmse


@dataclass(frozen=True, repr=False)
class Projection(Shown):
    """One network on one basis. gap: of the network as it was projected from the learnt one, on all samples.

    inputs_mapped: whether a first layer of resistors maps the network's inputs. max_edge: what the error of an edge may
    be; beyond: the edges above that. subset_samples: on so many samples subsets were tried. network: of devices;
    reference: (samples, outputs) of the learnt network.
    """

    model: ModelFacts
    inputs: InputsFacts
    samples: int
    devices: tuple[str, ...]
    constant: bool
    ridge: float
    top_v: float
    inputs_mapped: bool
    layers: tuple[LayerError, ...]
    gap: Gap
    worst: tuple[EdgeError, ...]
    subsets: tuple[Subset, ...]
    subset_samples: int
    tuning: Tuning | None = None
    accuracy: Accuracy | None = None
    max_edge: float | None = None
    beyond: tuple[EdgeError, ...] = ()
    notes: tuple[str, ...] = ()
    courses: tuple[EdgeCourse, ...] = field(default=(), repr=False)
    network: KANalogue | None = field(default=None, repr=False)
    reference: Array | None = field(default=None, repr=False)
    command: str | None = None

    @property
    def exit_code(self) -> int:
        """1 where an edge is beyond what is allowed, 0 else."""
        return 1 if self.beyond else 0

    @property
    def is_tuned(self) -> bool:
        """Whether `network` was fine-tuned."""
        return self.tuning is not None and self.tuning.kept

    def save(self, path: str | Path) -> None:
        """Writes the network of devices as kanspice's own checkpoint, a KANalogue. Raises InputError as `save`."""
        from kanspice.families import save  # noqa: PLC0415 - reading results does without torch

        if self.network is not None:
            save(self.network, path)

    def reference_npy(self) -> bytes:
        """The learnt network's own outputs as the bytes of a .npy file, which `verify --reference` takes."""
        buffer = io.BytesIO()
        np.save(buffer, np.empty(0) if self.reference is None else self.reference)
        return buffer.getvalue()

    def page(self) -> Page:
        from kanspice.experiments.project.page import projection_page  # noqa: PLC0415 - which shows this

        return projection_page(self)

    def columns(self) -> Columns:
        """A row for each subset of the cards."""
        return {
            "devices": ["+".join(subset.devices) for subset in self.subsets],
            "relative_rmse": [subset.relative_rmse for subset in self.subsets],
            "argmax_agreement": [subset.argmax_agreement for subset in self.subsets],
            "accuracy": [subset.accuracy for subset in self.subsets],
            "largest_area": [subset.largest_area for subset in self.subsets],
        }
