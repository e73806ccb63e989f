"""KirchhoffNets in VACASK: every law's currents, voltages after a time, how wrong they are, and what fails."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from periods import design_of_periods, period
from schematics import EDGES, SCHEMATIC, SCHEMATICS, VOLTS, parameters

from kanspice.base.errors import InputError
from kanspice.circuit import NodeLosses, Switching
from kanspice.circuit.branch_laws import LAWS, SCHEMATIC_LAWS
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve
from kanspice.engine.simulators.process import run_program, working_folder
from kanspice.engine.simulators.raw import read_plots
from kanspice.engine.solution import Outcome
from kanspice.engine.vacask.branches import branch_lines, own_module
from kanspice.engine.vacask.elements import GROUND, model_lines
from kanspice.engine.vacask.library import compiled, parts
from kanspice.engine.vacask.program import find_vacask, simulator_environment
from kanspice.engine.vacask.verilog import VerilogModule, number

pytestmark = [pytest.mark.slow, pytest.mark.vacask]

STARTS = np.array([[1.0], [-0.3], [2.5], [0.0]])
FEW = RunOptions(steps=200, check_samples=0, timeout_s=60)


@pytest.fixture(autouse=True, scope="module")
def modules(module_cache):
    """Of all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(module_cache))
        yield


def currents_into_nodes(banks):
    """Name -> (samples, nodes) in units, of banks of two nodes at VOLTS. banks: name -> period and schematic."""
    program = find_vacask()
    every = [module for bank in banks.values() if (module := own_module(*bank)) is not None]
    own = list({module.name: module for module in every}.values())
    text = "\n".join(module.text for module in own)
    texts = [VerilogModule("activations", text), parts()]
    with working_folder() as folder:
        files = compiled(program, texts, folder, None)
        lines = ["currents", "ground 0", *(f'load "{file}"' for file in files)]
        lines += model_lines(["vsource", "kan_pair_branch", "kan_switched_branch", *(module.name for module in own)])
        for index, (stage, schematic) in enumerate(banks.values()):
            nodes = [GROUND, f"a{index}", f"b{index}"]
            lines += [
                f"v{node} ({node} 0) vsource dc={letter}[k]" for node, letter in zip(nodes[1:], "uw", strict=True)
            ]
            lines += [f"s{index}{line}" for line in branch_lines(stage, nodes, schematic)]
        lines += ["control", '  options rawfile="binary" reltol=1e-12 vntol=1e-13 abstol=1e-18', "  var k=0"]
        lines += [f"  var {x}=[{', '.join(map(number, row))}]" for x, row in zip("uw", VOLTS.T, strict=True)]
        lines += [f"  save i(va{index}) i(vb{index})" for index in range(len(banks))]
        lines += [f'  sweep k variable="k" values=[{",".join(map(str, range(len(VOLTS))))}]', "    analysis p op"]
        (folder / "run.sim").write_text("\n".join([*lines, "endc", ""]), encoding="ascii")
        arguments = [str(program.simulator), "-qp", "-sp", "-se", "run.sim"]
        run = run_program(arguments, folder, simulator_environment(folder))
        assert run.returncode == 0, run.messages
        (plot,) = read_plots(folder / "p.raw")
    places = {name: index for index, name in enumerate(plot.vectors)}
    found = {}
    for index, (name, (stage, _)) in enumerate(banks.items()):
        columns = [places[f"v{node}{index}:flow(br)"] for node in "ab"]
        found[name] = plot.table[:, columns] / stage.current_unit_a
    return found


def incidence(currents):
    """What branches of EDGES carry into nodes 1 and 2, (samples, 2)."""
    into = np.zeros((3, len(VOLTS)))
    for (source, destination), current in zip(EDGES, np.transpose(currents), strict=True):
        into[source] -= current
        into[destination] += current
    return into[1:].T


def test_every_law_carries_what_numpy_says():
    banks = {law: (period(law, EDGES, parameters(law)), None) for law in LAWS}
    padded = np.pad(VOLTS, ((0, 0), (1, 0)))
    source, destination = np.transpose(EDGES)
    for law, found in currents_into_nodes(banks).items():
        carried = LAWS[law].currents(padded[:, source], padded[:, destination], banks[law][0].theta)
        expected = incidence(carried)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max(), err_msg=law)


def test_every_schematic_carries_what_its_parts_let_through():
    banks = {law: (period(law, EDGES, parameters(law)), SCHEMATIC) for law in SCHEMATIC_LAWS}
    padded = np.pad(VOLTS, ((0, 0), (1, 0)))
    for law, found in currents_into_nodes(banks).items():
        theta = parameters(law)
        with np.errstate(invalid="ignore", divide="ignore"):
            each = [SCHEMATICS[law](padded[:, s], padded[:, d], theta[:, i]) for i, (s, d) in enumerate(EDGES)]
        expected = incidence(np.transpose(each))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11 * np.abs(expected).max(), err_msg=law)


# --- voltages after a time ---


def solved(design, inputs, **options):
    found = solve("vacask", design, inputs, "device", replace(FEW, **options))
    assert found.failed == ()
    return found.stage_v["readout"], found


