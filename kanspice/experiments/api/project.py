"""`kanspice.project`: a KAN of learnt functions made of devices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kanspice.base.errors import InputError
from kanspice.base.files import check_outputs, inputs_spared, write_bytes
from kanspice.base.files.array_files import Given
from kanspice.devices import Device, load_device
from kanspice.experiments.api.arguments import Model, model_of
from kanspice.experiments.evidence import read_evidence
from kanspice.experiments.numbers import check_numbers, plain_numbers
from kanspice.experiments.project import run as projecting
from kanspice.experiments.project.network import RESISTOR
from kanspice.experiments.project.result import Projection
from kanspice.experiments.project.run import ProjectOptions
from kanspice.report.progress_bar import Bar, bar_of


@inputs_spared()
@plain_numbers
def project(
    model: Model,
    inputs: Given,
    devices: Sequence[str | Path | Device],
    *,
    output: str | Path | None = None,
    config: str | Path | None = None,
    labels: Given | None = None,
    limit: int | None = None,
    resistor: bool = False,
    constant: bool = False,
    ridge: float = 1e-4,
    fine_tune: int = 0,
    max_edge: float | None = None,
    outputs: str | Path | None = None,
    progress: bool | Bar = False,
) -> Projection:
    """A KAN of learnt functions made of devices: edge by edge, by least squares over what each edge sees of the inputs.

    inputs: samples (samples, inputs). devices: cards by name or path, or devices. output: the checkpoint to write, a
    KANalogue. labels: (samples,) true classes. limit: the first so many samples. resistor: with the card of a resistor,
    too. constant: every edge may have a constant; they are added up into biases. ridge: what holds areas back, of the
    mean square of each device's current. fine_tune: so many epochs on the network's own outputs for the samples but
    every fifth; what is better on those is kept. max_edge: what the RMSE of an edge may be, in standard deviations of
    its layer's sums. outputs: a .npy file for the network's own outputs, which `verify(reference=...)` takes.
    Raises InputError for a network without learnt edges, and for inputs that no device takes.
    """
    check_numbers(limit=limit, fine_tune=fine_tune, ridge=ridge, max_edge=max_edge)
    if outputs is not None and Path(outputs).suffix != ".npy":
        raise InputError("outputs are written as .npy", where="--outputs", expected="F.npy", found=str(outputs))
    loaded = model_of(model, config)
    cards = [each if isinstance(each, Device) else load_device(each) for each in devices]
    if resistor and RESISTOR not in [card.name for card in cards]:
        cards.append(load_device(RESISTOR))
    options = ProjectOptions(tuple(cards), constant, ridge, fine_tune, max_edge)
    evidence = read_evidence(loaded, inputs, labels=labels, targets=None, reference=None).limited(limit)
    evidence.check_fit(loaded.input_width, loaded.output_width)
    check_outputs([output, outputs])
    with bar_of(progress)("projecting", options.subsets, "subsets of the cards") as told:
        result = projecting.project(loaded, evidence, options, told)
    if output is not None:
        result.save(output)
    if outputs is not None:
        write_bytes(Path(outputs), result.reference_npy())
    return result
