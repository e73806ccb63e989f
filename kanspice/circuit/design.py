"""A compiled circuit: a chain of stages, and what is drawn for every sample.

Nothing here knows SPICE or torch. Both engines read this and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, pairwise
from typing import NoReturn

import numpy as np
from scipy.constants import Boltzmann

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw
from kanspice.circuit.parts import Converter, NodeLosses, Realised, Schematic, Switching
from kanspice.circuit.sorts import Sort
from kanspice.circuit.stages import (
    ChainStage,
    Connections,
    Crossbar,
    DigitalLayer,
    FilterBank,
    HeldSum,
    NetlistStage,
    OdePeriod,
    PeriodStage,
    PointStage,
    ReadOut,
    Stage,
    SynapseBank,
    Tiles,
    ToneStage,
)
from kanspice.circuit.transistor_branches import TransistorBranches
from kanspice.devices import Device

_MOST_LEFT_OUT = 0.9


@dataclass(frozen=True)
class Design:
    """A whole circuit: its device types and its chain of stages, from input voltages to output voltages.

    After it there may be a `DigitalLayer`, which an `adc` comes before.
    """

    family: str
    technology_json: str
    devices: tuple[Device, ...]
    """Device types, in the order of the last axis of every crossbar's areas."""
    input_width: int
    input_v_per_unit: float
    swing_basis: str
    """Where the expected swings come from: sample inputs or the worst case."""
    stages: tuple[Stage, ...]
    schematic: Schematic | None = None
    """How branches are built; ideal sources if None."""
    transistors: TransistorBranches | None = None
    """Of which transistors branches are built, and the switches of `switching`; no transistors if None."""
    switching: Switching | None = None
    """How periods follow each other; by ideal switches, and so each by itself, if None."""
    losses: NodeLosses | None = None
    """What the nodes of periods lose; nothing if None."""
    jitter_s: float = 0.0
    """Standard deviation of when the outputs of periods are taken. A bank that no switch ends is on until then."""
    dac: Converter | None = None
    adc: Converter | None = None
    input_noise_v: float = 0.0
    """Standard deviation of the noise on every input."""
    noise_k: float = 0.0
    """Temperature of the thermal noise on the capacitors of periods, kelvin."""
    lag_s: float = 0.0
    """Time constant with which every branch's current follows its law, through one pole and from 0 on when its period
    begins; 0: it follows at once."""
    seed: int = 0
    """Which specimen of the technology this is, and which noise its inputs have."""
    specimen_sha256: str = ""
    """Of the file that says which specimen this is, in hexadecimal; "" where the seed does."""
    model_sha256: str = ""
    """Of the checkpoint, in hexadecimal."""
    realised: Realised | None = None
    """Amplifiers and clips that are subcircuits; None for those that are what the stages say."""

    @property
    def has_noise(self) -> bool:
        """Whether `seed` also draws something for every sample, besides the specimen that the stages already are."""
        return max(self.input_noise_v, self.jitter_s, self.noise_k) > 0 or bool(self.noisy_banks)

    @property
    def has_mismatch(self) -> bool:
        """Whether `seed` also draws the transistors, as their foundry's statistics say: a simulator does that."""
        amplifier = None if self.realised is None else self.realised.amplifier
        of_amplifiers = amplifier is not None and amplifier.models is not None and amplifier.models.mismatch
        return of_amplifiers or (self.transistors is not None and self.transistors.mismatch)

    @property
    def macro_model(self) -> Design:
        """The circuit with every part as the stages' numbers have it."""
        return self if self.realised is None else replace(self, realised=None)

    def sourced_a(self, crossbar: Crossbar) -> Array:
        """What sources push into a crossbar's columns, (2 * pairs,): amplifiers that are subcircuits take their own."""
        return crossbar.bias_a + (0.0 if self.realised is None else self.realised.input_bias_a)

    @property
    def noisy_banks(self) -> tuple[SynapseBank, ...]:
        """The banks whose outputs are noisy, in order."""
        return tuple(bank for bank in self.banks if isinstance(bank, SynapseBank) and bank.is_noisy)

    def inputs_v(self, inputs: Array, numbers: Sequence[int] | None = None) -> Array:
        """The voltages (samples, inputs) that inputs in model units arrive as: converted, and with their noise.

        After them, the noise on the outputs of `noisy_banks`: what an engine drives a circuit with. With thermal noise,
        what all nodes of the first period begin at, (samples, nodes).
        numbers: which samples these are, for what is drawn for each of them; 0 and on if None.
        """
        volts = inputs * self.input_v_per_unit
        if self.dac is not None:
            volts = self.dac.convert(volts)
        if self.input_noise_v > 0:
            volts = volts + self.input_noise_v * self._drawn("inputs", numbers, volts.shape)
        if self.noise_k > 0 and self.is_timed:
            first = self.periods[0]
            volts = first.start_v(volts)
            noise_v = np.sqrt(Boltzmann * self.noise_k / first.capacitor_f)
            volts = volts + noise_v * self._drawn(f"{first.name}.start_v", numbers, volts.shape)
        noises = [
            bank.read_noise_v * self._drawn(f"{bank.name}.read_v", numbers, (len(inputs), bank.width))
            for bank in self.noisy_banks
        ]
        return np.concatenate([volts, *noises], axis=1) if noises else volts

    def read_noise_v(self, samples: int, numbers: Sequence[int] | None = None) -> Array:
        """(samples, nodes read out) what reading periods out adds to them: thermal noise of their capacitors.

        numbers: as for `inputs_v`.
        """
        noise_v = np.sqrt(Boltzmann * self.noise_k / self.periods[-1].capacitor_f[self.nodes_read])
        drawn = self._drawn(f"{self.last_of_circuit.name}.read_v", numbers, (samples, len(noise_v)))
        noise: Array = noise_v * drawn
        return noise

    def read_late_s(self, samples: int, numbers: Sequence[int] | None = None) -> Array:
        """(samples,) by how much later than `inference_s` each sample's outputs are taken: jitter, of either sign.

        numbers: as for `inputs_v`. At most nine tenths of the last period are left out.
        """
        if self.jitter_s == 0:
            return np.zeros(samples)
        last_s = self.periods[-1].period_s
        if self.switching is not None and self.sum_after(self.periods[-1]) is not None:
            last_s = self.switching.transfer_s
        earliest_s = -_MOST_LEFT_OUT * last_s
        return np.maximum(self.jitter_s * self._drawn("readout.late_s", numbers, (samples,)), earliest_s)

    def _drawn(self, name: str, numbers: Sequence[int] | None, shape: tuple[int, ...]) -> Array:
        """Standard normal numbers (samples, ...) of samples: the same for a sample, whatever others are with it."""
        if numbers is None:
            return Draw(self.seed).normal(name, shape)
        return Draw(self.seed).normal(name, (max(numbers, default=-1) + 1, *shape[1:]))[list(numbers)]

    @property
    def sort(self) -> Sort:
        """Which sort of circuits this is one of."""
        if self.periods:
            return Sort.PERIODS
        if self.filter_banks:
            return Sort.FILTERS
        return Sort.SYNAPSES if self.banks else Sort.CROSSBARS

    @property
    def is_timed(self) -> bool:
        """Whether its answers are voltages after a time, which engines follow in steps; else it settles to them."""
        return self.sort is Sort.PERIODS

    @property
    def chain(self) -> tuple[ChainStage, ...]:
        """All stages, of a chain of crossbars. This and its like: TypeError if the circuit is of another sort."""
        return tuple(stage if isinstance(stage, ChainStage) else _no_stage_of("chains", stage) for stage in self.stages)

    @property
    def to_operating_point(self) -> tuple[PointStage, ...]:
        """All stages, of a circuit that has an operating point, or whose filters settle to sinusoids."""
        return tuple(
            stage if isinstance(stage, PointStage) else _no_stage_of("operating points", stage) for stage in self.stages
        )

    @property
    def to_netlist(self) -> tuple[NetlistStage, ...]:
        """The same, where tiles may be among them."""
        return tuple(
            stage if isinstance(stage, NetlistStage) else _no_stage_of("operating points", stage)
            for stage in self.stages
        )

    @property
    def for_tones(self) -> tuple[ToneStage, ...]:
        """All stages, of a circuit of filters."""
        return tuple(stage if isinstance(stage, ToneStage) else _no_stage_of("filters", stage) for stage in self.stages)

    @property
    def over_time(self) -> tuple[PeriodStage, ...]:
        """All stages, of a circuit of periods."""
        return tuple(
            stage if isinstance(stage, PeriodStage) else _no_stage_of("periods", stage) for stage in self.stages
        )

    @property
    def crossbars(self) -> tuple[Crossbar, ...]:
        """The crossbar stages, in order; those of tiles are in `tiles`."""
        return tuple(stage for stage in self.stages if isinstance(stage, Crossbar))

    @property
    def amplified(self) -> tuple[Crossbar | Tiles, ...]:
        """The stages that amplifiers read, in order."""
        return tuple(stage for stage in self.stages if isinstance(stage, Crossbar | Tiles))

    @cached_property
    def all_crossbars(self) -> tuple[Crossbar, ...]:
        """The same with those of tiles."""
        parts = [stage.crossbars if isinstance(stage, Tiles) else (stage,) for stage in self.stages]
        return tuple(part for part in chain.from_iterable(parts) if isinstance(part, Crossbar))

    @property
    def tiles(self) -> tuple[Tiles, ...]:
        """The stages that are crossbars at many positions, in order."""
        return tuple(stage for stage in self.stages if isinstance(stage, Tiles))

    @property
    def driven_crossbars(self) -> tuple[tuple[Stage, Crossbar], ...]:
        """The crossbar stages, each with the stage that drives its rows, in order."""
        pairs = pairwise(self.stages)
        return tuple((before, stage) for before, stage in pairs if isinstance(stage, Crossbar))

    @property
    def periods(self) -> tuple[OdePeriod, ...]:
        """The periods of a circuit whose answers are voltages after a time, in order; none for operating points."""
        return tuple(stage for stage in self.stages if isinstance(stage, OdePeriod))

    @property
    def capacitors(self) -> tuple[tuple[int, ...], ...]:
        """For each period the numbers of its nodes' capacitors, from node 1 on.

        A node that the period before has too keeps its capacitor; others come new, at 0 V.
        """
        numbered, known = list[tuple[int, ...]](), 0
        for period in self.periods:
            kept = numbered[-1][: period.nodes] if numbered else ()
            numbered.append((*kept, *range(known, known + period.nodes - len(kept))))
            known += period.nodes - len(kept)
        return tuple(numbered)

    @property
    def banks(self) -> tuple[Connections, ...]:
        """The stages whose connections are circuits of their own, in order."""
        return tuple(stage for stage in self.stages if isinstance(stage, FilterBank | SynapseBank))

    @property
    def filter_banks(self) -> tuple[FilterBank, ...]:
        """Those of them whose connections are filters."""
        return tuple(bank for bank in self.banks if isinstance(bank, FilterBank))

    @property
    def sums(self) -> tuple[HeldSum, ...]:
        """What is added to voltages that were held, in order."""
        return tuple(stage for stage in self.stages if isinstance(stage, HeldSum))

    def sum_after(self, period: OdePeriod) -> HeldSum | None:
        """The sum that a period's voltages go into, if one does."""
        pairs = pairwise(self.stages)
        after = next((after for before, after in pairs if before.name == period.name), None)
        return after if isinstance(after, HeldSum) else None

    def holds(self, period: OdePeriod) -> bool:
        """Whether what a period ended with is added later."""
        return any(held.held == period.name for held in self.sums)

    def carried_v(self, period: OdePeriod, ends_v: Mapping[str, Array]) -> Array:
        """What is carried on from a period, (samples, nodes) volts, where switches and buffers are ideal.

        ends_v: period -> the voltages that it ended with, this one's among them.
        """
        held = self.sum_after(period)
        return ends_v[period.name] if held is None else ends_v[period.name] + ends_v[held.held]

    @cached_property
    def spans_s(self) -> dict[str, tuple[float, float]]:
        """When each stage that lasts begins and has come to its voltages, seconds since the inference began."""
        spans_s, at_s = {}, 0.0
        for stage in self.stages:
            lasts_s = stage.lasts_s(self)
            if lasts_s is not None:
                spans_s[stage.name] = at_s, at_s + lasts_s
                at_s += lasts_s
        return spans_s

    @property
    def begins_s(self) -> tuple[float, ...]:
        """When each period begins."""
        return tuple(self.spans_s[period.name][0] for period in self.periods)

    @property
    def ends_s(self) -> tuple[float, ...]:
        """When each period is over, and held if there are switches."""
        return tuple(self.spans_s[period.name][1] for period in self.periods)

    @property
    def inference_s(self) -> float:
        """How long all stages that last take together, seconds; 0 where there are none."""
        return max((end_s for _, end_s in self.spans_s.values()), default=0.0)

    @property
    def output_width(self) -> int:
        """Number of outputs of the last stage."""
        return self.stages[-1].width

    @property
    def digital(self) -> DigitalLayer | None:
        """What the circuit's outputs go through outside of it, if there is anything."""
        last = self.stages[-1]
        return last if isinstance(last, DigitalLayer) else None

    @property
    def last_of_circuit(self) -> Stage:
        """The stage whose outputs leave the circuit."""
        return self.stages[-1] if self.digital is None else self.stages[-2]

    @property
    def nodes_read(self) -> slice:
        """Of a circuit of periods, the nodes (from 0 on) whose voltages leave it."""
        last = self.last_of_circuit
        return slice(last.start, last.start + last.width) if isinstance(last, ReadOut) else slice(0, last.width)

    @property
    def device_count(self) -> int:
        """Devices in all crossbars, branches in all periods, and filters or synapses in all connections."""
        return sum(stage.device_count for stage in self.stages)

    @property
    def is_ideal(self) -> bool:
        """True when every device on a row sees the row's voltage, so that `shared` and `device` are one circuit."""
        return bool(self.all_crossbars) and all(crossbar.sees_rows_only for crossbar in self.all_crossbars)


def _no_stage_of(sort: str, stage: Stage) -> NoReturn:
    raise TypeError(f"{type(stage).__name__} is no stage of a circuit of {sort}")
