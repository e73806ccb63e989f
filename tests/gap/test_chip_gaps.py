"""A measured chip, its circuit and its network: three gaps over the same outputs, and nothing left out in silence."""

from __future__ import annotations

import numpy as np
import pytest

from kanspice.gap import ChipSamples, compare, spread

RANDOM = np.random.default_rng(0)
NETWORK = RANDOM.standard_normal((40, 3))
CIRCUIT = NETWORK + 0.1 * RANDOM.standard_normal((40, 3))
CHIP = CIRCUIT + 0.02 * RANDOM.standard_normal((40, 3))
ALL = np.full(40, True)
LABELS = NETWORK.argmax(axis=1)


def samples(chip=CHIP, circuit=CIRCUIT, solved=ALL, nominal=None, fitted=None):
    return ChipSamples(chip, circuit, NETWORK, solved, spread(NETWORK), nominal, fitted)


def test_each_gap_is_what_compare_says_where_everything_is_known():
    found = samples().gaps(LABELS, NETWORK + 1)
    assert found.network == compare(CHIP, NETWORK)
    assert found.circuit == compare(CHIP, CIRCUIT, scale=spread(NETWORK))
    assert found.simulated == compare(CIRCUIT, NETWORK)
    assert (found.measured, found.complete, found.failed, found.compared, found.partly) == (40, 40, 0, 40, 0)
    assert found.accuracy["reference"] == 1
    assert found.accuracy["chip"] == pytest.approx(found.network.argmax_agreement)
    assert found.loss["reference"] == pytest.approx(1)
    assert found.loss["chip"] == pytest.approx(np.mean((CHIP - NETWORK - 1) ** 2))
    assert found.nominal is None


def test_errors_add_up():
    """|chip - network|^2 = |circuit - network|^2 + |chip - circuit|^2 + twice their product."""
    found = samples().gaps()
    assert found.explained == pytest.approx(1 - np.sum((CHIP - CIRCUIT) ** 2) / np.sum((CHIP - NETWORK) ** 2))
    assert found.explained == pytest.approx(1 - (found.circuit.rmse / found.network.rmse) ** 2)
    product = np.sum((CIRCUIT - NETWORK) * (CHIP - NETWORK))
    size = np.linalg.norm(CIRCUIT - NETWORK) * np.linalg.norm(CHIP - NETWORK)
    assert found.correlation == pytest.approx(product / size)
    assert found.explained > 0.9
    assert found.unexplained == 1 - found.explained


def test_the_error_of_what_is_explained_is_that_of_samples_drawn_again():
    """Against a bootstrap over samples, of a circuit that misses some of them more than others."""
    circuit = CHIP + (0.02 + 0.06 * (np.arange(40) % 4 == 0))[:, None] * RANDOM.standard_normal((40, 3))
    found = samples(circuit=circuit).gaps()
    squares = [((CHIP - other) ** 2).sum(axis=1) for other in (circuit, NETWORK)]
    drawn = np.random.default_rng(1).integers(0, 40, (4000, 40))
    shares = 1 - squares[0][drawn].sum(axis=1) / squares[1][drawn].sum(axis=1)
    assert found.explained_error == pytest.approx(np.std(shares), rel=0.1)
    one = np.where(np.arange(40)[:, None] > 0, np.nan, CHIP)
    assert samples(chip=one).gaps().explained_error is None
    fitted = samples(circuit=circuit, fitted=np.arange(40) < 20).gaps().unfitted
    assert fitted.explained_error > found.explained_error


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0, -1.0])
def test_what_is_explained_is_known_in_closed_form(factor):
    """A chip whose error is a multiple of the circuit's: correlation 1 or -1, and 1 - (1 - 1/k)^2 explained."""
    found = samples(chip=NETWORK + factor * (CIRCUIT - NETWORK)).gaps()
    assert found.explained == pytest.approx(1 - (1 - 1 / factor) ** 2)
    assert found.correlation == pytest.approx(np.sign(factor))


def test_the_gain_is_a_slope_about_means():
    chip = 0.35 * NETWORK + [1.0, -2.0, 30.0]
    chip[3, 1] = np.nan
    assert samples(chip=chip).gaps().gain == pytest.approx(0.35)
    assert ChipSamples(CHIP[:1], CIRCUIT[:1], NETWORK[:1], ALL[:1], 0.0).gaps().gain is None


def test_a_chip_that_is_the_network_has_nothing_to_explain():
    found = samples(chip=NETWORK).gaps()
    assert found.explained is None
    assert found.unexplained is None
    assert found.correlation is None
    assert found.network.rmse == 0
    assert samples(chip=CIRCUIT).gaps().explained == 1


def test_rounding_says_neither_who_is_nearer_nor_in_which_direction():
    """A circuit that is the network up to rounding."""
    found = samples(circuit=NETWORK + 1e-15 * RANDOM.standard_normal(NETWORK.shape)).gaps()
    assert (found.explained, found.unexplained) == (0, 1)
    assert found.correlation is None


