"""Subcircuits out of strangers' netlists: which one, with which pins, and what is not let in."""

from pathlib import Path

import pytest

from kanspice.base.errors import InputError
from kanspice.subcircuits.amplifier import Amplifier, parse_roles
from kanspice.subcircuits.process import Models
from kanspice.subcircuits.subcircuit import read_subcircuit

AMPLIFIER = """\
* an amplifier
.subckt stage a b params: k=1
G1 0 b a 0 {k}
R1 b 0 1k
.ends
.SUBCKT MyAmp 1 2 99 50 45 gain=1e3
X1 1 mid stage k=2
R2 mid 2 1k
E1 45 0 1 2 {gain}
.model DX D(IS=1e-15)
.ENDS MyAmp
"""


def written(tmp_path: Path, text: str, name: str = "amp.lib") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_the_one_that_no_other_uses_is_meant(tmp_path):
    found = read_subcircuit(written(tmp_path, AMPLIFIER))
    assert (found.name, found.pins, found.source) == ("myamp", ("1", "2", "99", "50", "45"), "amp.lib")
    assert "R1 b 0 1k" in found.lines
    assert len(found.sha256) == 64


def test_one_is_meant_by_its_name(tmp_path):
    found = read_subcircuit(written(tmp_path, AMPLIFIER), "STAGE")
    assert (found.name, found.pins) == ("stage", ("a", "b"))


def test_a_title_is_no_card_of_a_library(tmp_path):
    """A file that is included has none: its first line counts."""
    found = read_subcircuit(written(tmp_path, ".subckt first a\nR1 a 0 1\n.ends\n"))
    assert found.pins == ("a",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (AMPLIFIER + ".subckt other a\nR1 a 0 1\n.ends\n", "not clear which subcircuit is meant"),
        ("* nothing\n", "defines no subcircuit"),
        (AMPLIFIER + "V1 a 0 1\n", "more in it than definitions"),
        (AMPLIFIER + ".options reltol=1\n", "more in it than definitions"),
        (".subckt a b\nR1 b 0 1\n", "does not end"),
        (".ends\n", "ends that none has begun"),
        (".subckt tia_ideal a b\nR1 a b 1\n.ends\n", "has a subcircuit of the name 'tia_ideal' itself"),
        (AMPLIFIER + ".control\nshell touch hacked\n.endc\n", "not known to be harmless"),
        (".subckt a b\nR1 b 0 `touch hacked`\n.ends\n", "not known to be harmless"),
        ('.include "/etc/passwd"\n', "not known to be harmless"),
        (".subckt a b\n.options reltol=0.1\nR1 b 0 1\n.ends\n", "for the whole circuit's"),
        (".subckt a b\n.temp 99\nR1 b 0 1\n.ends\n", "for the whole circuit's"),
        (".subckt a b\n.op\nR1 b 0 1\n.ends\n", "for the whole circuit's"),
        (".func phi0(x) {5*x}\n" + AMPLIFIER, "has a function of this name"),
    ],
)
def test_what_is_not_let_in(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_subcircuit(written(tmp_path, text))


def test_a_name_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"(?s)no subcircuit 'lm741'.*stage, myamp"):
        read_subcircuit(written(tmp_path, AMPLIFIER), "lm741")


def test_an_instance_has_its_nodes_in_the_order_of_the_pins(tmp_path):
    subcircuit = read_subcircuit(written(tmp_path, AMPLIFIER))
    amplifier = Amplifier(subcircuit, parse_roles("in+, in-, vdd, VSS, out"), 5.0, -5.0)
    assert amplifier.instance("l1_t3", plus="0", minus="c", out="t", vdd="up", vss="down") == [
        "Xl1_t3 0 c up down t myamp"
    ]
    with_bias = Amplifier(subcircuit, parse_roles("in+,in-,vdd,vss,out"), 5.0, -5.0)
    assert with_bias.definition() == subcircuit.lines


def test_a_bias_is_a_current_from_the_upper_supply(tmp_path):
    path = written(tmp_path, ".subckt amp p m o u l b g\nR1 p m 1\nR2 o u 1\nR3 l b 1\nR4 g 0 1\n.ends\n")
    roles = parse_roles("in+,in-,out,vdd,vss,bias,gnd")
    lines = Amplifier(read_subcircuit(path), roles, 1.0, -1.0, bias_a=1e-5).instance(
        "a", plus="p", minus="m", out="o", vdd="u", vss="l"
    )
    assert lines == ["Xa p m o u l a_bias 0 amp", "Ia_bias u a_bias 1e-05"]
    with pytest.raises(InputError, match="the bias does not fit the pins"):
        Amplifier(read_subcircuit(path), roles, 1.0, -1.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("in+,in-,out,vdd", "no pin is vss"),
        ("in+,in-,out,vdd,vss,vss", "two pins are vss"),
        ("in+,in-,out,vcc,vss", "'vcc' is nothing that a pin can be"),
    ],
)
def test_roles_that_are_none(text, message):
    with pytest.raises(InputError, match=message):
        parse_roles(text)


def test_roles_for_another_number_of_pins(tmp_path):
    subcircuit = read_subcircuit(written(tmp_path, AMPLIFIER))
    with pytest.raises(InputError, match="has 5 pins, and 6 were named"):
        Amplifier(subcircuit, parse_roles("in+,in-,out,vdd,vss,gnd"), 5.0, -5.0)
    with pytest.raises(InputError, match="the supplies leave nothing between them"):
        Amplifier(subcircuit, parse_roles("in+,in-,out,vdd,vss"), -5.0, 5.0)


def test_parameters_of_a_process_are_its_own(tmp_path):
    """They would make a corner, or mismatch, another one than the technology's."""
    found = read_subcircuit(written(tmp_path, ".param k=1\n+ SW_stat_mismatch = 0\n" + AMPLIFIER))
    roles = parse_roles("in+,in-,vdd,vss,out")
    with pytest.raises(InputError, match="sets sw_stat_mismatch"):
        Amplifier(found, roles, 5.0, -5.0, models=Models("gf180", mismatch=True))
    Amplifier(found, roles, 5.0, -5.0)
