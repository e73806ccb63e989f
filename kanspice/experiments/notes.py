"""Notes for the reader of a report: how a network was read, what its engine said, and what its circuit is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from kanspice.base.quantities import si
from kanspice.circuit import (
    Design,
    DifferentialPairs,
    Drivers,
    HeldSum,
    LayerNorm,
    Limiter,
    Rectifier,
    Tiles,
    TransistorBranches,
)
from kanspice.circuit.bounds import is_settled
from kanspice.circuit.compile.card_spread import spread_notes
from kanspice.circuit.compile.current_unit import current_unit_notes, power_notes
from kanspice.circuit.transistor_branches import ladders_of
from kanspice.engine.engines import engine_named
from kanspice.engine.solution import Solution
from kanspice.families import LoadedModel
from kanspice.technology import CrossbarDevices

_FIDELITY_NOTES = {
    "behavioural": "filters are their amplitude law; `--fidelity filter` solves resistors, capacitors and amplifiers",
    "filter": "tones, detectors and sums are their laws; `--fidelity transient` simulates them, too",
}


def notes(loaded: LoadedModel, design: Design, solution: Solution) -> tuple[str, ...]:
    """What a reader has to know: how the model was read, what the engine said, what the circuit is."""
    return (
        *loaded.notes,
        *device_notes(loaded, design),
        *solution.notes,
        *_realised_notes(design, solution.engine),
        *_about(design, solution.fidelity),
    )


def device_notes(loaded: LoadedModel, design: Design) -> tuple[str, ...]:
    """What a network's devices are as currents, and what no device is."""
    devices = loaded.model.curves
    if not devices:
        return ()
    unit_a = design.crossbars[0].current_unit_a
    mismatch = CrossbarDevices(**json.loads(design.technology_json)["devices"])
    return (*current_unit_notes(devices, unit_a), *power_notes(devices), *spread_notes(devices, mismatch))


def speed_notes(design: Design, engine: str) -> tuple[str, ...]:
    """What of a circuit that is followed over time has parts, and is as fast as one likes all the same."""
    unheard = "noise of subtractors, with their resistors, and of rows' drivers is in no figure here"
    quiet = (unheard,) if any(isinstance(stage, Drivers) for stage in design.stages) else ()
    if design.realised is not None and engine_named(engine).has_subcircuits:
        return (*quiet, *_realised_notes(design, engine))
    names = [stage.name for stage in design.stages if isinstance(stage, Rectifier | DifferentialPairs)]
    said = "op-amps of rectifiers and transistors of pairs follow at once: their own time is in no figure here"
    noted = (f"{', '.join(names)}: {said}",) if names else ()
    if design.realised is None:
        return (*noted, *quiet)
    return (*noted, "so do subtractors and rows' drivers", *quiet, *_realised_notes(design, engine))


def _realised_notes(design: Design, engine: str) -> Iterator[str]:
    """Of amplifiers and clips that are subcircuits."""
    realised = design.realised
    if realised is None:
        return
    amplifier = realised.amplifier
    part = f"{amplifier.subcircuit.name} of {amplifier.subcircuit.source}, SHA-256 {amplifier.subcircuit.sha256[:12]}"
    if not engine_named(engine).has_subcircuits:
        yield f"{engine} solves what the figures in [tia] say of the amplifier {part}: ngspice solves its subcircuit"
        if amplifier.models is not None:
            yield "these figures stay what they are, whatever process.corner and process.temperature_c are"
        return
    supplies = f"{amplifier.vss_v:g} V and {amplifier.vdd_v:g} V"
    yield f"columns, subtractors and rows' drivers have the amplifier {part}, between {supplies}"
    if amplifier.models is not None:
        models = amplifier.models
        differ = "they differ as the foundry says" if models.mismatch else "those of one size are all the same"
        yield (
            f"transistors of {models.process}, corner {models.corner}, {amplifier.temperature_c:g} degrees"
            f" ({models.version}); {differ}"
        )
    are_drawn = amplifier.models is not None and amplifier.models.mismatch
    if not are_drawn and any(np.ptp(crossbar.offset_v) > 0 for crossbar in design.crossbars):
        yield "offsets drawn by offset_sigma_v are the macro-model's: the subcircuits have none of them"
    yield "ngspice begins where the amplifiers' macro-models would have the nodes, and solves each sample by itself"


def _about(design: Design, fidelity: str) -> list[str]:
    notes = []
    if design.amplified:
        notes.append(f"amplifiers sized for {design.swing_basis}")
    if any(crossbar.has_slow_amplifiers for crossbar in design.amplified):
        notes.append(_held(design))
    if design.is_timed:
        notes += _period_notes(design)
    elif fidelity in _FIDELITY_NOTES:
        notes.append(_FIDELITY_NOTES[fidelity])
    elif design.is_ideal:
        notes.append("ideal amplifiers hold every column at 0 V: `shared` and `device` fidelity are the same circuit")
    elif fidelity == "shared":
        notes.append("`shared` leaves out that columns move: with a finite amplifier gain `device` is the true circuit")
    if any(crossbar.takes_time for crossbar in design.amplified):
        notes.append(
            "bandwidth, slew rate and capacitances do not move operating points, they only decide whether the circuit"
            f" stays at them, and how soon it is there{'' if design.tiles else ': see `kanspice settle`'}"
        )
    return [*notes, *map(_of_tiles, design.tiles), *_behavioural(design)]


