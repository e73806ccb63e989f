"""A kind of stage that a verb forgets is an error there: its voltages are never passed through, or left out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, get_args

import numpy as np
import pytest
from circuits import PEAK, crossbar_design, technology
from periods import design_of_periods, period

from kanspice.base.draws import Draw
from kanspice.circuit import ChainStage, InputStage, NetlistStage, PeriodStage, PointStage, Stage, ToneStage
from kanspice.circuit.specimens import draw_specimen
from kanspice.engine.acceptance import column_failures
from kanspice.engine.batched.crossbar_transient import Rest, courses
from kanspice.engine.batched.operating_points import StageChain
from kanspice.engine.batched.periods import PeriodSolver
from kanspice.engine.netlist import build_netlist, place_of
from kanspice.engine.netlist.names import stage_node
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve
from kanspice.engine.sequence import Pace
from kanspice.experiments.compile.elements import elements_of
from kanspice.gap import physical_cost
from kanspice.gap.costs.digital import operations_of
from kanspice.gap.noise import stage_noises

PACKAGE = Path(__file__).resolve().parents[1] / "kanspice"
KINDS = {kind.__name__ for kind in get_args(Stage)}
VERBS = {
    "experiments/compile/elements/circuit.py": Stage,
    "circuit/specimens/specimen.py": Stage,
    "gap/anatomy.py": Stage,
    "gap/costs/physical.py": Stage,
    "gap/costs/digital/operations.py": Stage,
    "engine/acceptance.py": Stage,
    "engine/supplied.py": InputStage,
    "engine/netlist/emit.py": NetlistStage,
    "engine/vacask/emit.py": PointStage,
    "engine/batched/operating_points.py": PointStage,
    "engine/batched/crossbar_transient.py": ChainStage,
    "gap/noise.py": ChainStage,
    "engine/simulators/tones.py": ToneStage,
    "engine/simulators/period_rows.py": PeriodStage,
    "engine/batched/periods.py": PeriodStage,
    "engine/batched/adjoint/periods.py": PeriodStage,
    "nn/graph.py": NetlistStage,
}
"""Where stages are told apart by a `match`, and which of them come by; a verb of another room is added here."""


def matches_of(path: Path) -> Iterator[set[str]]:
    """The kinds that each `match` over stages names; none of one that does not end in `assert_never`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Match):
            patterns = [part for case in node.cases for part in ast.walk(case.pattern)]
            named = {ast.unparse(part.cls) for part in patterns if isinstance(part, ast.MatchClass)}
            if named & KINDS:
                yield named if "assert_never" in ast.unparse(node.cases[-1]) else set()


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_names_every_kind(verb):
    found = list(matches_of(PACKAGE / verb))
    assert found
    assert all(named == {kind.__name__ for kind in get_args(VERBS[verb])} for named in found)


def test_the_list_of_verbs_is_complete():
    paths = [path for path in PACKAGE.rglob("*.py") if "assert_never" in path.read_text(encoding="utf-8")]
    assert {str(path.relative_to(PACKAGE)) for path in paths if any(matches_of(path))} == VERBS.keys()


# --- and at run time: a kind that no verb knows ---


@dataclass(frozen=True)
class Booster:
    """Passes voltages on times a gain."""

    KIND: ClassVar[str] = "booster"
    device_count: ClassVar[int] = 0
    is_behavioural: ClassVar[bool] = False
    name: str
    compares_to: str
    width: int
    gain: float
    output_v_per_unit: float = 1.0

    def ideal_v(self, _design, input_v, _earlier_v=None):
        return self.gain * input_v

    def lasts_s(self, _design):
        return None

    def largest_v(self, _design, before_v, _earlier_v):
        return self.gain * before_v


BOOSTER = Booster("l1.booster", "l1.booster", 1, 2.0)
"""After a crossbar, or a period, of one output."""


def boosted(design):
    """With the booster behind the first array."""
    stages = list(design.stages)
    last = next(place for place, stage in enumerate(stages) if stage.KIND in ("crossbar", "period"))
    return replace(design, stages=(*stages[: last + 1], BOOSTER, *stages[last + 1 :]))


@pytest.fixture
def design():
    return boosted(crossbar_design([PEAK], [[[1.0]], [[2.0]]], gain=100.0))


FORGOTTEN = pytest.raises((AssertionError, TypeError), match=r"unreachable|Booster is no stage of a circuit of")


def test_it_is_no_specimen(design):
    with FORGOTTEN:
        draw_specimen(design, technology(), Draw())


def test_it_is_in_no_netlist(design):
    with FORGOTTEN:
        build_netlist(design, "device")


def test_it_is_not_solved(design):
    with FORGOTTEN:
        StageChain(design, "device").solve(np.ones((2, 2)), np.zeros(2))


def test_what_it_costs_is_not_left_out(design):
    solution = solve("batched", replace(design, stages=design.stages[:-1]), np.ones((2, 2)), "device", RunOptions())
    with FORGOTTEN:
        physical_cost(design, solution, technology())


def test_what_a_computer_does_for_it_is_not_left_out(design):
    with FORGOTTEN:
        operations_of(design, {})


def test_its_noise_is_not_left_out(design):
    solution = solve("batched", replace(design, stages=design.stages[:-1]), np.ones((2, 2)), "device", RunOptions())
    with FORGOTTEN:
        stage_noises(design, solution, noise_v_per_rthz=0.0, temperature_c=27.0)


def test_it_is_in_no_table_of_elements(design):
    with FORGOTTEN:
        elements_of(design, "device")


def test_whether_it_needs_a_rail_is_not_passed_over(design):
    volts = StageChain(replace(design, stages=design.stages[:-1]), "device").solve(np.ones((2, 2)), np.zeros(2))
    with FORGOTTEN:
        column_failures(design, volts, devices_see_columns=False)


def test_it_is_not_followed(design):
    rest = Rest({"l1.crossbar": np.zeros((1, 2))}, {"l1.crossbar": np.zeros((1, 2))})
    slow = replace(design, stages=tuple(replace(s, gbw_hz=1e6) if s.KIND == "crossbar" else s for s in design.stages))
    with FORGOTTEN:
        list(courses(slow, np.ones((1, 2)), rest, Pace(1e-6, 1e-9), 1e-3))


def test_it_is_no_part_of_periods():
    periods = boosted(design_of_periods(period("Conductance", [(0, 1)], [[1.0]])))
    with FORGOTTEN:
        PeriodSolver(periods).solve(np.ones((1, 1)), np.zeros(1))


# --- its nodes ---


def test_its_nodes_are_its_own_and_lead_back_to_it():
    own = [stage_node(f"l1.{kind.KIND}", 3) for kind in (*get_args(Stage), Booster)]
    inputs, arrays = {"l1_r3"}, {"l1_y3"}  # a layer has one input stage, and a crossbar, filters or synapses
    assert len(set(own) - inputs - arrays) == len(own) - 3 - 3
    assert place_of(f"singular matrix: check node {stage_node('l1.booster', 3)}") == "layer 1, booster 3"


def test_what_drives_a_crossbar_says_so():
    plain = crossbar_design([PEAK], [[[1.0]]])
    without = replace(plain, stages=plain.stages[1:])
    with pytest.raises(KeyError, match="in0"):
        build_netlist(without, "device")
