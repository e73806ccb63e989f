"""Mismatch of devices' own cards: when it is drawn, of which devices, and what a report says of it."""

from __future__ import annotations

import numpy as np
import pytest
from circuits import design_of, inputs_for, load_device, network, technology

import kanspice
from kanspice.base.draws import Draw
from kanspice.base.errors import InputError
from kanspice.circuit.compile.card_spread import spread_notes, with_card_spread, without_card_spread
from kanspice.circuit.specimens import draw_specimen
from kanspice.devices import Device
from kanspice.families import save
from kanspice.gap.causes import NONE
from kanspice.technology import Technology
from kanspice.technology.loading import load_technology

PLAIN = "z21"


def spread(name: str, area_sigma: float, shift_sigma_v: float = 0.0, like: str = "z15") -> Device:
    """A shipped device with another name and a spread on its card."""
    card = load_device(like).to_dict() | {"name": name, "aliases": []}
    found = {"devices": 5, "area_sigma": area_sigma, "shift_sigma_v": shift_sigma_v, "residual": 0.01}
    return Device.from_dict(card | {"spread": found})


MINE = spread("mine", 0.04, 0.002)


def mismatch(found: Technology) -> tuple[float, float, str]:
    devices = found.devices
    return devices.area_sigma, devices.shift_sigma_v, devices.mismatch_of


@pytest.mark.parametrize("given", [None, "ideal", "typical", "pessimistic"])
def test_a_card_comes_before_what_nobody_has_set_and_before_general_guesses(given):
    found = with_card_spread(load_technology(given), [load_device(PLAIN), MINE])
    assert mismatch(found) == (0.04, 0.002, "cards")
    assert with_card_spread(found, [MINE]) is found
    none = found.without(["devices.area_sigma", "devices.shift_sigma_v"])
    assert with_card_spread(none, [MINE]) is none


@pytest.mark.parametrize("override", ["devices.area_sigma=0.01", "devices.area_sigma=0", "devices.shift_sigma_v=0.001"])
@pytest.mark.parametrize("given", [None, "typical"])
def test_what_somebody_sets_comes_before_cards(given, override):
    asked = load_technology(given, [override])
    assert with_card_spread(asked, [MINE]) is asked


def test_a_technology_of_ones_own_comes_before_cards(tmp_path):
    (tmp_path / "own.toml").write_text("[devices]\narea_sigma = 0.02\n")
    asked = load_technology(tmp_path / "own.toml")
    assert with_card_spread(asked, [MINE]) is asked
    (tmp_path / "other.toml").write_text("[tia]\ngain = 1000.0\n")
    assert mismatch(with_card_spread(load_technology(tmp_path / "other.toml"), [MINE])) == (0.04, 0.002, "cards")


def test_cards_can_be_left_out_or_asked_for():
    off = technology("devices.mismatch_of=all")
    assert with_card_spread(off, [MINE]) is off
    assert with_card_spread(without_card_spread(technology()), [MINE]).devices.area_sigma == 0
    scaled = technology("devices.mismatch_of=cards", "devices.area_sigma=0.1")
    assert mismatch(with_card_spread(scaled, [MINE])) == (0.1, 0.0, "cards")
    with pytest.raises(InputError, match="no card of the network's devices"):
        with_card_spread(technology("devices.mismatch_of=cards"), [load_device(PLAIN)])
    asked = technology()
    assert with_card_spread(asked, [load_device(PLAIN)]) is asked


