"""A compiled CNN-KAN is the trained network, stage by stage; its layouts, their specimens and files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from circuits import technology
from images import cnnkan, design_of, images_for
from torch.nn import functional

from kanspice import InputError
from kanspice.base.draws import Draw
from kanspice.circuit import Average, Tiles, load_design, save_design
from kanspice.circuit.bounds import output_bounds_v
from kanspice.circuit.check import check_design
from kanspice.circuit.specimens import draw_specimen
from kanspice.circuit.stages.tiles import GROUND
from kanspice.families.cnnkan.circuit import seen_by, technology_for_cnnkan
from kanspice.families.cnnkan.network import Window
from kanspice.families.common.following import reference_stages
from kanspice.technology import load_technology

UNROLLED = "convolution.layout=unrolled"


def ideal_v(design, inputs):
    """Of every stage, by the stages' own formulas."""
    volts, found = design.inputs_v(inputs), {}
    for stage in design.stages:
        volts = found[stage.name] = stage.ideal_v(design, volts)
    return found


@pytest.mark.parametrize("window", [Window(), Window(2, 2, 0), Window(3, 2, 2), Window(1, 1, 0)])
@pytest.mark.parametrize("pixels_first", [False, True])
def test_a_window_sees_what_torch_unfolds(window, pixels_first):
    """Where an image has values 1, 2, 3 and so on, each row of a window names its value; 0 beyond the edge."""
    channels, height, width = 3, 4, 5
    image = torch.arange(1.0, channels * height * width + 1).reshape(1, channels, height, width)
    values = image.permute(0, 2, 3, 1) if pixels_first else image
    unfolded = functional.unfold(image, window.kernel, padding=window.padding, stride=window.stride)[0].T.numpy()
    seen = seen_by(window, channels, (height, width), pixels_first=pixels_first)
    assert seen.shape == unfolded.shape
    grounded = np.append(values.flatten().numpy(), 0.0)
    np.testing.assert_array_equal(grounded[seen], unfolded)
    assert (seen >= GROUND).all()


@pytest.mark.parametrize("layout", ["reused", "unrolled"])
@pytest.mark.parametrize("sized", [True, False])
def test_every_stage_of_an_ideal_circuit_is_the_networks(layout, sized):
    model = cnnkan()
    inputs = images_for(model)
    design = design_of(model, inputs if sized else None, f"convolution.layout={layout}", "units.v_unit_v=0.5")
    expected, found = reference_stages(model, inputs), ideal_v(design, inputs)
    for stage in design.stages:
        outputs = found[stage.name] / stage.output_v_per_unit
        np.testing.assert_allclose(outputs, expected[stage.compares_to], rtol=1e-9, atol=1e-9)
    bounds = output_bounds_v(design, np.abs(design.inputs_v(inputs)).max(axis=0))
    assert all((np.abs(found[name]) <= bound).all() for name, bound in bounds.items())


def test_amplifiers_stay_within_their_rails():
    model, headroom = cnnkan(seed=3), "tia.headroom=0.5"
    inputs = 4 * images_for(model)
    design = design_of(model, inputs, headroom)
    found = ideal_v(design, inputs)
    for crossbar in design.all_crossbars:
        assert crossbar.column_swing_v <= 0.5 * crossbar.rail_v * (1 + 1e-12)
    last_of_block = next(stage for stage in design.tiles if stage.name == "l2.tiles")
    assert np.abs(found[last_of_block.name]).max() <= 0.5 * last_of_block.crossbars[0].rail_v * (1 + 1e-12)


def test_layouts_have_one_crossbar_or_one_at_every_position():
    model = cnnkan()
    reused, unrolled = (
        design_of(model, images_for(model), f"convolution.layout={it}") for it in ("reused", "unrolled")
    )
    for one, many in zip(reused.tiles, unrolled.tiles, strict=True):
        assert (len(one.crossbars), len(many.crossbars)) == (1, 12)
        assert many.device_count == 12 * one.device_count
        assert [len(group.positions) for group in many.groups] == [12]
    assert reused.output_width == unrolled.output_width == 2


def test_a_reused_crossbar_has_one_specimen_and_unrolled_ones_have_their_own():
    model, sigma = cnnkan(), "devices.area_sigma=0.1"
    inputs = images_for(model)
    reused = design_of(model, inputs, sigma, seed=1).tiles[0]
    unrolled = design_of(model, inputs, sigma, UNROLLED, seed=1).tiles[0]
    assert len(reused.groups) == 1
    assert len(unrolled.groups) == 12
    areas = np.stack([crossbar.area for crossbar in unrolled.crossbars])
    present = areas[0] != 0
    assert (np.ptp(areas, axis=0)[present] > 0).all()
    assert [crossbar.name for crossbar in unrolled.crossbars[:2]] == ["l1p0.crossbar", "l1p1.crossbar"]
    again = design_of(model, inputs, sigma, UNROLLED, seed=1).tiles[0]
    np.testing.assert_array_equal(again.crossbars[5].area, unrolled.crossbars[5].area)


