"""Converters and input noise: what arrives at the circuit, what is read from it, and closed forms for both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from circuits import PEAK, inputs_for, network, technology

from kanspice.base.draws import Draw
from kanspice.base.errors import InputError
from kanspice.circuit import Converter, load_design, save_design
from kanspice.circuit.compile import add_converters
from kanspice.circuit.file import design_bytes
from kanspice.circuit.specimens import draw_specimen
from kanspice.engine.solution import Solution
from kanspice.families.common.following import reference_stages
from kanspice.families.compiling import sizing_of
from kanspice.families.kanalogue.circuit import compile_kanalogue
from kanspice.gap import decoded_outputs

MODEL = network([3, 4, 2], [PEAK])
SAMPLES = inputs_for(MODEL, 50)


def converted(*overrides, samples=SAMPLES, seed=0):
    tech = technology(*overrides)
    sizing = None if samples is None else sizing_of(MODEL, samples)
    design = compile_kanalogue(MODEL, tech, sizing)
    return draw_specimen(add_converters(design, tech, sizing), tech, Draw(seed))


def test_without_them_voltages_are_exact():
    design = converted()
    assert (design.dac, design.adc) == (None, None)
    np.testing.assert_array_equal(design.inputs_v(SAMPLES), SAMPLES)


@pytest.mark.parametrize("bits", [1, 3, 8, 16])
def test_the_error_of_a_converter_is_that_of_rounding(bits):
    """Uniform in half a step either way: its mean square is a twelfth of the step's."""
    converter, volts = Converter(bits, -0.7, 1.3), np.random.default_rng(0).uniform(-0.7, 1.3, 200_000)
    step = 2.0 / (2**bits - 1)
    error = converter.convert(volts) - volts
    assert np.abs(error).max() <= step / 2 * (1 + 1e-9)
    assert np.sqrt(np.mean(error**2)) == pytest.approx(step / np.sqrt(12), rel=0.01)
    levels = np.unique(np.round(converter.convert(volts), 12))
    assert len(levels) <= 2**bits
    np.testing.assert_allclose(converter.convert(np.array([-9.0, -0.7, 1.3, 9.0])), [-0.7, -0.7, 1.3, 1.3])


def test_inputs_are_converted_over_the_range_of_the_samples():
    design = converted("converters.dac_bits=4")
    assert (design.dac.low_v, design.dac.high_v) == (SAMPLES.min(), SAMPLES.max())
    np.testing.assert_array_equal(design.inputs_v(SAMPLES), design.dac.convert(SAMPLES))


def test_outputs_are_converted_over_the_range_of_the_networks_own():
    design = converted("converters.adc_bits=5", "tia.rail_v=1.0")
    outputs = reference_stages(MODEL, SAMPLES)["l2.crossbar"]
    volts = outputs * design.stages[-1].output_v_per_unit
    assert (design.adc.low_v, design.adc.high_v) == pytest.approx((volts.min(), volts.max()))
    solution = Solution("test", "0", {}, len(SAMPLES), (), {"l2.crossbar": volts}, {}, {})
    decoded = decoded_outputs(design, solution)
    assert 0 < np.abs(decoded - outputs).max() <= (outputs.max() - outputs.min()) / 31 / 2 * (1 + 1e-9)


def test_noise_is_the_seeds_and_the_same_for_the_first_samples_of_more():
    design = converted("converters.input_noise_v=0.01", seed=3)
    noise = design.inputs_v(SAMPLES) - SAMPLES
    assert noise.std() == pytest.approx(0.01, rel=0.25)
    np.testing.assert_allclose(design.inputs_v(SAMPLES[:7]) - SAMPLES[:7], noise[:7], rtol=0, atol=1e-15)
    other = converted("converters.input_noise_v=0.01", seed=4)
    assert (other.inputs_v(SAMPLES) != design.inputs_v(SAMPLES)).all()


@pytest.mark.parametrize("samples", [None, np.zeros((4, 3))])
def test_a_range_that_nobody_gives_is_an_error(samples):
    with pytest.raises(InputError, match="converter"):
        converted("converters.dac_bits=8", samples=samples)


def test_a_design_with_converters_survives_its_file(tmp_path):
    design = converted("converters.dac_bits=8", "converters.adc_bits=10", "converters.input_noise_v=1e-3", seed=5)
    save_design(design, tmp_path / "design.npz")
    assert design_bytes(load_design(tmp_path / "design.npz")) == design_bytes(design)
    save_design(replace(design, dac=Converter(8, 1.0, 0.0)), tmp_path / "design.npz")
    with pytest.raises(InputError, match="is not a kanspice design"):
        load_design(tmp_path / "design.npz")