def test_every_device_has_its_own_cards_part_and_others_none():
    devices = [load_device(PLAIN), MINE, spread("other", 0.01, 0.004, like="a21")]
    nominal = design_of(network([24, 16], devices))
    asked = with_card_spread(technology(), devices)
    assert mismatch(asked) == (0.04, 0.004, "cards")
    (drawn,), (before,) = draw_specimen(nominal, asked, Draw(3)).crossbars, nominal.crossbars
    there = before.area != 0
    factors = np.where(there, drawn.area / np.where(there, before.area, 1.0), 1.0) - 1
    np.testing.assert_array_equal(factors[:, :, 0], 0.0)
    np.testing.assert_array_equal(drawn.shift_v[:, :, 0], 0.0)
    for kind, (sigma, shift) in ((1, (0.04, 0.002)), (2, (0.01, 0.004))):
        assert factors[:, :, kind].std() == pytest.approx(sigma, rel=0.15)
        assert drawn.shift_v[:, :, kind].std() == pytest.approx(shift, rel=0.15)
    (again,), (another,) = (draw_specimen(nominal, asked, Draw(seed)).crossbars for seed in (3, 4))
    np.testing.assert_array_equal(again.area, drawn.area)
    assert (another.area != drawn.area).any()


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A network's checkpoint, whose devices have a spread, and samples."""
    model, folder = network([3, 4, 2], [MINE]), tmp_path_factory.mktemp("spread")
    save(model, folder / "model.pt")
    np.save(folder / "x.npy", inputs_for(model, 5))
    return folder / "model.pt", folder / "x.npy"


def test_reports_record_it_and_say_which_is_used(saved):
    own, other, again = (
        kanspice.verify(*saved, engine="batched", seed=seed, attribute=seed == 0) for seed in (0, 1, 0)
    )
    assert own.design.technology["devices"]["area_sigma"] == 0.04
    assert any(note.startswith("the spread on the card of mine, 0.04 of the current, 2 mV (5") for note in own.notes)
    assert own.gap.relative_rmse > 1e-3
    assert other.gap.relative_rmse != own.gap.relative_rmse
    assert again.gap.relative_rmse == own.gap.relative_rmse
    assert {"devices.area_sigma", "devices.shift_sigma_v"} <= {cause.name for cause in own.causes}
    assert next(cause for cause in own.causes if cause.name == NONE).alone.gap.relative_rmse < 1e-9
    exact = kanspice.verify(*saved, engine="batched", set={"devices.area_sigma": 0})
    assert exact.gap.relative_rmse < 1e-9
    assert any(note.endswith("is not used: the technology sets another mismatch") for note in exact.notes)


def test_compiled_folders_and_studies_draw_it(saved, tmp_path):
    circuits = [kanspice.compile(saved[0], inputs=saved[1], seed=seed) for seed in (0, 1)]
    assert (circuits[0].design.crossbars[0].area != circuits[1].design.crossbars[0].area).any()
    assert any("is what its specimens are drawn with" in note for note in circuits[0].notes)
    study = kanspice.study(*saved, trials=3, cross_check=0, out=tmp_path / "study")
    gaps = [draw.metrics["relative_rmse"] for draw in study.points[0].draws]
    assert len(set(gaps)) == 3
    assert any("is what its specimens are drawn with" in note for note in study.model_notes)


def test_devices_without_a_spread_are_not_spoken_of():
    assert spread_notes([load_device(PLAIN)], technology().devices) == ()


@pytest.mark.parametrize("given", [None, "typical"])
def test_whoever_asks_for_cards_gets_what_they_say(given):
    found = with_card_spread(load_technology(given, ["devices.mismatch_of=cards"]), [MINE])
    assert mismatch(found) == (0.04, 0.002, "cards")
    assert with_card_spread(found, [MINE]) is found
    none = found.without(["devices.area_sigma", "devices.shift_sigma_v"])
    assert with_card_spread(none, [MINE]) is none


def test_a_note_says_where_another_mismatch_scales_that_of_cards():
    asked = technology("devices.mismatch_of=cards", "devices.area_sigma=0.1")
    (note,) = spread_notes([MINE], with_card_spread(asked, [MINE]).devices)
    assert note.endswith("is scaled: the largest of the cards' spreads is drawn as 0.1 of the current and 0 V")
    (note,) = spread_notes([MINE], with_card_spread(technology(), [MINE]).devices)
    assert "is what its specimens are drawn with" in note
