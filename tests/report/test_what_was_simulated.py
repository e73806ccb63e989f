"""What a report says of the circuit and of the time that it took, from circuits that were really solved."""

from __future__ import annotations

from dataclasses import replace

import pytest
from circuits import inputs_for, load_device, network, technology
from rendered import to_html, to_junit

from kanspice.experiments.evidence import Evidence
from kanspice.experiments.verify.document import to_json
from kanspice.experiments.verify.imperfections import imperfections
from kanspice.experiments.verify.reading import read_report
from kanspice.experiments.verify.run import VerifyOptions, verify
from kanspice.families import load, save


@pytest.fixture
def measured(tmp_path):
    """Verifies a small network with the batched engine."""

    def call(settings=(), input_stage="PosHC", **options):
        model = network([2, 3, 2], [load_device("z21")], input_stage=input_stage)
        save(model, tmp_path / "model.pt")
        evidence = Evidence(inputs_for(model, 4))
        chosen = VerifyOptions(engine="batched", **options)
        return verify(load(tmp_path / "model.pt"), technology(*settings), evidence, chosen)

    return call


def test_an_ideal_circuit_has_no_imperfection(measured, tmp_path):
    result = measured()
    (tmp_path / "a.json").write_text(to_json(result))
    assert imperfections(result) == imperfections(read_report(tmp_path / "a.json")) == ()


def test_a_list_of_values_says_how_long_it_is(measured):
    result = measured()
    technology = result.design.technology
    filters = technology["filters"] | {"low_cutoffs_hz": [1e3, 1e4]}
    design = replace(result.design, technology=technology | {"filters": filters})
    (found,) = imperfections(replace(result, design=design))
    assert (found.name, found.value, found.ideal) == ("filters.low_cutoffs_hz", "2 of them", "any")


def test_an_old_circuit_says_how_old_it_is_and_where_it_was(measured):
    """Drift is nothing without its age, which is no cause by itself."""
    settings = "ageing.drift_nu=0.1", "ageing.drift_ev=0.5", "ageing.time_s=1e6", "ageing.temperatures_c=[60]"
    found = {each.name: (each.value, each.ideal) for each in imperfections(measured(settings))}
    assert found == {
        "ageing.time_s": ("1e+06 s", "0"),
        "ageing.drift_nu": ("0.1", "0"),
        "ageing.drift_ev": ("500 meV", "0"),
        "ageing.temperatures_c": ("60 °C", "27 °C"),
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sigmoid", "tanh"])
def test_stages_that_are_their_formula_say_so(measured, kind):
    result = measured(input_stage=kind)
    assert [stage.name for stage in result.stages if stage.behavioural] == ["l1.input", "l2.input"]
    assert f"{kind} stages are behavioural blocks: their formula is simulated, no circuit" in result.notes
    assert "its formula was simulated, no circuit" in to_html(result)


def test_a_clipper_is_a_circuit(measured):
    result = measured()
    assert not any(stage.behavioural for stage in result.stages)
    assert not any("behavioural" in note for note in result.notes)


@pytest.mark.slow
def test_time_counts_everything(measured):
    result = measured(["tia.gain=1000"], attribute=True)
    timing = result.timing
    assert "cross_check_s" not in timing
    assert 0 < timing["attribution_s"] < timing["total_s"]
    assert f'time="{timing["total_s"]:.3f}"' in to_junit(result)


@pytest.mark.ngspice
def test_time_counts_the_cross_check(measured):
    timing = measured(cross_check=1).timing
    assert 0 < timing["cross_check_s"] < timing["total_s"]
    assert list(timing)[-2:] == ["cross_check_s", "total_s"]
