"""`kanspice devices fit`: what strangers' files say is shown with every character visible."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kanspice.base.errors import InputError
from kanspice.cli.commands import app

ROWS = "0,0,0\n0.1,1,2\n0.2,2,2\n0.3,4,2\n0.4,5,2\n0.5,6,6\n"


def test_escapes_in_a_header_do_not_reach_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "iv.csv").write_text("V\x1b[31m (V),I (mA),\x1b[2Jz\n" + ROWS)
    result = CliRunner().invoke(app, ["devices", "fit", str(tmp_path / "iv.csv"), "-o", str(tmp_path / "card.toml")])
    assert result.exit_code == 0, result.output
    assert r"not read: \x1b[2Jz" in result.output
    assert "\x1b" not in result.output


def test_a_file_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"a\xe4.csv")
    path.write_text("V (V),I (mA),T\n" + ROWS)
    with pytest.raises(InputError, match=r"(?s)the file's name is not UTF-8.*try: +rename the file"):
        CliRunner().invoke(
            app, ["devices", "fit", str(path), "-o", str(tmp_path / "card.toml")], catch_exceptions=False
        )
    assert not (tmp_path / "card.toml").exists()


def test_an_area_for_a_card_is_refused() -> None:
    with pytest.raises(InputError, match=r"(?s)--area-cm2: an area is of no use here.*found: +z21"):
        CliRunner().invoke(app, ["devices", "try", "z21", "--area-cm2", "1e-8"], catch_exceptions=False)