def test_unrolling_averages_mismatch_out():
    """Where 36 positions see the same, the mean of their errors is a sixth of what it is where they share one."""
    model = cnnkan((1, 6, 6), (2,), seed=4, kernel=1, padding=0)
    inputs = np.full((1, 36), 0.3)
    errors = {}
    for layout in ("reused", "unrolled"):
        overrides = f"convolution.layout={layout}", "devices.area_sigma=0.02"
        nominal, choices = design_of(model, inputs, *overrides), technology(*overrides)
        mean = ideal_v(nominal, inputs)["l3.average"]
        specimens = (draw_specimen(nominal, choices, Draw(seed)) for seed in range(8))
        errors[layout] = np.sqrt(np.mean([(ideal_v(each, inputs)["l3.average"] - mean) ** 2 for each in specimens]))
    assert 3 < errors["reused"] / errors["unrolled"] < 12


def test_an_average_weighs_with_its_resistors():
    average = Average("l3.average", "l3.average", np.array([[1e5, 2e5], [3e5, 2e5]]), 1.0)
    np.testing.assert_allclose(average.ideal_v(None, np.array([[1.0, 2.0, 3.0, 4.0]])), [[1.5, 3.0]])
    sigma = "convolution.average_sigma=0.1"
    model = cnnkan()
    drawn = next(
        stage for stage in design_of(model, images_for(model), sigma, seed=2).stages if stage.KIND == "average"
    )
    assert 0.05 < np.std(drawn.ohm / 1e6) < 0.2


@pytest.mark.parametrize("layout", ["reused", "unrolled"])
def test_files_keep_them(layout, tmp_path):
    model = cnnkan()
    inputs = images_for(model)
    overrides = "devices.area_sigma=0.1", f"convolution.layout={layout}", "convolution.position_s=1e-6"
    design = design_of(model, inputs, *overrides, seed=3)
    save_design(design, tmp_path / "design.npz")
    loaded = load_design(tmp_path / "design.npz")
    for name, volts in ideal_v(design, inputs).items():
        np.testing.assert_array_equal(ideal_v(loaded, inputs)[name], volts)
    assert [stage.name for stage in loaded.stages] == [stage.name for stage in design.stages]
    assert loaded.tiles[0].crossbars[-1].name == design.tiles[0].crossbars[-1].name


def test_files_that_are_none_are_refused():
    model = cnnkan()
    design = design_of(model, images_for(model))
    place = next(place for place, stage in enumerate(design.stages) if isinstance(stage, Tiles))
    tiles = design.stages[place]
    wrong = (
        {"seen": tiles.seen + 100},
        {"seen": tiles.seen[:, 1:]},
        {"seen": tiles.seen.astype(float)},
        {"crossbars": tiles.crossbars * 2},
        {"crossbars": ()},
        {"crossbars": (replace(tiles.crossbars[0], name="l1.crossbar; quit"),)},
        {"position_s": -1.0},
    )
    for change in wrong:
        stages = (*design.stages[:place], replace(tiles, **change), *design.stages[place + 1 :])
        with pytest.raises(ValueError, match="l1"):
            check_design(replace(design, stages=stages))


def test_what_it_has_no_part_for_is_refused_or_left_out():
    model = cnnkan()
    with pytest.raises(InputError, match=r"clippers\.knee_v"):
        design_of(model, None, "clippers.knee_v=0.01")
    kept = technology_for_cnnkan(model, load_technology("typical", ["convolution.average_sigma=0.01"]))
    assert "clippers.knee_v" not in kept.causes
    assert "convolution.average_sigma" in kept.causes


def test_inputs_beyond_a_resistors_range_are_refused():
    model = cnnkan()
    with pytest.raises(InputError, match="layer 1 are larger"):
        design_of(model, 1e5 * images_for(model))


def test_what_differs_by_the_sign_of_a_zero_is_the_same():
    """Devices whose cards say of no spread are the same at all positions: their draws are numbers times nothing."""
    model, alike = cnnkan(), ("devices.shift_sigma_v=0.01", "devices.mismatch_of=cards")
    design = design_of(model, images_for(model), UNROLLED, *alike, seed=4)
    assert any(np.signbit(crossbar.shift_v).any() for crossbar in design.all_crossbars)
    assert [len(tiles.groups) for tiles in design.tiles] == [1, 1, 1, 1]
