"""What is set on a chip after it was measured: least squares, and columns whose outputs are right again."""

from __future__ import annotations

import numpy as np
import pytest
from circuits import PEAK, inputs_for, load_device, network, specimen_of

from kanspice.engine.batched import solve
from kanspice.experiments.trims import Affine, fitted_columns, with_columns
from kanspice.families.common.following import reference_stages
from kanspice.gap import NumericalGap

RNG = np.random.default_rng(2)
MODEL = network([12, 8, 4], [load_device("z21"), PEAK])
SAMPLES = inputs_for(MODEL, 40)
STAGES = reference_stages(MODEL, SAMPLES)
FITTED, JUDGED = slice(0, 25), slice(25, None)


def measured(samples):
    """What a chip gives for some samples, by stage, volts."""
    return lambda chip: solve(chip, SAMPLES[samples], "device").stage_v


def rms_errors(chip):
    """Of both crossbars on the samples that nothing was fitted to, in model units."""
    found = measured(JUDGED)(chip)
    errors = (found[bar.name] / bar.output_v_per_unit - STAGES[bar.compares_to][JUDGED] for bar in chip.crossbars)
    return [float(np.sqrt(np.mean(each**2))) for each in errors]


def test_a_fit_is_that_of_linear_algebra_output_by_output():
    found = RNG.normal(size=(30, 3))
    wanted = found * [2.0, -0.5, 1.5] + [1.0, 0.0, -3.0] + 0.3 * RNG.normal(size=(30, 3))
    fit = Affine.fitted(found, wanted)
    for output in range(3):
        columns = np.stack([found[:, output], np.ones(30)], axis=1)
        gain, offset = np.linalg.lstsq(columns, wanted[:, output], rcond=None)[0]
        assert (fit.gain[output], fit.offset[output]) == pytest.approx((gain, offset))
    residual = fit.applied(found) - wanted
    assert (residual**2).mean() < ((found - wanted) ** 2).mean()


def test_samples_without_an_answer_have_no_say():
    found, exact = RNG.normal(size=(10, 2)), Affine(np.array([3.0, 0.5]), np.array([-1.0, 2.0]))
    wanted = exact.applied(found)
    spoilt = found.copy()
    spoilt[2, 0], wanted[5] = np.nan, np.nan
    fit = Affine.fitted(spoilt, wanted)
    assert fit.gain == pytest.approx(exact.gain)
    assert fit.offset == pytest.approx(exact.offset)
    none = Affine.fitted(np.full((10, 2), np.nan), wanted)
    assert (none.applied(found) == found).all()
    two = np.where(np.arange(10)[:, None] < 2, found, np.nan)
    assert (Affine.fitted(two, wanted).applied(found) == found).all()


def test_an_output_that_does_not_vary_gets_an_offset_and_no_gain():
    found = np.column_stack([np.full(10, 4.0), np.zeros(10), np.arange(10.0)])
    wanted = np.column_stack([np.arange(20.0, 30), np.full(10, 7.0), np.arange(2.0, 12)])
    fit = Affine.fitted(found, wanted)
    assert fit.gain == pytest.approx([1, 1, 1])
    assert fit.offset == pytest.approx([20.5, 7.0, 2.0], abs=1e-12)


def test_what_is_set_is_what_tells_samples_from_each_other():
    """Leaving every sample out in turn, by hand: a gain that few samples make up is worse than none."""
    wanted = RNG.normal(size=(6, 400))
    found = RNG.normal(size=(6, 400))
    fit = Affine.fitted(found, wanted)

    def left_out(gained: bool, output: int) -> float:
        errors = []
        for sample in range(6):
            others = np.arange(6) != sample
            x, y = found[others, output], wanted[others, output]
            slope, level = np.polyfit(x, y, 1) if gained else (1.0, (y - x).mean())
            errors.append(wanted[sample, output] - slope * found[sample, output] - level)
        return float(np.sum(np.square(errors)))

    for output in range(20):
        kinds = [((wanted - found)[:, output] ** 2).sum(), left_out(False, output), left_out(True, output)]
        has = [fit.gain[output] == 1 and fit.offset[output] == 0, fit.gain[output] == 1, fit.gain[output] != 1]
        assert has[int(np.argmin(kinds))]
    new_found, new_wanted = RNG.normal(size=(500, 400)), RNG.normal(size=(500, 400))
    assert ((fit.applied(new_found) - new_wanted) ** 2).mean() < ((new_found - new_wanted) ** 2).mean()


def test_gains_stay_within_what_can_be_made():
    found = RNG.normal(size=(20, 1))
    fit = Affine.fitted(found, 50 * found + 1, (0.1, 10.0))
    assert fit.gain == pytest.approx([10])
    assert (fit.applied(found) - (50 * found + 1)).mean() == pytest.approx(0, abs=1e-12)
    assert Affine.fitted(found, -found, (0.1, 10.0)).gain == pytest.approx([0.1])


def test_numerical_errors_grow_with_the_largest_gain():
    trims = Affine(np.array([0.5, -4.0]), np.zeros(2))
    assert trims.of_error(None) is None
    assert trims.of_error(NumericalGap(3, 1.0, 2.0, 0.5)) == NumericalGap(3, 4.0, 8.0, 2.0)
    assert trims.of_error(NumericalGap(3, 1.0, 2.0, None)) == NumericalGap(3, 4.0, 8.0, None)


def test_trimmed_columns_undo_what_all_devices_have_lost():
    """Half of every area is a gain of 2 and an offset, once its reference currents are as they were."""
    chip = specimen_of(MODEL, SAMPLES, "ageing.drift_nu=0.5", "ageing.time_s=4")
    before = rms_errors(chip)
    trims = fitted_columns(chip, measured(FITTED), {name: stage[FITTED] for name, stage in STAGES.items()})
    assert list(trims) == ["l1.crossbar", "l2.crossbar"]
    for trim in trims.values():
        assert trim.gain == pytest.approx(2, rel=1e-9)
    assert min(before) > 0.01
    assert rms_errors(with_columns(chip, trims)) == pytest.approx([0, 0], abs=1e-9)


@pytest.mark.parametrize("gain", ["inf", "300"])
def test_trimmed_columns_make_a_worn_chip_much_better(gain):
    settings = ("ageing.drift_nu=0.05", "ageing.drift_nu_sigma=0.005", "ageing.time_s=3e7")
    chip = specimen_of(MODEL, SAMPLES, *settings, "tia.offset_sigma_v=5e-3", f"tia.gain={gain}", seed=4)
    trims = fitted_columns(chip, measured(FITTED), {name: stage[FITTED] for name, stage in STAGES.items()})
    before, after = rms_errors(chip)[-1], rms_errors(with_columns(chip, trims))[-1]
    assert after < before / 4