def test_a_capacitor_discharges_through_a_conductance():
    found, _ = solved(design_of_periods(period("Conductance", [(1, 0)], [[1.0]])), STARTS)
    np.testing.assert_allclose(found, STARTS * np.exp(-1), rtol=1e-7, atol=1e-12)


def test_the_error_falls_with_the_third_power_of_the_steps_and_is_stated():
    """dv/dt = -tanh(v): sinh(v) falls as e^-t."""
    design = design_of_periods(period("ShiftTanh1", [(1, 0)], [[0.0], [1.0]]))
    exact, errors = np.arcsinh(np.sinh(STARTS) * np.exp(-1)), []
    for steps in (50, 100, 200):
        found, solution = solved(design, STARTS, steps=steps, check_samples=4)
        errors.append(np.abs(found - exact).max())
        assert errors[-1] <= solution.numerical_error.max_abs_v <= 20 * errors[-1]
    ratios = np.array(errors[:-1]) / errors[1:]
    assert (ratios > 6.0).all(), errors
    assert errors[-1] < 1e-7


def test_where_currents_bend_the_stated_error_is_no_less_than_the_error():
    """dv/dt = -max(v - 1/2, 0): down to the corner it falls as e^-t, and stays behind it at what it was."""
    design = design_of_periods(period("ShiftRelu1", [(1, 0), (0, 1)], [[0.5, -0.45], [1.0, 0.3]], duration=2.0))
    exact = design.stages[0].ideal_v(design, STARTS)
    found, solution = solved(design, STARTS, check_samples=4)
    assert np.abs(found - exact).max() <= solution.numerical_error.max_abs_v + 2e-6  # of the other integrator
    assert solution.numerical_error.max_abs_v < 1e-4


LOSSES = NodeLosses(leak_ohm=5e6, supply_v=1.2, clamp_ohm=2e5)
SITUATIONS = {
    "losses": {"losses": LOSSES},
    "late branches": {"lag_s": 5e-8},
    "schematic": {"schematic": SCHEMATIC},
    "jitter": {"jitter_s": 2e-8, "losses": LOSSES},
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_batched_engine_answers_alike(situation):
    """Two periods, of which the second has a node more."""
    law = "ShiftTanh2"
    first = period(law, EDGES, parameters(law), duration=0.5)
    second = period(
        law, [*EDGES, (3, 1)], np.pad(parameters(law), ((0, 0), (0, 1)), constant_values=0.7), index=2, inputs=2
    )
    design = replace(design_of_periods(first, second), **SITUATIONS[situation])
    one, other = (solve(engine, design, VOLTS[:5], "device", FEW) for engine in ("vacask", "batched"))
    assert one.failed == other.failed == ()
    for name, expected in other.stage_v.items():
        np.testing.assert_allclose(one.stage_v[name], expected, rtol=0, atol=2e-6 * expected.std(), err_msg=name)
    none = solve(
        "batched", replace(design, **dict.fromkeys(("losses", "schematic")), lag_s=0.0), VOLTS[:5], "device", FEW
    )
    assert np.abs(none.stage_v["readout"] - one.stage_v["readout"]).max() > 1e-4


def test_steps_are_as_many_as_are_needed_and_waveforms_lead_to_the_end():
    design = design_of_periods(period("ShiftTanh1", [(1, 0)], [[0.5], [3.0]], duration=2.0))
    found, solution = solved(design, STARTS, steps=None, check_samples=4, waveforms=2)
    assert solution.engine_options["steps"] == 200
    assert [waveform.sample for waveform in solution.waveforms] == [0, 1]
    for waveform in solution.waveforms:
        assert waveform.time_s[0] == 0.0
        np.testing.assert_array_equal(waveform.node_v[0], STARTS[waveform.sample])
        np.testing.assert_array_equal(waveform.node_v[-1], found[waveform.sample])


# --- what fails, and what is refused ---


def test_a_sample_that_explodes_leaves_the_others_alone():
    """dv/dt = v, from nearly the largest number that there is."""
    grows = period("Conductance", [(0, 1)], [[-1.0]])
    found = solve("vacask", design_of_periods(grows), np.array([[1e308], [0.5]]), "device", FEW)
    (failure,) = found.failed
    assert failure.index == 0
    assert failure.outcome in (Outcome.DIVERGED, Outcome.OUT_OF_RANGE)
    assert found.stage_v["readout"][1] == pytest.approx(0.5 * np.e, rel=1e-6)


def test_real_switches_between_periods_are_refused_by_name():
    design = design_of_periods(period("Conductance", [(1, 0)], [[1.0]]))
    switched = replace(design, switching=Switching(1e3, 1e9, 1e-9, 1e-9))
    with pytest.raises(InputError, match=r"(?s)VACASK does not solve this.*switches between the periods"):
        solve("vacask", switched, STARTS, "device", FEW)
    with pytest.raises(InputError, match=r"(?s)VACASK does not solve this.*fidelity merged"):
        solve("vacask", design, STARTS, "merged", FEW)
