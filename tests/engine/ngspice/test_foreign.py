"""Netlists from elsewhere: none of them runs a command, and harmless ones give right numbers."""

from __future__ import annotations

import tempfile

import numpy as np
import pytest
from fake_ngspice import write_fake

from kanspice.base.errors import InputError, SimulatorError
from kanspice.engine.ngspice.foreign import run_netlist

pytestmark = pytest.mark.ngspice

BODY = "v1 a 0 dc 3 ac 2\nr1 a b 1k\nr2 b 0 2k\n"


@pytest.fixture
def netlist(tmp_path):
    """Writes files into a folder and returns the first one's path."""

    def write(deck, **files):
        folder = tmp_path / "netlist"
        folder.mkdir(exist_ok=True)
        for name, text in {"deck.cir": deck, **{f"{key}.cir": value for key, value in files.items()}}.items():
            (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return folder / "deck.cir"

    return write


@pytest.fixture(autouse=True)
def nothing_runs(tmp_path, monkeypatch):
    """Whatever a deck does, it must not make a file named `pwned`, in either case, anywhere it could."""
    monkeypatch.chdir(tmp_path)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    yield
    assert [path for path in tmp_path.rglob("*") if path.name.lower() == "pwned"] == []
    assert list(temporary.iterdir()) == []


def deck(*cards, title="a divider", end=".op\n.end\n"):
    return f"{title}\n{BODY}" + "".join(f"{card}\n" for card in cards) + end


HOSTILE = {
    "control": deck(".control", "shell touch pwned", ".endc"),
    "control in capitals": deck("  .CONTROL", "shell touch pwned", ".ENDC"),
    "control after a tab": deck("\t.control\t", "shell touch pwned", ".endc"),
    "control after the end": deck(end=".op\n.end\n.control\nshell touch pwned\n.endc\n"),
    "control as the title": deck(title=".control"),
    "card as the title": deck(title="  .include /etc/passwd"),
    "comment that is a command": deck("*# shell touch pwned"),
    "indented comment that is a command": deck("   *#shell touch pwned"),
    "comment after the end": deck(end=".op\n.end\n*# shell touch pwned\n"),
    "title that is a command": deck(title="*# shell touch pwned"),
    "script": "*ng_script\nshell touch pwned\nquit\n",
    "script in capitals": " *NG_SCRIPT\nshell touch pwned\nquit\n",
    "script behind a byte order mark": b"\xef\xbb\xbf*ng_script\nshell touch pwned\nquit\n",
    "backquote": deck("r3 b 0 `touch pwned; echo 1`"),
    "backquote in the title": deck(title="`touch pwned`"),
    "backquote in a comment": deck("* `touch pwned`"),
    "backquote in a continuation": deck("r3 b 0", "+ `touch pwned`"),
    "hidden by a form feed": deck("* a comment\f.control"),
    "hidden by a lone carriage return": deck("* a comment\r.control\rshell touch pwned\r.endc"),
    "hidden by a null": deck("* x\0.control"),
    "hidden by a line separator": deck("* a comment\u2028.control"),
    "library": deck(".lib other.lib tt"),
    "library in capitals": deck(" .LIB other.lib tt"),
    "process": deck("a1 [b] [c] null m", '.model m d_process (process_file="touch pwned")'),
    "process over lines": deck("a1 b c m", ".model m", "+ d_process", '+ (process_file="x")'),
    "process after a comment": deck("a1 b c m", ".model m", "* note", "+ D_PROCESS(x=1)"),
    "process after a semicolon": deck("a1 b c m", ".model m;x r", "+ d_process(x=1)"),
    "process by parameter": deck(".param t='d_process'", "a1 b c m", ".model m {t}"),
    "model of no type": deck(".model m"),
    "code model that reads": deck("a1 %v([b]) m", ".model m filesource (file = x)"),
    "table that reads": deck(".model m table2d(file\t=\tx)"),
    "state machine that reads": deck(".model m d_state(state_file = x)"),
    "file in a known model": deck(".model m d_osc(in_file = x)"),
    "library to load": deck(".model m d_cosim(simulation=x)"),
    "continuation of the title": "title\n+ .control\n" + deck(),
    "save to": deck(".write pwned"),
    "unknown card": deck(".exec touch pwned"),
    "include absolute": deck(".include /etc/hostname"),
    "include above": deck(".include ../secret.cir"),
    "include in quotes": deck('.include "/etc/hostname"'),
    "include in single quotes": deck(".include '../secret.cir'"),
    "include in capitals": deck(" .INCLUDE ../secret.cir"),
    "inc": deck(".inc ../secret.cir"),
    "include over lines": deck(".include", "+ ../secret.cir"),
    "include of home": deck(".include ~root/.profile"),
    "include of a variable": deck(".include $HOME/x.cir"),
    "include of an expression": deck(".include {x}"),
    "include of two": deck('.include "a.cir" "/etc/hostname"'),
    "include of nothing": deck(".include"),
    "include without a space": deck('.include"/etc/hostname"'),
    "other spellings of include": deck(".includes ../secret.cir"),
    "include without its dot": deck("include ../secret.cir"),
    "include without its dot, like a source": deck("Include a 0 ../secret.cir"),
    "code models without a dot": deck("codemodel ./evil.cm"),
    "code models without a dot, like a capacitor": deck("codemodel a 0 ./evil.cm"),
    "a command that comes first": deck("pre_osdi a 0 ./evil.osdi"),
}


@pytest.mark.parametrize("kind", list(HOSTILE))
def test_a_deck_that_could_do_harm_is_refused(netlist, tmp_path, kind):
    (tmp_path / "secret.cir").write_text("r9 a 0 1\n")
    with pytest.raises(InputError) as refused:
        run_netlist(netlist(HOSTILE[kind]))
    assert refused.value.exit_code == 2
    assert "this netlist is not run" in refused.value.message
    assert "--trust" in refused.value.message


@pytest.mark.parametrize(
    "inner",
    [
        ".control\nshell touch pwned\n.endc\n",
        "*# shell touch pwned\n",
        "*ng_script\nshell touch pwned\n",
        "`touch pwned`\n",
        ".include ../secret.cir\n",
        "+ r3 a 0 1\n",
        ".model m d_process(x=1)\n",
    ],
)
def test_what_a_deck_includes_is_looked_at_too(netlist, inner):
    with pytest.raises(InputError, match="this netlist is not run"):
        run_netlist(netlist(deck(".include one.cir"), one=".include two.cir\n", two=inner))


def test_a_link_out_of_the_folder_is_refused(netlist, tmp_path):
    (tmp_path / "secret.cir").write_text("r9 a 0 1\n")
    path = netlist(deck(".include inner.cir"))
    (path.parent / "inner.cir").symlink_to(tmp_path / "secret.cir")
    with pytest.raises(InputError, match="this netlist is not run") as refused:
        run_netlist(path)
    assert "outside of the netlist's folder" in refused.value.message


@pytest.mark.parametrize("element", ["r9 a 0", "r9 (a 0)", "v9 a", "q1 a b 0", "m1 a b 0 0", "K1 l1 l2", "d1\n+ a 0"])
def test_an_element_that_is_not_complete_is_refused(netlist, element):
    """ngspice makes up what lacks, a resistance of 1 mOhm, and its results would be those of another circuit."""
    with pytest.raises(InputError, match="an element of the netlist is not complete"):
        run_netlist(netlist(deck(element)))


def test_a_file_that_includes_itself_is_refused(netlist):
    with pytest.raises(InputError, match="includes too many files"):
        run_netlist(netlist(deck(".include one.cir"), one=".include one.cir\n"))


@pytest.mark.parametrize(
    ("content", "found"), [(None, "was not found"), (b"\xff\xfe\x00", "decode"), ("folder", "director")]
)
def test_what_cannot_be_read_is_refused(netlist, tmp_path, content, found):
    path = tmp_path if content == "folder" else tmp_path / "gone.cir" if content is None else netlist(content)
    with pytest.raises(InputError, match="a netlist") as refused:
        run_netlist(path)
    assert found in refused.value.message


def vector(plot, name):
    return plot.table[:, plot.vectors.index(name)]


def test_an_operating_point(netlist):
    (plot,) = run_netlist(netlist(deck())).plots
    assert plot.name == "Operating Point"
    assert vector(plot, "v(b)") == pytest.approx([2.0], rel=1e-12)


def test_all_analyses_of_one_deck(netlist):
    """The divider's 2/3 of 3 V; of a sweep; of 2 V behind 1 uF; and a charging capacitor."""
    cards = (".dc v1 0 3 1.5", ".ac lin 1 1k 1k", ".tran 1u 10u uic", ".options reltol=1e-7")
    run = run_netlist(netlist(deck("c1 b 0 1n ic=0", *cards)))
    plots = {plot.name: plot for plot in run.plots}
    assert set(plots) == {"Operating Point", "DC transfer characteristic", "AC Analysis", "Transient Analysis"}
    np.testing.assert_allclose(vector(plots["DC transfer characteristic"], "v(b)"), [0, 1, 2], atol=1e-12)
    gain = (2 / 3) / (1 + 2j * np.pi * 1e3 * (2000 / 3) * 1e-9)
    np.testing.assert_allclose(vector(plots["AC Analysis"], "v(b)"), [2 * gain], rtol=1e-9)
    np.testing.assert_array_equal(vector(plots["AC Analysis"], "frequency"), [1000])
    transient = plots["Transient Analysis"]
    time = vector(transient, "time").real
    np.testing.assert_allclose(vector(transient, "v(b)"), 2 * (1 - np.exp(-time / (2e-6 / 3))), atol=2e-4)


def test_includes_are_put_in_place(netlist):
    """Relative to the including file, in quotes or not, `.end` of an included file left out, comments in between."""
    path = netlist('title\nv1 a 0 3\n.include one.cir\n.INC "two.cir"\n.op\n.end\n', one="r1 a\n* note\n+ b 1k\n.end\n")
    (path.parent / "sub").mkdir()
    (path.parent / "two.cir").write_text(".include sub/three.cir\n")
    (path.parent / "sub" / "three.cir").write_text(".include 'four.cir'\n")
    (path.parent / "sub" / "four.cir").write_text("r2 b 0 2k ; the lower one\n+\n")
    (plot,) = run_netlist(path).plots
    assert vector(plot, "v(b)") == pytest.approx([2.0], rel=1e-12)


def test_comments_titles_and_units_are_harmless(netlist):
    text = deck(
        "* it's 5 Ω, or µ # $ ~ ; {x}", "r3 b 0 1meg ; shell touch pwned", title="the shell, .control and 100 %"
    )
    (plot,) = run_netlist(netlist(text.replace("\n", "\r\n"))).plots
    expected = 3 * (2e3 * 1e6 / (2e3 + 1e6)) / (1e3 + 2e3 * 1e6 / (2e3 + 1e6))
    assert vector(plot, "v(b)") == pytest.approx([expected], rel=1e-12)


def test_ordinary_models_pass(netlist):
    cards = (
        ".model dm D (is=1f n=1.2)",
        "d1 b 0 dm",
        ".model nm\n+ NMOS(vto=1)",
        "m1 b a 0 0 nm",
        ".model g gain(gain=2)",
    )
    (plot,) = run_netlist(netlist(deck(*cards, "a1 %v(a) %v(c) g", "rc c 0 1k"))).plots
    assert vector(plot, "v(c)") == pytest.approx([6.0], rel=1e-9)


@pytest.mark.parametrize(
    ("cards", "found"),
    [
        (("c1 floating 0 1n", "e1 c 0 floating 0 1", "l1 c c2 1n", "v2 c2 0 1"), "singular matrix"),
        (("vx a 0 5",), "singular matrix"),
        (("b1 c 0 v=1/v(zero)", "vz zero 0 0"), "look for a division by zero"),
        (("r3 b 0 {undefined}",), ""),
        (("q1 b a 0 missing",), ""),
    ],
)
def test_a_deck_without_an_answer_gives_none(netlist, cards, found):
    with pytest.raises(SimulatorError) as raised:
        run_netlist(netlist(deck(*cards)))
    assert raised.value.exit_code == 3
    assert found in raised.value.message


def test_a_deck_without_an_analysis_is_refused(netlist):
    with pytest.raises(InputError, match="holds no analysis"):
        run_netlist(netlist(deck(end=".end\n")))


def test_an_analysis_that_is_missing_from_the_results_is_an_error(netlist, tmp_path, monkeypatch):
    """Two analyses, one plot: the other one failed without a word that we know."""
    path = netlist(deck(".dc v1 0 3 1"))
    body = """sed -i 's/^[.]dc.*//' "$5"; exec /usr/bin/env ngspice "$@"\n"""
    monkeypatch.setenv("KANSPICE_NGSPICE", str(write_fake(tmp_path, body)))
    with pytest.raises(SimulatorError, match="no complete results"):
        run_netlist(path)


def test_a_deck_that_takes_too_long_is_ended(netlist, tmp_path, monkeypatch):
    monkeypatch.setenv("KANSPICE_NGSPICE", str(write_fake(tmp_path, "sleep 100\n")))
    with pytest.raises(SimulatorError, match=r"no result in 0\.2 s"):
        run_netlist(netlist(deck()), timeout_s=0.2)


def test_a_trusted_deck_runs_as_it_is(netlist):
    path = netlist(deck(".control", "shell touch trusted", ".endc"))
    (plot, *_) = run_netlist(path, trust=True).plots
    assert (path.parent / "trusted").exists()
    assert vector(plot, "v(b)") == pytest.approx([2.0])
