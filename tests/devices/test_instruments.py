"""Files as instruments write them: read right, or refused with the place and the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from kanspice.base.errors import InputError
from kanspice.devices.instruments.columns import ColumnChoice
from kanspice.devices.instruments.reading import IVReading, read_iv
from kanspice.devices.instruments.units import name_and_unit, unit_of

V = np.round(np.linspace(0.0, 0.5, 26), 6)
MA = np.round(1.5 * (V / 0.1) * np.exp(1 - V / 0.1) + 1e-7 * np.expm1(V / 0.03), 9)
"""Milliamperes."""


def lines(*columns: Sequence[object], by: str = ",") -> str:
    return "".join(by.join(map(str, row)) + "\n" for row in zip(*columns, strict=True))


def commas(numbers: Sequence[float]) -> list[str]:
    return [str(number).replace(".", ",") for number in numbers]


def spreadsheet() -> str:
    return "Voltage (mV),Current (mA)\n" + lines(V * 1e3, MA)


def german() -> str:
    return "Spannung [V];Strom [µA]\r\n" + lines(commas(V), commas(MA * 1e3), by=";")


def tabs_without_a_header() -> str:
    return lines(V, MA * 1e-3, by="\t")


def keithley_2450() -> str:
    """What its front panel saves: settings, then one reading a line with a unit beside it."""
    head = "Model,2450\nSerial Number,04412345\nBuffer,defbuffer1\nCapacity,100000\n\n"
    names = "Index,Reading,Unit,Range Digits,Source Value,Unit,Output,Relative Time\n"
    count = range(1, len(V) + 1)
    rows = ((k, i, "Amp DC", 6, v, "Volt DC", "T", 0.02 * k) for k, v, i in zip(count, V, MA * 1e-3, strict=True))
    return head + names + "".join(",".join(map(str, row)) + "\n" for row in rows)


def keithley_kickstart() -> str:
    return (
        "Instrument,2461\nStart time,2026-03-01 10:11:12\n\n"
        "Reading Number,Smu-1 Voltage (V),Smu-1 Current (A),Smu-1 Time (s)\n"
        + lines(range(1, len(V) + 1), V, MA * 1e-3, np.arange(len(V)) * 0.1)
    )


def keithley_4200() -> str:
    return "AnodeI\tAnodeV\n" + lines(MA * 1e-3, V, by="\t")


def keithley2600_python() -> str:
    return "# sweep_type: iv\n# date: 2026-03-01\n# Voltage [V]\tCurrent [A]\n" + lines(V, MA * 1e-3, by="\t")


def pymeasure() -> str:
    return (
        "#Procedure: <__main__.IVProcedure>\n#Parameters:\n#\tMaximum Current: 0.01 A\n#\tDelay: 20 ms\n#Data:\n"
        "Voltage (V),Current (A),Resistance (Ohm)\n" + lines(V, MA * 1e-3, V / (MA * 1e-3 + 1e-12))
    )


def easy_expert() -> str:
    """Keysight B1500A."""
    return (
        "SetupTitle, I/V Sweep\nTestParameter, Channel.VName, V1, V2\n"
        "TestParameter, Measurement.Primary.Start, 0\nAnalysisSetup, Analysis.Setup.Vector.List.Datum.Unit, V, A\n"
        "Dimension1, 26, 26\nDimension2, 1, 1\nMetaData, TestRecord.RecordTime, 12/31/2025 23:59:58\n"
        "DataName, V1, I1\n" + lines(["DataValue"] * len(V), V, MA * 1e-3, by=", ")
    )


def agilent_4155() -> str:
    return '"tunnel diode"\n"VD=",0,"to",0.5,"in",0.02,"step"\n"NO.","VD","ID"\n"","V","A"\n' + lines(
        range(1, len(V) + 1), V, MA * 1e-3
    )


def units_in_the_cells() -> str:
    return "V;I\n" + lines([f"{v * 1e3} mV" for v in V], [f"{i * 1e3} uA" for i in MA], by=";")


def blanks() -> str:
    return "  Voltage (V)   Current (mA)\n" + "".join(f"  {v:12.6f}   {i:14.9f}\n" for v, i in zip(V, MA, strict=True))


def falling() -> str:
    return "V / V,I / uA\n" + lines(V[::-1], MA[::-1] * 1e3)


def keithley_4200_runs() -> str:
    """Two runs of one device, side by side: their mean is what was measured."""
    return "AnodeI(1)\tAnodeV(1)\tAnodeI(2)\tAnodeV(2)\n" + lines(MA * 0.9e-3, V, MA * 1.1e-3, V, by="\t")


def labview() -> str:
    head = "LabVIEW Measurement\t\nSeparator\tTab\n***End_of_Header***\t\n\t\nChannels\t2\t\t\nSamples\t26\t26\t\n"
    names = "Date\t2026/01/01\t2026/01/01\nX_Value\tVoltage\tCurrent\tComment\n"
    return head + names + lines(np.arange(len(V)) * 1e-3, V, MA * 1e-3, by="\t")


def units_below_the_header() -> str:
    return "sep=;\nU;I\n[mV];[uA]\n" + lines(commas(V * 1e3), commas(MA * 1e3), by=";")


def quoted() -> str:
    quotes = [[f'"{text}"' for text in commas(column)] for column in (V, MA)]
    return '"U (V)","I (mA)"\n' + lines(*quotes)


FILES: dict[str, tuple[Callable[[], str], float | None]] = {
    "a spreadsheet in mV and mA": (spreadsheet, 1e-3),
    "semicolons and decimal commas": (german, 1e-6),
    "tabs without a header": (tabs_without_a_header, None),
    "Keithley 2450": (keithley_2450, 1.0),
    "Keithley KickStart": (keithley_kickstart, 1.0),
    "Keithley 4200A": (keithley_4200, None),
    "keithley2600 in Python": (keithley2600_python, 1.0),
    "PyMeasure": (pymeasure, 1.0),
    "Keysight EasyEXPERT": (easy_expert, 1.0),
    "Agilent 4155": (agilent_4155, 1.0),
    "units in the cells": (units_in_the_cells, 1e-6),
    "blanks": (blanks, 1e-3),
    "falling voltages": (falling, 1e-6),
    "Keithley 4200A, two runs": (keithley_4200_runs, None),
    "LabVIEW": (labview, None),
    "units below the header": (units_below_the_header, 1e-6),
    "quoted decimal commas": (quoted, 1e-3),
}


def read(folder: Path, text: str, choice: ColumnChoice | None = None, encoding: str = "utf-8", **options) -> IVReading:
    (folder / "iv.csv").write_bytes(text.encode(encoding))
    return read_iv(folder / "iv.csv", choice, **options)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_read_in_its_units(name: str, tmp_path: Path) -> None:
    text, unit_a = FILES[name]
    found = read(tmp_path, text())
    np.testing.assert_allclose(found.v, V, atol=1e-12)
    np.testing.assert_allclose(found.i * (found.current_unit.si if found.current_unit else 1.0), MA * 1e-3, rtol=1e-7)
    assert (found.current_unit.si if found.current_unit else None) == unit_a
    assert len(found.devices) == (2 if "runs" in name else 1)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_every_encoding_of_windows_is_read(encoding: str, tmp_path: Path) -> None:
    found = read(tmp_path, german(), encoding=encoding)
    assert found.current_unit is not None
    assert (found.current_unit.text, found.current_unit.si) == ("uA", 1e-6)


def test_columns_are_taken_by_name_or_number(tmp_path: Path) -> None:
    text = "Vg (V),Vd (V),Id (mA),Ig (nA)\n" + lines(V * 0 + 2, V, MA, MA * 0)
    with pytest.raises(InputError, match=r"(?s)which column holds the voltage is not plain.*1 \(Vg\), 2 \(Vd\)"):
        read(tmp_path, text)
    for voltage, current in (("Vd", "Id"), ("2", "3"), ("vd (v)", "ID")):
        found = read(tmp_path, text, ColumnChoice(voltage, current))
        np.testing.assert_allclose(found.i, MA)
        assert "not read: Vg, Ig" in found.notes
    with pytest.raises(InputError, match=r"(?s)--voltage-column: there is no such column.*found: +Vx"):
        read(tmp_path, text, ColumnChoice("Vx", "Id"))


def test_units_that_are_asked_for_win(tmp_path: Path) -> None:
    found = read(tmp_path, lines(V * 1e3, MA), ColumnChoice(voltage_unit="mV", current_unit="mA"))
    np.testing.assert_allclose(found.v, V)
    assert found.current_unit == unit_of("mA")
    with pytest.raises(InputError, match=r"(?s)--current-unit: this is no unit of current.*found: +mV"):
        read(tmp_path, lines(V, MA), ColumnChoice(current_unit="mV"))


def test_a_density_needs_the_area_of_the_device(tmp_path: Path) -> None:
    text = "Voltage (V),J (A/cm2)\n" + lines(V, MA * 1e3)
    with pytest.raises(InputError, match=r"(?s)column 2 'J' is a current density, in A/cm2.*--area-cm2"):
        read(tmp_path, text)
    found = read(tmp_path, text, ColumnChoice(area_cm2=1e-6))
    assert found.current_unit is not None
    np.testing.assert_allclose(found.i * found.current_unit.si, MA * 1e-3)
    with pytest.raises(InputError, match="current density"):
        read(tmp_path, text.replace("cm2", "m2"), ColumnChoice(area_cm2=1e-6))


@pytest.mark.parametrize("area", [0.0, -1e-8, float("nan"), float("inf")])
def test_an_area_is_above_zero(area: float) -> None:
    with pytest.raises(InputError, match=r"(?s)--area-cm2: this is no area.*expected: +a number above 0"):
        ColumnChoice(area_cm2=area)


def test_an_area_that_would_not_be_used_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"(?s)--area-cm2: column 2 'I' is no current density.*found: +mA"):
        read(tmp_path, "V (V),I (mA)\n" + lines(V, MA), ColumnChoice(area_cm2=1e-8))
    with pytest.raises(InputError, match=r"(?s)--area-cm2: .*A/cm2.*do not go together"):
        read(tmp_path, "V (V),J (A/cm2)\n" + lines(V, MA), ColumnChoice(area_cm2=1e-8, current_unit="mA"))


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (ColumnChoice("I", "V"), r"--voltage-column: column 1 'I' is no voltage: its unit is mA"),
        (ColumnChoice(voltage="1"), r"--voltage-column: column 1 'I' is no voltage: its unit is mA"),
        (ColumnChoice(current="V"), r"--current-column: column 2 'V' is no current: its unit is V"),
        (ColumnChoice("3", "T"), r"column 3 'T' is asked for as the voltage and as the current"),
    ],
)
def test_columns_that_are_asked_for_are_never_swapped(choice: ColumnChoice, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, "I (mA),V (V),T\n" + lines(MA, V, V), choice)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("V (MV),I (mA)", r"(?s)column 1 'V \(MV\)': what its header says is not known as a unit.*--voltage-unit mV"),
        ("V (V),I (MA)", r"(?s)not known as a unit.*found: +MA.*--current-unit mA"),
        ("V (V),I (uAmp)", r"(?s)not known as a unit.*found: +uAmp"),
        ("V (V),I (x1e-6 A)", "column 2 .* seems to hold a factor"),
        ("V (V),I (1e-6 A)", "column 2 .* seems to hold a factor"),
        ("V (V),I (10^-6 A)", "column 2 .* seems to hold a factor"),
        ("V (V),I*1e6 (A)", "column 2 .* seems to hold a factor"),
        ("V/V,I/10nA", "column 2 .* seems to hold a factor"),
        ("V (V),log10 I (A)", "column 2 .* seems to hold a logarithm"),
        ("V (V),abs(I) (A)", "column 2 .* seems to hold absolute values"),
        ("V (V),|I| (A)", "column 2 .* seems to hold absolute values"),
        ("V (V),I (A) x 1000", "column 2 .* seems to hold a factor"),
        ("V (V),R*I (A)", "column 2 .* seems to hold a factor"),
        ("V (V),-I (A)", "column 2 .* seems to hold a factor"),
        ("V (V),dI/dV (A)", "column 2 .* seems to hold a derivative"),
        ("V_MV,I_mA", r"(?s)not known as a unit.*found: +MV"),
        ("V / mV,I / uAmp", r"(?s)not known as a unit.*found: +uAmp"),
        ("V in mV,I in MA", r"(?s)not known as a unit.*found: +MA"),
        ("V (V),I (A) rms", r"(?s)not known as a unit.*found: +A"),
        ("V (V),Current density (A)", r"(?s)seems to be a current density.*--area-cm2"),
        ("V (V),I per cm2", r"(?s)seems to be a current density.*--area-cm2"),
        ("V (V),log10(I)", "column 2 .* seems to hold a logarithm"),
        ("V (V),J", r"(?s)column 2 'J' seems to be a current density.*--area-cm2"),
        ("Voltage,Current density", r"(?s)seems to be a current density.*--area-cm2"),
    ],
)
def test_units_that_are_not_understood_are_refused(header: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, header + "\n" + lines(V, MA))


def test_a_unit_that_is_asked_for_stands_for_one_that_is_not_understood(tmp_path: Path) -> None:
    for header in ("V (V),I (1e-6 A)", "V (V),I (uAmp)", "V (V),Current density"):
        assert read(tmp_path, header + "\n" + lines(V, MA), ColumnChoice(current_unit="uA")).current_unit is not None
    with pytest.raises(InputError, match="a logarithm"):
        read(tmp_path, "V (V),log10 I (A)\n" + lines(V, MA), ColumnChoice(current_unit="uA"))


@pytest.mark.parametrize(
    "header",
    ["V(out),I(D1)", "V,I (1)", "Smu-1 Voltage (V),Analog I (mA)", "V,I at 2V (mA)", "Voltage (SMU1),Current (CH 2)"],
)
def test_names_with_brackets_and_numbers_are_no_units(header: str, tmp_path: Path) -> None:
    np.testing.assert_allclose(read(tmp_path, header + "\n" + lines(V, MA)).i, MA)


@pytest.mark.parametrize("names", ["anode cathode", "fwd rev", "up down", "_D _G", "A B"])
def test_currents_without_numbers_are_not_several_devices(names: str, tmp_path: Path) -> None:
    first, second = names.split()
    with pytest.raises(InputError, match=r"(?s)which column holds the current is not plain.*--current-column 2"):
        read(tmp_path, f"V (V),I {first} (mA),I {second} (mA)\n" + lines(V, MA, -MA))


@pytest.mark.parametrize("names", ["I1 I2", "I(1) I(2)", "I_dut1 I_dut2", "I I.1"])
def test_numbered_currents_are_several_devices(names: str, tmp_path: Path) -> None:
    first, second = names.split()
    found = read(tmp_path, f"V (V),{first},{second}\n" + lines(V, MA, 1.2 * MA))
    assert len(found.devices) == 2
    np.testing.assert_allclose(found.i, 1.1 * MA, atol=1e-12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('V (mV),I (uA)\n0,"0"\n"500","100"\n"1,000","1,200"\n"1,500","2,500"\n', r"(?s)line 4: .*found: +1,000"),
        ("V (mV);I (uA)\n0;0\n500;100\n1,000;1,200\n1,500;2,500\n", r"line 4: a number with thousands or"),
        ("V (mV);I (uA)\n0;0\n500;100\n1.000;1.200\n1.500;2.500\n", r"line 4: a number with thousands or"),
        ("V (mV)\tI (uA)\n0\t0\n500\t100\n1,000\t1,200\n", r"line 4: a number with thousands or"),
        ("V (mV);I (uA)\n0;0\n500;100\n600;200\n1'000;1'200\n", r"(?s)line 5: no number as .*found: +1'000"),
        ("V (mV);I (uA)\n0;0\n500;100\n600;200\n1 000;1 200\n", r"(?s)line 5: no number as .*found: +1 000"),
        ("V (mV);I (uA)\n0,0;0,0\n1,5;2,5\n2,5;3,5\n1.005,0;2.050,0\n", r"line \d: n"),
        ("V,I\n0,0\n1,1\n2,4\n# note\n3,9\n4,16\n", r"(?s)line 5 is text between rows of numbers.*found: +note"),
        ("V,I\n0,0\n1,1\n2,4\nnote\n3,9\n4,16\n5,25\n", r"line 5 is text between rows of numbers"),
        ("V (V),I (mA)\n0,0\n1,1\n2,4\n\nV (V),I (uA)\n0,0\n1,9\n2,8\n", r"a second table, from line 7, has other"),
        ("V,I,step\n0,0,1\n1,1,1\n2,4,1\n0,0,2\n1,2,2\n2,8,2\n", r"line 5: another sweep begins, says column 3 'step'"),
        ("step,V,I\n1,0,0\n1,1,1\n1,2,4\n2,0,0\n2,1,2\n2,2,8\n", r"line 5: another sweep begins, says column 1 'step'"),
        ("V,I\n0,0\n1 V,1 uA\n2 V,1 uA\n", r"(?s)line 3, column 2 'I': a number in uA.*no unit"),
        ("V,I\n0 V,0 A\n1 V,1 uA\n2 V,1 V\n", r"(?s)line 4, column 2 'I': a number in V.*one in A"),
    ],
)
def test_numbers_and_tables_that_are_not_plain_are_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, text)


def test_a_typographic_minus_is_a_minus(tmp_path: Path) -> None:
    found = read(tmp_path, "V (V),I (mA)\n" + lines(-V[::-1], -MA[::-1]).replace("-", "\N{MINUS SIGN}"))
    np.testing.assert_allclose(found.v, -V[::-1])
    np.testing.assert_allclose(found.i, -MA[::-1])


@pytest.mark.parametrize("sign", [".", ","])
def test_three_decimals_are_decimals_where_another_number_says_so(sign: str, tmp_path: Path) -> None:
    text = "V;I\n" + "0.500;1.000\n1.000;2.000\n1.500;3.125\n".replace(".", sign)
    np.testing.assert_allclose(read(tmp_path, text).i, [1, 2, 3.125])


def test_a_column_that_changes_at_a_turn_is_no_step(tmp_path: Path) -> None:
    found = read(tmp_path, "V,I,range\n0.1,1,1\n1,2,1\n10,3,2\n")
    np.testing.assert_allclose(found.v, [0.1, 1, 10])
    found = read(tmp_path, "V,I,range\n0,0,1\n1,1,1\n2,4,2\n3,9,2\n2,4,3\n1,1,3\n0,0,3\n")
    np.testing.assert_allclose(found.i, [0, 1, 4, 9])


@pytest.mark.parametrize("mark", ["9.91E37", "+9.9e+37", "nan", "OVLD", "OVERFLOW", "inf", "-OL-", "#N/A", "---"])
def test_marks_of_overflow_are_refused_with_their_place(mark: str, tmp_path: Path) -> None:
    currents = [str(i) for i in MA]
    currents[7] = mark
    with pytest.raises(InputError, match=r"line 9, column 2 'I': the instrument's mark for no reading") as caught:
        read(tmp_path, "V (V),I (mA)\n" + lines(V, currents))
    assert caught.value.found == mark
    assert read(tmp_path, "t (s),V (V),I (mA)\n" + lines(currents, V, MA)).notes[-1] == "not read: t"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no table of numbers"),
        ("V,I\n", "holds no table of numbers"),
        ("1,2,3\n5,2,2\n8,9,1\n9,1,1\n", r"(?s)no column is known to hold a voltage.*--voltage-column 1"),
        ("V (V),R (Ohm)\n0,1\n1,2\n2,3\n", "no column is known to hold a current"),
        ("V,I\n0,1\n1,2,3\n2,3\n3,4\n", r"(?s)line 3 has 3 columns.*expected: 2, as in the line above it"),
        ("V (V),I (nA/um)\n0,1\n1,2\n2,3\n", "a current density, in nA/um"),
        ("V,I\n1,0\n1,1\n1,2\n", r"(?s)the voltage does not change.*at 1 V"),
        ("V,I,comment\n0,1,a\n1,,b\n2,3,c\n3,4,d\n", r"line 3, column 2 'I': an empty cell"),
        ("V,I,T\n0,1,3\n1,x,3\n2,3,3\n3,4,3\n", r"line 3, column 2 'I': no number"),
    ],
)
def test_what_is_not_plain_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, text)


def test_a_spreadsheets_own_format_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "iv.xlsx").write_bytes(b"PK\x03\x04\0\0\0")
    with pytest.raises(InputError, match=r"(?s)is not text.*export the table as CSV"):
        read_iv(tmp_path / "iv.xlsx")


def loop() -> str:
    up, down = MA, MA * 0.9
    return "V (V),I (mA)\n" + lines([*V, *V[-2::-1]], [*up, *down[-2::-1]])


@pytest.mark.parametrize(("branch", "factor"), [("up", 1.0), ("down", 0.9), ("mean", 0.95)])
def test_a_double_sweep_states_its_hysteresis(branch, factor: float, tmp_path: Path) -> None:
    found = read(tmp_path, loop(), branch=branch)
    np.testing.assert_allclose(found.v, V, atol=1e-12)
    np.testing.assert_allclose(found.i[:-1], factor * MA[:-1], rtol=1e-9)
    gap = found.devices[0].sweep.hysteresis
    assert gap is not None
    assert gap.largest == pytest.approx(-0.1 * 1.5, rel=1e-5)
    assert gap.of == MA.max()
    assert gap.at_v == pytest.approx(0.1, abs=1e-9)
    fine = np.linspace(0, 0.5, 1001)
    up, down = np.interp(fine, V, MA), np.interp(fine, V, [*(0.9 * MA[:-1]), MA[-1]])
    assert gap.rms == pytest.approx(np.sqrt(np.mean((up - down) ** 2)), rel=1e-9)
    assert any("hysteresis: the branch down is off" in note for note in found.notes)


def test_a_loop_of_both_signs_keeps_its_rising_halves(tmp_path: Path) -> None:
    v = np.concatenate([np.linspace(0, 1, 11), np.linspace(0.9, -1, 20), np.linspace(-0.9, 0, 10)])
    rising = np.concatenate([np.ones(11), np.zeros(20), np.ones(10)])
    found = read(tmp_path, "V,I\n" + lines(v.round(9), (v + 0.1 * rising).round(9)))
    assert found.devices[0].sweep.turns == 2
    np.testing.assert_allclose(found.v, np.linspace(-1, 1, 21), atol=1e-9)
    np.testing.assert_allclose(found.i[1:-1], np.linspace(-0.8, 1.0, 19), atol=0.051)


def test_noise_of_a_measured_voltage_is_no_turn(tmp_path: Path) -> None:
    v = V + 0.015 * np.random.default_rng(0).uniform(-1, 1, V.size)
    found = read(tmp_path, "V,I\n" + lines(v, MA))
    assert found.devices[0].sweep.turns == 0
    assert (np.diff(found.v) > 0).all()
    assert len(found.v) == len(V)


def factors(devices: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(4)
    return 1 + 0.05 * draw.normal(size=devices), 0.003 * draw.normal(size=devices)


@pytest.mark.parametrize("form", ["columns", "pairs", "long", "tables"])
def test_several_devices_become_a_mean_and_a_spread(form: str, tmp_path: Path) -> None:
    """In whatever way they stand in the file."""
    v = np.linspace(0.0, 0.5, 101).round(6)
    scale, shift = factors(12)
    currents = [s * np.interp(v - d, V, MA, left=0.0) for s, d in zip(scale, shift, strict=True)]
    names = range(1, 13)
    match form:
        case "columns":
            text = "V (V)," + ",".join(f"I{k} (mA)" for k in names) + "\n" + lines(v, *currents)
        case "pairs":
            text = ",".join(f"V{k} (V),I{k} (mA)" for k in names) + "\n"
            text += lines(*(column for current in currents for column in (v, current)))
        case "long":
            rows = [lines([f"D{k}"] * len(v), v, current) for k, current in zip(names, currents, strict=True)]
            text = "Device,V (V),I (mA)\n" + "".join(rows)
        case _:
            text = "\n".join(
                f"run {k}\nV (V),I (mA)\n{lines(v, current)}" for k, current in zip(names, currents, strict=True)
            )
    found = read(tmp_path, text)
    assert found.spread is not None
    assert (found.spread.devices, found.current_unit) == (12, unit_of("mA"))
    np.testing.assert_allclose(found.i, np.mean(currents, axis=0), atol=1e-9)
    assert found.spread.area_sigma == pytest.approx(scale.std(ddof=1), rel=0.1)
    assert found.spread.shift_sigma_v == pytest.approx(shift.std(ddof=1), rel=0.15)
    assert found.spread.residual < 0.02


def test_devices_without_a_common_range_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="share no range of voltages"):
        read(tmp_path, "V1 (V),I1 (A),V2 (V),I2 (A)\n" + lines([0, 1, 2, 3], [0, 1, 2, 3], [4, 5, 6, 7], [0, 1, 2, 3]))


def test_very_many_points_are_averaged_to_as_many_as_a_card_takes(tmp_path: Path) -> None:
    v = np.linspace(0.0, 0.5, 10_001).round(7)
    found = read(tmp_path, "V (V),I (mA)\n" + lines(v, np.interp(v, V, MA)))
    assert len(found.v) == 3334
    assert "10001 points: 3 neighbours each are averaged" in found.notes
    np.testing.assert_allclose(found.i, np.interp(found.v, V, MA), atol=5e-4)


def test_a_held_current_is_said(tmp_path: Path) -> None:
    found = read(tmp_path, "V (V),I (mA)\n" + lines(V, np.minimum(MA, 1.0)))
    assert any("exactly 1, the largest current: the compliance?" in note for note in found.notes)


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("V (mV)", "V", "mV"),
        ("I [µA]", "I", "uA"),
        ("I / nA", "I", "nA"),
        ("Current in mA", "Current", "mA"),
        ("I_uA", "I", "uA"),
        ("I (A/cm²)", "I", "A/cm²"),
        ("Voltage", "Voltage", None),
        ("I", "I", None),
        ("Time (s)", "Time", "s"),
        ("V [mv]", "V", "mV"),
        ("I [ma]", "I", "mA"),
        ("V (v)", "V", "V"),
        ("I/ua", "I", "uA"),
        ("V_a", "V_a", None),
        ("V (MV)", "V (MV)", None),
        ("I (1e-6 A)", "I (1e-6 A)", None),
    ],
)
def test_names_and_units_of_headers(header: str, name: str, unit: str | None) -> None:
    found = name_and_unit(header)
    assert (found[0], found[1].text if found[1] else None) == (name, unit)
