"""Circuits of tiles: what is solved part by part is what the whole does, whichever engine solves it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from circuits import crossbar_output, technology
from images import cnnkan, design_of, images_for

from kanspice import InputError, save, settle, verify
from kanspice.circuit import Tiles
from kanspice.engine import running, tiled
from kanspice.engine.fidelity import resolve_fidelity
from kanspice.engine.netlist import build_netlist
from kanspice.engine.ngspice.deck import NORMAL, sweep_deck
from kanspice.engine.ngspice.process import RAW_FILE, run_deck
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.engine.options import RunOptions
from kanspice.engine.running import open_session, solve
from kanspice.engine.simulators.circuit import CircuitFiles
from kanspice.engine.simulators.process import working_folder
from kanspice.engine.simulators.raw import read_plots
from kanspice.engine.solution import NumericalError, Outcome
from kanspice.families.common.following import reference_stages
from kanspice.gap import physical_cost

LAYOUTS = "reused", "unrolled"
IMPERFECT = (
    *("tia.gain=1000", "tia.offset_sigma_v=1e-3", "tia.feedback_sigma=0.01", "devices.area_sigma=0.1"),
    *("wires.row_ohm=50", "wires.driver_ohm=200", "convolution.average_sigma=0.05", "references.current_sigma=0.01"),
)


def small(**window):
    """Four positions of one block."""
    return cnnkan((1, 2, 2), (2,), seed=1, **window)


def solved(design, inputs, engine="batched", **options):
    return solve(engine, design, inputs, resolve_fidelity(design, "auto"), RunOptions(**options))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_position_is_what_bisection_gives(layout):
    """Of amplifiers with a finite gain: column by column, each position by itself, from the curves alone."""
    model = small()
    inputs = images_for(model, samples=2)
    overrides = "tia.gain=50", "devices.area_sigma=0.1", "tia.offset_sigma_v=1e-3", f"convolution.layout={layout}"
    design = design_of(model, inputs, *overrides, seed=5)
    found = solved(design, inputs)
    assert found.failed == ()
    volts = design.inputs_v(inputs)
    for stage in design.stages:
        if isinstance(stage, Tiles):
            outputs = found.stage_v[stage.name].reshape(len(inputs), stage.positions, -1)
            columns = found.column_v[stage.name].reshape(len(inputs), stage.positions, -1)
            for position, rows_v in enumerate(stage.rows_v(volts)[1]):
                crossbar = stage.crossbars[0 if layout == "reused" else position]
                columns_v, outputs_v = crossbar_output(design, crossbar, rows_v)
                np.testing.assert_allclose(outputs[1, position], outputs_v, rtol=1e-9, atol=1e-12)
                np.testing.assert_allclose(columns[1, position], columns_v, rtol=1e-9, atol=1e-12)
        volts = found.stage_v[stage.name]


@pytest.mark.ngspice
@pytest.mark.parametrize("layout", LAYOUTS)
def test_engines_agree_on_every_voltage_and_current(layout):
    model = small()
    inputs = images_for(model, samples=2)
    design = design_of(model, inputs, *IMPERFECT, f"convolution.layout={layout}", seed=2)
    ours, theirs = (solved(design, inputs, engine, check_samples=1) for engine in ("batched", "ngspice"))
    assert (ours.failed, theirs.failed, theirs.engine) == ((), (), "ngspice")
    for table in ("stage_v", "column_v", "row_a", "amplifier_a"):
        assert getattr(ours, table).keys() == getattr(theirs, table).keys()
        for name, values in getattr(ours, table).items():
            largest = np.abs(values).max()
            np.testing.assert_allclose(getattr(theirs, table)[name], values, rtol=0, atol=1e-8 * largest)
    assert theirs.numerical_error is not None
    assert theirs.numerical_error.max_abs_v < 1e-8


@pytest.mark.ngspice
def test_an_ideal_circuit_is_the_network_in_ngspice():
    model = small()
    inputs = images_for(model, samples=2)
    expected = reference_stages(model, inputs)
    found = solved(design_of(model, inputs), inputs, "ngspice")
    np.testing.assert_allclose(found.stage_v["l3.crossbar"], expected["l3.crossbar"], rtol=0, atol=1e-12)


@pytest.mark.ngspice
def test_one_netlist_of_all_positions_gives_the_same():
    """The whole circuit, unrolled, in one ngspice: parts change nothing, since drivers stand between them."""
    model = small()
    inputs = images_for(model, samples=2)
    design = design_of(model, inputs, *IMPERFECT, "convolution.layout=unrolled", seed=2)
    by_parts, program = solved(design, inputs, "ngspice", check_samples=0), find_ngspice()
    with working_folder() as folder:
        circuit = CircuitFiles.lay_out(build_netlist(design, "device"), folder / "circuit")
        kept = {"saved": circuit.nodes, "sources": circuit.sources}
        deck = sweep_deck(circuit.netlist.inputs, design.inputs_v(inputs), tolerances=NORMAL, **kept)
        (circuit.folder / "run.cir").write_text(deck, encoding="ascii")
        run_deck(program, circuit.folder, "run.cir")
        volts = circuit.split(circuit.table(read_plots(circuit.folder / RAW_FILE)))
    for name, values in by_parts.stage_v.items():
        np.testing.assert_allclose(volts.stage_v[name], values, rtol=0, atol=1e-9)
    for tiles in design.tiles:
        columns = np.concatenate([volts.column_v[crossbar.name] for crossbar in tiles.crossbars], axis=1)
        np.testing.assert_allclose(columns, by_parts.column_v[tiles.name], rtol=0, atol=1e-9)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_sample_has_failed_where_one_of_its_positions_has(layout):
    model = small(kernel=1, padding=0)
    inputs = np.full((3, 4), 0.5)
    design = design_of(model, inputs, f"convolution.layout={layout}")
    inputs[1, 2] = 100.0
    found = solved(design, inputs)
    assert [failure.index for failure in found.failed] == [1]
    assert found.failed[0].outcome is Outcome.BEYOND_RAIL
    assert "l1.tiles, position 2" in found.failed[0].detail
    assert np.isnan(found.stage_v["l3.crossbar"][1]).all()
    others = solved(design, inputs[[0, 2]])
    np.testing.assert_array_equal(found.stage_v["l3.crossbar"][[0, 2]], others.stage_v["l3.crossbar"])


def test_without_any_sample_left_there_is_no_answer():
    model = small()
    design = design_of(model, images_for(model))
    found = solved(design, np.full((2, 4), 100.0))
    assert len(found.failed) == 2
    assert np.isnan(found.stage_v["l3.crossbar"]).all()


def test_time_that_is_over_fails_samples():
    model = small()
    inputs = images_for(model)
    found = solved(design_of(model, inputs), inputs, timeout_s=0.0)
    assert {failure.outcome for failure in found.failed} == {Outcome.TIMED_OUT}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_progress_ends_with_all_samples(layout):
    model, told = small(), []
    inputs = images_for(model)
    design = design_of(model, inputs, f"convolution.layout={layout}", "devices.area_sigma=0.1", seed=1)
    solve("batched", design, inputs, "shared", RunOptions(), progress=told.append)
    assert sum(advance.samples for advance in told) == pytest.approx(len(inputs))


def test_errors_of_parts_add_up_at_the_outputs():
    """A part whose voltages are off by so much moves the outputs as its successors let it."""
    model = small()
    inputs = images_for(model)
    design = design_of(model, inputs, "tia.gain=100", seed=0)
    error = solved(design, inputs).numerical_error
    assert error is not None
    assert len(error.samples) == 4
    assert 0 <= error.rmse_v <= error.max_abs_v < 1e-9


@pytest.mark.parametrize("alike", [True, False])
def test_the_error_said_covers_one_that_all_positions_share(alike, monkeypatch):
    """An engine may be off by as much, and one way, at all positions: no mean over them takes it away."""
    model, off_v = cnnkan((1, 12, 12), (3,), seed=1), 1e-6
    inputs = images_for(model, samples=3)
    design = design_of(model, inputs)
    exact, draws, solve_part = solved(design, inputs), np.random.default_rng(0), running._solve_part

    def off(engine, fidelity, part, *given, **named):
        found, name = solve_part(engine, fidelity, part, *given, **named), part.stages[-1].name
        shape = found.stage_v[name].shape
        moved = off_v * (np.ones(shape) if alike else draws.choice((-1.0, 1.0), shape)) * (len(part.stages) == 2)
        error = NumericalError((0,), off_v, off_v)
        return replace(found, stage_v={**found.stage_v, name: found.stage_v[name] + moved}, numerical_error=error)

    monkeypatch.setattr(running, "_solve_part", off)
    found = solved(design, inputs)
    change_v = found.stage_v["l3.crossbar"] - exact.stage_v["l3.crossbar"]
    assert np.abs(change_v).max() < found.numerical_error.max_abs_v < 1e-5
    assert np.sqrt(np.mean(change_v**2)) < found.numerical_error.rmse_v


def test_a_session_solves_it_too():
    model = small()
    inputs = images_for(model)
    design = design_of(model, inputs)
    with open_session("batched", design, "shared", RunOptions(), sample_timeout_s=10.0) as session:
        found = session.solve(inputs)
    np.testing.assert_array_equal(found.stage_v["l3.crossbar"], solved(design, inputs).stage_v["l3.crossbar"])


def test_a_reused_crossbar_takes_its_power_for_every_position():
    """Energy and latency multiply; the power of one crossbar is the mean of what its positions take."""
    model, position = small(), "convolution.position_s=1e-6"
    inputs = images_for(model)
    costs = {}
    for layout in LAYOUTS:
        design = design_of(model, inputs, position, f"convolution.layout={layout}")
        costs[layout] = physical_cost(design, solved(design, inputs), technology("supply.quiescent_a=1e-6"))
    one, many = costs["reused"], costs["unrolled"]
    assert one.latency_s == pytest.approx(8e-6)  # four positions of two stages
    assert many.latency_s == pytest.approx(2e-6)
    for reused, unrolled in zip(one.stages[:2], many.stages[:2], strict=True):
        assert unrolled.power_w == pytest.approx(4 * reused.power_w)
        assert unrolled.energy_j == pytest.approx(reused.energy_j)
        assert unrolled.amplifiers == 4 * reused.amplifiers
        assert unrolled.devices == 4 * reused.devices


def test_what_an_average_takes_is_the_heat_of_its_resistors():
    model = small()
    inputs = images_for(model)
    design = design_of(model, inputs)
    found = solved(design, inputs)
    cost = next(stage for stage in physical_cost(design, found, technology()).stages if stage.name == "l3.average")
    pixels = found.stage_v["l2.tiles"].reshape(len(inputs), 4, 2)
    heat = np.sum((pixels - pixels.mean(axis=1, keepdims=True)) ** 2, axis=(1, 2)) / 1e6
    assert cost.power_w == pytest.approx(heat.mean())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_samples_in_blocks_are_what_they_are_together(layout, monkeypatch):
    model = small()
    inputs = images_for(model, samples=5)
    design = design_of(model, inputs, "devices.area_sigma=0.1", f"convolution.layout={layout}", seed=1)
    together = solved(design, inputs)
    monkeypatch.setattr(tiled, "_LARGEST_BLOCK", 9)
    apart = solved(design, inputs)
    assert apart.size == together.size
    for table in ("stage_v", "column_v", "row_a"):
        for name, values in getattr(together, table).items():
            np.testing.assert_allclose(getattr(apart, table)[name], values, rtol=1e-12, atol=1e-15)


@pytest.fixture
def authors_run(reference_data):
    """The folder of a CNN-KAN of 1,024 positions, and its images."""
    folder = reference_data / "kanalogue" / "authors_cli_run_cnn"
    return folder, np.load(folder / "inputs.npy").reshape(20, -1)


@pytest.mark.slow
@pytest.mark.reference_data
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_circuit_of_the_authors_network_is_the_network(authors_run, layout):
    folder, images = authors_run
    result = verify(folder, images, limit=5, engine="batched", set={"convolution.layout": layout})
    assert result.failed == ()
    assert result.gap.relative_rmse < 1e-9


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.reference_data
def test_so_it_is_in_ngspice(authors_run):
    folder, images = authors_run
    result = verify(folder, images, limit=1)
    assert result.failed == ()
    assert result.gap.max_abs < 1e-9


def test_a_reused_crossbar_is_no_netlist_of_all_positions():
    model = small()
    design = design_of(model, images_for(model))
    with pytest.raises(InputError, match="no operating point of one netlist") as caught:
        build_netlist(design, "device")
    assert "convolution.layout=unrolled" in str(caught.value)


def test_it_is_not_followed_over_time(tmp_path):
    model = small()
    save(model, tmp_path / "model.pt")
    with pytest.raises(InputError, match="convolutions are not followed over time"):
        settle(tmp_path / "model.pt", images_for(model), set={"tia.gbw_hz": 1e8})


@pytest.mark.parametrize(("layout", "where"), [("reused", "each position a sample"), ("unrolled", "position 0")])
def test_what_is_said_of_many_tiles_is_said_once(layout, where):
    """Notes that differ in numbers only are of one kind."""
    model = small()
    inputs = images_for(model)
    design = design_of(model, inputs, "devices.area_sigma=0.01", f"convolution.layout={layout}", seed=1)

    def solve_part(part, arriving, options, *, hints, progress):
        found = solve("batched", part, arriving, "shared", options, hints=hints, progress=progress)
        return replace(found, notes=(f"{part.stages[-1].name}: {found.samples} samples", "it was late"))

    found = tiled.solve_tiled(design, inputs, RunOptions(), solve_part, hints={}, progress=None)
    more = "" if layout == "reused" else " (and 3 more of the kind)"
    first = "l2.crossbar: 16 samples" if layout == "reused" else "l2p0.crossbar: 4 samples"
    of_tiles = [note for note in found.notes if note.startswith("l2.tiles")]
    assert of_tiles == [f"l2.tiles, {where}: {first}{more}", f"l2.tiles, {where}: it was late{more}"]
    assert found.notes[-2:] == ("l3.crossbar: 4 samples", "it was late")
    assert found.engine_options["residual_a"] == 0.0


def test_that_crossbars_are_alike_is_said():
    model = small()
    inputs = images_for(model)
    overrides = "convolution.layout=unrolled", "devices.area_sigma=0.01"
    ideal, drawn = (design_of(model, inputs, *overrides[:many], seed=1) for many in (1, 2))
    assert "l1.tiles: 4 positions have 1 different crossbars, each solved once" in solved(ideal, inputs).notes[0]
    assert solved(drawn, inputs).notes == ()
