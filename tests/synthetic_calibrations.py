"""Calibrations of chips that nobody measured: for writers, which do not ask where figures are from."""

from __future__ import annotations

from collections.abc import Callable

from kanspice.experiments.calibrate.result import CalibrationResult, Candidate, ChipGap, TwinFit


def candidate(measurements: int, trims: str, left: float, *, simulated: bool, used: bool = True) -> Candidate:
    chip = ChipGap(left * 1.1, 0.97, 200) if simulated else None
    judged = measurements // 5
    return Candidate(measurements, trims, measurements - judged, judged, 0.6, left, left * 1.2, used, 84, chip)


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
