"""Calibrations and identifications of chips that nobody measured: writers do not ask where figures are from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kanspice.experiments.calibrate.result import CalibrationResult, Candidate, ChipGap, TwinFit
from kanspice.experiments.identify.result import (
    UNEXPLAINED,
    DrawnFits,
    FoundKey,
    FoundOutput,
    FoundPart,
    IdentificationResult,
    MeasuredCause,
    Suspect,
    Telling,
)


def candidate(measurements: int, trims: str, left: float, *, simulated: bool, used: bool = True) -> Candidate:
    chip = ChipGap(left * 1.1, 0.97, 200) if simulated else None
    judged = measurements // 5
    lost = 2 if trims == "columns+areas" else 0
    return Candidate(
        measurements,
        trims,
        measurements - judged,
        judged,
        0.6,
        left,
        left * 1.2,
        used and not lost,
        84,
        chip,
        judged_failed=lost,
    )


def calibrated(*, simulated: bool, used: bool = True) -> CalibrationResult:
    candidates = [
        candidate(count, trims, left * (1 + 20 / count), simulated=simulated, used=used and count > 20)
        for count in (20, 50, 200)
        for trims, left in (("outputs", 0.45), ("columns", 0.3), ("columns+areas", 0.25))
    ]
    twins = [TwinFit(count, 5 / count, 0.55, 1.7, 0.03, 4820, 12.5) for count in (20, 50, 200)]
    return CalibrationResult(
        model="model.pt",
        family="kanalogue",
        technology="ideal, devices.area_sigma=0.3",
        chip="simulated by ngspice, seed 7" if simulated else "measured: chip.npy",
        samples=600,
        measured=200,
        bits=8,
        area_fraction=0.05,
        candidates=candidates,
        twins=twins,
        untouched=ChipGap(0.62, 0.87, 200) if simulated else None,
        network_accuracy=0.985 if simulated else None,
        keys=() if simulated else ("tia.gain",),
        left_out=() if simulated else ("l1.crossbar.stuck_open",),
        output=None if simulated else "trims.npz",
        command="kanspice calibrate model.pt --inputs x.npy --chip 7" if simulated else None,
    )


CALIBRATIONS: dict[str, Callable[[], CalibrationResult]] = {
    "simulated": lambda: calibrated(simulated=True),
    "measured": lambda: calibrated(simulated=False),
    "nothing helps": lambda: calibrated(simulated=True, used=False),
}


def identified(*, explained: bool) -> IdentificationResult:
    return IdentificationResult(
        model="model.pt",
        family="kanalogue",
        technology="ideal, devices.area_sigma=0.05",
        source="chip.npy",
        samples=300,
        fitted=160,
        judged=40,
        numbers=1600,
        noise=1e-3,
        unknowns=4821,
        informed=1434.2,
        chi_squared=0.2,
        gap=0.113,
        nominal_error=0.112,
        error=0.0083 if explained else 0.04,
        ratio=1.04 if explained else 22.0,
        effort=0.97 if explained else 31.0,
        chance=0.3 if explained else 0.0,
        covered=0.885 if explained else 0.31,
        keys=[FoundKey("tia.gain", 1000.0, 291.5, 260.0, 326.0)] if explained else [],
        parts=[
            FoundPart("l1.crossbar.area", 4096, 1200, 0.8, 0.6, 0.1),
            FoundPart("l2.crossbar.offset_v", 20, 20, 0.05, 1.1, None),
        ],
        outputs=[FoundOutput(0, 1.1), FoundOutput(1, 0.9 if explained else 22.5)],
        telling=[Telling(231, 24.1), Telling(207, 22.0)] if explained else [],
        suspects=[
            Suspect("wires.row_ohm", 0.0, 14.2, 11.0, 9.1, 1e-6),
            Suspect("tia.offset_v", 0.0, -1e-4, 2e-3, -0.3, 1.0),
        ]
        if not explained
        else [Suspect("l1.crossbar column 5, missing", 0.0, 0.03, 0.09, 1.9, 0.9)],
        causes=[
            MeasuredCause("devices.area_sigma", 0.05, 0.09, 0.7, 0.0),
            MeasuredCause(UNEXPLAINED, None, 0.008 if explained else 0.04, 0.3, 0.0),
            MeasuredCause("no imperfection", None, 0.0, 0.0, 0.0),
        ],
        gap_apart=0.114,
        left_out=() if explained else ("l1.crossbar.stuck_open",),
        specimen="chip.npz" if explained else None,
        command="kanspice identify model.pt --inputs x.npy --measured chip.npy" if explained else None,
    )


IDENTIFICATIONS: dict[str, Callable[[], IdentificationResult]] = {
    "explained": lambda: identified(explained=True),
    "rejected": lambda: identified(explained=False),
    "not known": lambda: replace(identified(explained=False), drawn=DrawnFits(2, 1, 0.02)),
    "not linear": lambda: replace(identified(explained=False), drawn=DrawnFits(1, 0, 0.31)),
}
