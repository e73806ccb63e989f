"""Numbers as engineers read them."""

from __future__ import annotations

import pytest

from kanspice.experiments.facts import EngineRun
from kanspice.report import formatting


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (float("nan"), "-"),
        (float("inf"), "inf"),
        (0.0, "0"),
        (1.2e-7, "1.2e-07"),
        (1.23456e-7, "1.23e-07"),
        (0.00123456, "0.00123"),
        (3.14159, "3.14"),
        (999.4, "999"),
        (999.6, "1000"),
        (-12345.6, "-12346"),
        (1.5e9, "1.5e+09"),
    ],
)
def test_number(value, text):
    assert formatting.number(value) == text


@pytest.mark.parametrize(
    ("fraction", "samples", "text"),
    [
        (1.0, 50, "100 % (50 of 50)"),
        (0.0, 50, "0 % (0 of 50)"),
        (0.98, 50, "98.0 % (49 of 50)"),
        (99999 / 100000, 100000, "99.9 % (99,999 of 100,000)"),
        (1 / 100000, 100000, "0.1 % (1 of 100,000)"),
        (None, 50, "-"),
        (float("nan"), 50, "-"),
    ],
)
def test_share_never_rounds_to_all_or_none(fraction, samples, text):
    assert formatting.share(fraction, samples) == text


def test_devices():
    assert formatting.devices(1234) == "1,234 devices"
    assert formatting.devices({"Z21": 4096, "Z15": 640}) == "4,736 devices (Z21 4,096, Z15 640)"
    assert formatting.devices({}) == "0 devices"
    assert formatting.devices(None) == "- devices"


def test_a_limit_and_a_figure_that_differ_never_read_the_same():
    assert formatting.pair(0.01, 0.05) == ("0.01", "0.05")
    assert formatting.pair(0.0500014, 0.05) == ("0.050001", "0.05")
    assert formatting.pair(0.05, 0.05) == ("0.05", "0.05")


def test_text_from_a_stranger_cannot_move_the_cursor():
    assert formatting.plain("a\x1b[2Jb\n c\u202e\udcff") == "a\\x1b[2Jb c\\u202e\\udcff"
    assert formatting.plain("modèle Ω.pt") == "modèle Ω.pt"


def test_small_words():
    assert formatting.many(1, "sample") == "1 sample"
    assert formatting.many(1200, "sample") == "1,200 samples"
    assert formatting.durations({"load_s": 0.1234, "per_sample_s": 2.0}) == "load 0.123 s, per sample 2 s"
    assert formatting.durations({}) == "-"
    assert (formatting.known(7000), formatting.known(None)) == ("7000", "-")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.04 s"), (59.0, "59 s"), (75.0, "1.2 min"), (3500.0, "58 min"), (35_500.0, "9.9 h"), (4e6, "1111 h")],
)
def test_a_time_to_wait(seconds, text):
    assert formatting.lasting(seconds) == text


def test_memory_is_said_where_it_is_known():
    assert (
        formatting.peaks({"simulator_peak_bytes": 222_400_000, "kanspice_peak_bytes": None}) == "simulator peak 222 MB"
    )
    assert formatting.peaks({}) == formatting.NOTHING


@pytest.mark.parametrize(("name", "said"), [("batched", "batched 1 on torch"), ("ngspice", "ngspice 1")])
def test_ngspice_computes_on_the_central_processor(name, said):
    assert EngineRun(name, "1", {"device": "torch"}).label == said