def test_what_was_not_measured_and_what_failed_are_counted_apart():
    chip, circuit, solved = CHIP.copy(), CIRCUIT.copy(), ALL.copy()
    chip[:5] = np.nan
    chip[5, 0] = np.nan
    circuit[[0, 6]], solved[[0, 6]] = np.nan, False
    found = samples(chip=chip, circuit=circuit, solved=solved).gaps(LABELS, NETWORK)
    assert (found.measured, found.complete, found.failed, found.compared, found.partly) == (35, 34, 1, 34, 1)
    known = np.isfinite(chip) & np.isfinite(circuit)
    assert found.network.rmse == pytest.approx(np.sqrt(np.mean((CHIP - NETWORK)[known] ** 2)))
    assert found.circuit.rmse == pytest.approx(np.sqrt(np.mean((CHIP - CIRCUIT)[known] ** 2)))
    assert found.simulated.rmse == pytest.approx(np.sqrt(np.mean((CIRCUIT - NETWORK)[known] ** 2)))
    whole = np.arange(7, 40)
    same = CHIP[whole].argmax(axis=1) == NETWORK[whole].argmax(axis=1)
    assert found.network.argmax_agreement == pytest.approx(same.mean())  # one that failed has no say
    assert found.accuracy["reference"] == 1
    assert found.accuracy["circuit"] == pytest.approx((CIRCUIT[whole].argmax(axis=1) == LABELS[whole]).sum() / 34)
    assert [output.values for output in found.outputs] == [33, 34, 34]


def test_an_output_that_was_never_measured():
    chip = CHIP.copy()
    chip[:, 1] = np.nan
    found = samples(chip=chip).gaps(LABELS, NETWORK)
    assert found.unmeasured_outputs == (1,)
    assert (found.measured, found.complete, found.partly) == (40, 0, 40)
    assert found.network.argmax_agreement is None
    assert found.accuracy is None
    assert found.network.rmse == pytest.approx(np.sqrt(np.mean((CHIP - NETWORK)[:, [0, 2]] ** 2)))
    one = found.outputs[2]
    assert one.from_circuit == pytest.approx(np.sqrt(np.mean((CHIP - CIRCUIT)[:, 2] ** 2)))
    assert one.offset == pytest.approx(np.mean((CHIP - CIRCUIT)[:, 2]))
    assert np.isnan(found.outputs[1].from_network)


def test_nothing_in_common():
    circuit, solved = CIRCUIT.copy(), ~ALL
    circuit[:] = np.nan
    found = samples(circuit=circuit, solved=solved).gaps(LABELS, NETWORK)
    assert (found.measured, found.failed, found.compared) == (40, 40, 0)
    assert np.isnan([found.network.rmse, found.circuit.rmse, found.simulated.rmse, found.loss["chip"]]).all()
    assert found.explained is found.correlation is None
    assert found.accuracy["circuit"] == 0


def test_one_sample_and_one_output():
    found = ChipSamples(CHIP[:1], CIRCUIT[:1], NETWORK[:1], ALL[:1], 0.0).gaps()
    assert found.network.relative_rmse is None
    assert found.network.rmse > 0
    alone = ChipSamples(CHIP[:, :1], CIRCUIT[:, :1], NETWORK[:, :1], ALL, 1.0).gaps()
    assert alone.network.argmax_agreement is None


def test_the_circuit_without_random_parts():
    nominal = NETWORK + 0.01
    nominal[3] = np.nan
    found = samples(nominal=nominal).gaps().nominal
    assert found.failed == 1
    others = np.arange(40) != 3
    assert found.gap.rmse == pytest.approx(np.sqrt(np.mean((CHIP - nominal)[others] ** 2)))


def test_huge_circuits_have_no_share():
    found = samples(circuit=CIRCUIT * 1e200).gaps()
    assert found.explained is None
    assert np.isinf(found.circuit.rmse)


def test_what_the_specimen_was_fitted_to_is_no_prediction():
    """A circuit that is the chip where it was fitted, and something else elsewhere."""
    fitted = np.arange(40) < 30
    circuit = np.where(fitted[:, None], CHIP, CIRCUIT)
    found = samples(circuit=circuit, fitted=fitted).gaps()
    others = samples(chip=np.where(fitted[:, None], np.nan, CHIP)).gaps()
    assert (found.unfitted.samples, found.unfitted.fitted) == (10, 30)
    assert found.unfitted.circuit == others.circuit == found.predicted
    assert found.unfitted.network == others.network
    assert found.unexplained == others.unexplained
    assert found.circuit.rmse < 0.6 * found.predicted.rmse
    assert samples(fitted=~ALL).gaps().unfitted is None
    everything = samples(fitted=ALL).gaps()
    assert (everything.unfitted.samples, everything.unexplained) == (0, None)
    assert np.isnan(everything.predicted.rmse)