def _of_tiles(tiles: Tiles) -> str:
    first = tiles.crossbars[0]
    size = f"{first.rows} x {first.width} crossbar"
    if tiles.is_reused:
        return f"{tiles.name}: {tiles.positions} positions come to one {size}, one after the other, and are held"
    return f"{tiles.name}: a {size} of its own at each of {tiles.positions} positions"


def _behavioural(design: Design) -> list[str]:
    """Blocks of which the formula is simulated, and no circuit."""
    notes = []
    if any(isinstance(stage, LayerNorm) for stage in design.stages):
        notes.append("LayerNorm is a behavioural block: no circuit is known for it")
    behavioural = [stage for stage in design.stages if stage.is_behavioural and not isinstance(stage, LayerNorm)]
    limiters = (stage for stage in behavioural if isinstance(stage, Limiter))
    notes += [
        f"{kind} stages are behavioural blocks: their formula is simulated, no circuit"
        for kind in dict.fromkeys(stage.kind for stage in limiters)
    ]
    notes += [
        f"{stage.name} is a behavioural block: its formula is simulated, no circuit"
        for stage in behavioural
        if not isinstance(stage, Limiter)
    ]
    return notes


def _held(design: Design) -> str:
    """With which capacitors the amplifiers of crossbars hold their columns still."""
    if not any(crossbar.feedback_f.any() for crossbar in design.amplified):
        return "amplifiers have no feedback capacitors: the poles of every column were tested at every operating point"
    each = [f"{crossbar.name} {si(float(np.median(crossbar.feedback_f)), 'F')}" for crossbar in design.amplified]
    return f"feedback capacitors hold columns whose currents fall: {', '.join(each)}"


def _transistor_notes(design: Design, transistors: TransistorBranches) -> list[str]:
    """Of which transistors, and what it cost to fit them between their supplies."""
    cells, first = transistors.cells, design.periods[0]
    kind = f"{transistors.models.version}, corner {transistors.corner}, {transistors.temperature_c:g} degrees"
    drawn = ", with mismatch" if transistors.mismatch else ""
    notes = [
        f"branches are differential pairs of {transistors.process} transistors ({kind}{drawn}), their weights ratios of"
        f" resistors; supplies are +-{cells.rail_v:g} V",
        f"one unit is {first.unit_v:.4g} V at a node, so that nodes stay within {cells.reach_v:g} V,"
        f" and {si(first.current_unit_a, 'A')}, at which pairs are in weak inversion; node capacitors and references"
        " are ideal" + (", references proportional to absolute temperature" if transistors.proportional else ""),
    ]
    steep = sum(int(ladders_of(period, transistors).steep.sum()) for period in design.periods)
    if steep:
        notes.append(
            f"{steep} branches are too steep for a pair at these volts per unit: they have lines of"
            f" {cells.steep_gain:g} times the gain, which large voltages take to their supplies"
        )
    flattened = [(period.name, ladders_of(period, transistors).flattened) for period in design.periods]
    for name, factors in flattened:
        if (factors < 1).any():
            number, least = int((factors < 1).sum()), float(factors.min())
            notes.append(
                f"{name}: {number} of {len(factors)} branches are less steep than they should be, by a factor of"
                f" {least:.3g} at most: a pair has {cells.slope_per_v:.4g} per volt"
            )
    return notes


def _period_notes(design: Design) -> list[str]:
    first = design.periods[0]
    periods_s, farads = sum(p.period_s for p in design.periods), first.unit_s * first.current_unit_a / first.unit_v
    duration = f"inference takes {si(design.inference_s, 's')}"
    notes = [f"{duration}, of it {si(periods_s, 's')} proportional to each node's {si(farads, 'F')}"]
    if design.transistors is not None:
        notes += _transistor_notes(design, design.transistors)
    elif design.schematic is None:
        notes.append("branches are behavioural sources")
    else:
        notes.append("branches are schematics: conductances, one-sided switches, VCCS, differential pairs")
    if design.lag_s > 0:
        late = f"branches' currents follow their laws with a time constant of {si(design.lag_s, 's')}"
        notes.append(f"{late}, one pole for each node: all have the same, and add up")
    if design.switching is None:
        notes.append("switches between periods are ideal")
    elif design.transistors is not None:
        notes.append("all periods in one circuit, with transmission gates and clocks whose levels are the supplies")
    else:
        notes.append("all periods in one circuit, with switches and clocks")
    notes += [
        f"{stage.name}: what {stage.held} ended with is held and added, by buffers under the nodes' capacitors"
        for stage in design.stages
        if isinstance(stage, HeldSum)
    ]
    if design.digital is not None:
        read_out, outputs = design.last_of_circuit.width, design.digital.width
        notes.append(
            f"{design.digital.name}: a digital linear layer outside the circuit makes {outputs} outputs of the"
            f" {read_out} voltages read out; it is computed exactly, and nothing of its cost is counted"
        )
    if design.losses is not None and design.losses.clamps:
        supply_v, ohm = design.losses.supply_v, design.losses.clamp_ohm
        notes.append(f"nodes beyond {supply_v:.4g} V, either sign, are pulled back through {si(ohm, 'Ω')}")
    if not is_settled(design):
        notes.append(
            "switches.on_ohm is so large that a bank might settle in several states: only one of them was seen"
        )
    return notes
