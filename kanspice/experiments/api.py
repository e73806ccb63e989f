"""What `kanspice` exports: every command as a function with the command's arguments.

Files may be given by their paths, or what is in them: a network for a checkpoint, an array for an array. Nothing is
printed; with `progress=True` a bar shows how long it will take. Results show themselves, in a line (`repr`), on a
terminal (`rich.print`), in a notebook, as a data frame (`to_frame`) and as figures (`figures`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kanspice.base.errors import InputError
from kanspice.base.files import inputs_spared, is_folder, is_there, refuse_input, refuse_inputs, write_bytes
from kanspice.base.files.array_files import Given, load_array
from kanspice.base.files.inputs import note_read, status_of
from kanspice.circuit.compile import Sizing
from kanspice.devices import Device, load_device
from kanspice.engine.engines import engine_named
from kanspice.engine.fidelity import FidelityChoice, resolve_fidelity
from kanspice.engine.names import check_of
from kanspice.engine.ngspice.foreign import run_netlist
from kanspice.engine.options import KEPT_WAVEFORMS, RunOptions
from kanspice.engine.running import solve
from kanspice.experiments.compare import Comparison, check_baseline, held_against
from kanspice.experiments.compile.circuit import Circuit
from kanspice.experiments.evidence import read_evidence
from kanspice.experiments.numbers import check_numbers
from kanspice.experiments.project import run as projecting
from kanspice.experiments.project.network import RESISTOR
from kanspice.experiments.project.result import Projection
from kanspice.experiments.project.run import ProjectOptions
from kanspice.experiments.simulate.simulation import NetlistResult, Simulation
from kanspice.experiments.verify import run as verifying
from kanspice.experiments.verify.options import VerifyOptions
from kanspice.experiments.verify.reading import read_report
from kanspice.experiments.verify.result import GapResult
from kanspice.families import LoadedModel, compile_model, load, sizing_for
from kanspice.families.common.network import Network
from kanspice.families.loading import loaded_from
from kanspice.gap.limits import LimitPair, merged, parse_growth, parse_limits, read_limits
from kanspice.report.estimate import Workload
from kanspice.report.progress_bar import Bar, bar_of
from kanspice.technology import Technology, load_technology

Model = str | Path | LoadedModel | Network
"""A checkpoint or the folder of a training run, what `load` made of it, or a network itself."""
Tech = str | Path | Technology | None
"""A TOML file, the name of a shipped technology, or one that was loaded; the ideal circuit if None."""
Overrides = Sequence[str] | Mapping[str, object]
"""`SECTION.KEY=VALUE` texts, or values by `SECTION.KEY`."""
Limits = Sequence[str] | Mapping[str, float]
"""`METRIC=VALUE` texts, or values by metric."""


def compile(
    model: Model,
    output: str | Path | None = None,
    *,
    inputs: Given | None = None,
    config: str | Path | None = None,
    curves: str | Path | None = None,
    tech: Tech = None,
    set: Overrides = (),
    fidelity: FidelityChoice = "auto",
) -> Circuit:
    """The circuit of a trained network; also written to the folder `output`, if one is named.

    inputs: samples (samples, inputs) that amplifiers are sized with; the worst case over all inputs if None.
    Raises InputError for a network or a technology that cannot be used, and for a folder that is in the way.
    """
    technology, loaded = technology_of(tech, set), model_of(model, config, curves)
    samples = None if inputs is None else load_array(inputs, "the inputs", loaded.input_width)
    sizing: Sizing | None = sizing_for(loaded, technology, samples)
    design = compile_model(loaded, technology, sizing)
    circuit = Circuit(design, resolve_fidelity(design, fidelity), notes=loaded.notes)
    return circuit if output is None else circuit.write(output)


def simulate(
    circuit: str | Path | Circuit,
    inputs: Given | None = None,
    *,
    limit: int | None = None,
    waveforms: int | None = None,
    engine: str = "ngspice",
    jobs: int = 1,
    timeout: float | None = None,
    trust: bool = False,
    results: str | Path | None = None,
    progress: bool | Bar = False,
) -> Simulation | NetlistResult:
    """The answers of a compiled circuit for inputs (samples, inputs), or what the analyses of a netlist file give.

    circuit: a folder that `compile` wrote, what it returned, or a netlist from elsewhere, which has its own sources.
    waveforms: of so many samples node voltages over time are kept, where the circuit answers after a time; 3 if None.
    timeout: seconds for the whole simulation. trust: runs a netlist that could run commands. results: a file that is
    going to be written, which no input may be.
    Raises InputError for what cannot be simulated, SimulatorError without a simulator or a result.
    """
    check_numbers(limit=limit, waveforms=waveforms, jobs=jobs, timeout=timeout)
    if not isinstance(circuit, Circuit):
        if not isinstance(circuit, str | Path):
            hint = "kanspice.compile(model) makes a circuit of a network"
            raise InputError("this is no circuit", found=f"a {type(circuit).__name__}", hint=hint)
        path = Path(circuit)
        if not is_there(path):
            hint = "kanspice compile MODEL -o FOLDER makes one"
            raise InputError("no such folder or netlist", where=path, hint=hint)
        if not is_folder(path):
            if inputs is not None or limit is not None or waveforms is not None:
                problem, found = "a plain netlist has its own sources and analyses", "--inputs, --limit or --waveforms"
                raise InputError(problem, where=path, found=found)
            kept = None if results is None else Path(results)
            return NetlistResult(str(path), run_netlist(path, trust=trust, timeout_s=timeout, results=kept))
        return simulate(
            Circuit.read(path),
            inputs,
            limit=limit,
            waveforms=waveforms,
            engine=engine,
            jobs=jobs,
            timeout=timeout,
            results=results,
            progress=progress,
        )
    design = circuit.design
    if inputs is None:
        raise InputError("a compiled circuit needs inputs", hint="pass --inputs X.npy")
    if waveforms and not design.periods:
        raise InputError("operating points have no waveforms", where="--waveforms", hint="leave it out")
    samples = load_array(inputs, "the inputs", design.input_width)[:limit]
    if results is not None:
        refuse_input(results)
    fewer = "fewer samples (--limit)"
    faster = fewer if engine_named(engine).solves_together else f"--engine batched, or {fewer}"
    options = RunOptions(jobs=jobs, timeout_s=timeout, waveforms=KEPT_WAVEFORMS if waveforms is None else waveforms)
    with bar_of(progress)("simulating", len(samples), work=Workload(len(samples), faster=faster)) as told:
        return Simulation(design, solve(engine, design, samples, circuit.fidelity, options, progress=told))


def verify(
    model: Model,
    inputs: Given,
    *,
    config: str | Path | None = None,
    curves: str | Path | None = None,
    labels: Given | None = None,
    targets: Given | None = None,
    reference: Given | None = None,
    limit: int | None = None,
    tech: Tech = None,
    set: Overrides = (),
    engine: str = "ngspice",
    device: str = "cpu",
    fidelity: FidelityChoice = "auto",
    cross_check: int | str = 0,
    attribute: bool = False,
    max: Limits = (),
    limits: str | Path | None = None,
    baseline: str | Path | GapResult | None = None,
    max_growth: str | float | None = None,
    jobs: int = 1,
    timeout: float | None = None,
    seed: int = 0,
    waveforms: int = 0,
    progress: bool | Bar = False,
) -> GapResult:
    """Simulates a network's circuit for inputs (samples, inputs) and measures how far it is from the network.

    labels: (samples,) true classes. targets: (samples, outputs), true answers of a regression. reference: (samples,
    outputs) computed elsewhere. limit: the first so many samples, of a circuit that is sized for all. fidelity: as
    `resolve_fidelity` says. cross_check: so many random samples by another engine too, "N:ENGINE" by that one.
    attribute: solve again with some of the imperfections, to tell what each one does. max, limits: what metrics may be
    at most; `max` overrides the file. baseline: an earlier result, since which the gap may have grown by `max_growth`,
    "10%" or 0.1. jobs: simulator processes. timeout: seconds for the network's own integration, and for the
    simulation: each. seed: draws random imperfections, and the samples that are solved twice. waveforms: of so many
    samples, where the circuit answers after a time, node voltages are kept.
    Raises InputError for what does not fit together, SimulatorError without a simulator.
    """
    check_numbers(limit=limit, jobs=jobs, timeout=timeout, seed=seed, waveforms=waveforms)
    kept = limits_of(limits, max)
    growth = _Growth.of(baseline, max_growth)
    technology, loaded = technology_of(tech, set), model_of(model, config, curves)
    evidence = read_evidence(loaded, inputs, labels=labels, targets=targets, reference=reference).limited(limit)
    how = RunOptions(jobs=jobs, timeout_s=timeout, seed=seed, waveforms=waveforms, device=device)
    options = VerifyOptions(fidelity, how, kept, attribute, engine, *check_of(cross_check))
    if growth is not None:
        growth.check(evidence.sha256)
    samples = len(evidence.inputs)
    work = options.work(samples, technology)
    with bar_of(progress)("simulating", samples * options.solves(technology), work=work) as told:
        result = verifying.verify(loaded, technology, evidence, options, told)
    return result if growth is None else growth.hold(result)


def compare(
    before: str | Path | GapResult, after: str | Path | GapResult, *, max_growth: str | float | None = None
) -> Comparison:
    """Two results of `verify`, or the JSON of two, held against each other.

    max_growth: by how much the gap may have grown, "10%" or 0.1. Raises InputError for a file that is no report.
    """
    return Comparison(_report(before), _report(after), None if max_growth is None else parse_growth(str(max_growth)))


@inputs_spared()
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
    check_numbers(limit=limit, fine_tune=fine_tune)
    if outputs is not None and Path(outputs).suffix != ".npy":
        raise InputError("outputs are written as .npy", where="--outputs", expected="F.npy", found=str(outputs))
    loaded = model_of(model, config)
    cards = [each if isinstance(each, Device) else load_device(each) for each in devices]
    if resistor and RESISTOR not in [card.name for card in cards]:
        cards.append(load_device(RESISTOR))
    options = ProjectOptions(tuple(cards), constant, ridge, fine_tune, max_edge)
    evidence = read_evidence(loaded, inputs, labels=labels, targets=None, reference=None).limited(limit)
    evidence.check_fit(loaded.input_width, loaded.output_width)
    refuse_inputs([output, outputs])
    with bar_of(progress)("projecting", options.subsets, "subsets of the cards") as told:
        result = projecting.project(loaded, evidence, options, told)
    if output is not None:
        result.save(output)
    if outputs is not None:
        write_bytes(Path(outputs), result.reference_npy())
    return result


def model_of(model: Model, config: str | Path | None = None, curves: str | Path | None = None) -> LoadedModel:
    """The network that was given, in evaluation mode. Raises InputError as `load`, or for files beside a network."""
    if not isinstance(model, LoadedModel | Network):
        if not isinstance(model, str | Path):
            raise InputError(
                "this is no network of kanspice's",
                expected="a checkpoint's path, what kanspice.load made of it, or a network itself",
                found=f"a {type(model).__name__}",
                hint="kanspice.convert(module) makes one of an nn.Sequential",
            )
        return load(model, config, curves)
    for option, given in (("config", config), ("curves", curves)):
        if given is not None:
            raise InputError("is for a checkpoint in a file", where=option, found="a network that is loaded already")
    if isinstance(model, Network):
        return loaded_from(model)
    file = status_of(model.path)
    if file is not None:
        note_read(file)
    return model


def technology_of(tech: Tech, overrides: Overrides = ()) -> Technology:
    """The technology that was given, with values overridden. Raises InputError as `load_technology`."""
    if not isinstance(tech, Technology):
        return load_technology(tech, texts_of(overrides))
    if overrides:
        problem, hint = "needs a technology from a file", "load_technology(FILE, overrides)"
        raise InputError(problem, where="set", found="a technology that is loaded already", hint=hint)
    return tech


def limits_of(file: str | Path | None, over: Limits = ()) -> list[LimitPair]:
    """Limits of a file, and others that override them. Raises InputError for what is none."""
    return merged([] if file is None else read_limits(file), parse_limits(texts_of(over)))


def texts_of(values: Sequence[str] | Mapping[str, object]) -> list[str]:
    """`KEY=VALUE` texts. Raises InputError for what is neither a list nor a mapping of them."""
    if isinstance(values, str) or not isinstance(values, Sequence | Mapping):
        expected = '["KEY=VALUE", ...] or {"KEY": VALUE, ...}'
        raise InputError("these are no settings", expected=expected, found=f"{values!r}"[:80])
    return [f"{key}={value}" for key, value in values.items()] if isinstance(values, Mapping) else [*values]


def _report(given: str | Path | GapResult) -> GapResult:
    if not isinstance(given, str | Path | GapResult):
        expected = "what verify returned, or the path of its JSON"
        raise InputError("this is no result of verify", expected=expected, found=f"a {type(given).__name__}")
    return given if isinstance(given, GapResult) else read_report(given)


@dataclass(frozen=True)
class _Growth:
    """How much the gap may have grown since an earlier run. source: where that came from."""

    source: str
    baseline: GapResult
    allowed: float

    @classmethod
    def of(cls, baseline: str | Path | GapResult | None, max_growth: str | float | None) -> _Growth | None:
        """None where neither was given. Raises InputError where only one was."""
        if baseline is None and max_growth is None:
            return None
        if baseline is None or max_growth is None:
            lacking, hint = ("--max-growth", "10%") if max_growth is None else ("--baseline", "A.json")
            raise InputError(
                "a baseline and a growth need each other", expected=f"also {lacking}", hint=f"{lacking} {hint}"
            )
        source = "the baseline" if isinstance(baseline, GapResult) else str(baseline)
        return cls(source, _report(baseline), parse_growth(str(max_growth)))

    def check(self, samples_sha256: str) -> None:
        """Raises InputError where it was about other samples."""
        check_baseline(self.baseline, samples_sha256, self.source)

    def hold(self, result: GapResult) -> GapResult:
        """The result with its growth as a limit."""
        return held_against(result, self.baseline, self.allowed, self.source)
