"""Every document, table and page of every kind of result, from synthetic ones."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from synthetic_amplifiers import AMPLIFIERS
from synthetic_calibrations import CALIBRATIONS, IDENTIFICATIONS
from synthetic_experiments import (
    COMPARISONS,
    HISTORIES,
    LIFETIMES,
    LOOPS,
    PROJECTIONS,
    SENSITIVITIES,
    SETTLING_STUDIES,
    SETTLINGS,
    STUDIES,
    TUNINGS,
)
from synthetic_results import GAPS
from synthetic_trials import TRIALS

from kanspice.experiments.calibrate.document import calibration_json
from kanspice.experiments.calibrate.page import calibration_page
from kanspice.experiments.characterise.document import amplifier_json
from kanspice.experiments.characterise.page import amplifier_page
from kanspice.experiments.compare import comparison_json, comparison_page
from kanspice.experiments.control.document import control_json
from kanspice.experiments.control.page import control_page
from kanspice.experiments.history import history_json, history_page
from kanspice.experiments.identify.document import identification_json
from kanspice.experiments.identify.page import identification_page
from kanspice.experiments.lifetime.document import lifetime_json
from kanspice.experiments.lifetime.page import lifetime_page
from kanspice.experiments.project.document import projection_json
from kanspice.experiments.project.page import projection_page
from kanspice.experiments.sensitivity.document import sensitivity_json
from kanspice.experiments.sensitivity.page import sensitivity_page
from kanspice.experiments.settle.document import settling_json
from kanspice.experiments.settle.page import settling_page
from kanspice.experiments.settle.study_document import settling_study_json
from kanspice.experiments.settle.study_page import settling_study_page
from kanspice.experiments.study import document
from kanspice.experiments.study.page import study_page
from kanspice.experiments.trial.document import trial_json
from kanspice.experiments.trial.page import trial_page
from kanspice.experiments.tune.document import tuning_json
from kanspice.experiments.tune.page import tuning_page
from kanspice.experiments.verify.document import to_json
from kanspice.experiments.verify.page import gap_page
from kanspice.report.formats import FORMATS
from kanspice.report.terminal import print_page


def printed(show, **options):
    """What a function prints on a terminal."""

    def text(result):
        file = io.StringIO()
        show(result, Console(file=file, width=80, **options))
        return file.getvalue()

    return text


def of_page(page):
    """Every writer of any page."""
    documents = {each.suffix: lambda result, write=each.write: write(page(result)) for each in FORMATS}
    return {"txt": printed(shown(page)), **documents}


def shown(page):
    """The page on a console."""
    return lambda result, console: print_page(page(result), console)


KINDS = {
    "gap": (GAPS, {"json": to_json, **of_page(gap_page)}),
    "comparison": (
        COMPARISONS,
        {
            "json": comparison_json,
            **of_page(comparison_page),
        },
    ),
    "history": (
        HISTORIES,
        {"json": history_json, **of_page(history_page)},
    ),
    "settling": (
        SETTLINGS,
        {"json": settling_json, **of_page(settling_page)},
    ),
    "settling-study": (
        SETTLING_STUDIES,
        {"json": settling_study_json, **of_page(settling_study_page)},
    ),
    "study": (
        STUDIES,
        {"json": document.to_json, **of_page(study_page)},
    ),
    "lifetime": (
        LIFETIMES,
        {"json": lifetime_json, **of_page(lifetime_page)},
    ),
    "calibration": (
        CALIBRATIONS,
        {"json": calibration_json, **of_page(calibration_page)},
    ),
    "identification": (
        IDENTIFICATIONS,
        {"json": identification_json, **of_page(identification_page)},
    ),
    "control": (
        LOOPS,
        {"json": control_json, **of_page(control_page)},
    ),
    "projection": (
        PROJECTIONS,
        {"json": projection_json, **of_page(projection_page)},
    ),
    "tuning": (
        TUNINGS,
        {"json": tuning_json, **of_page(tuning_page)},
    ),
    "trial": (
        TRIALS,
        {"json": trial_json, **of_page(trial_page)},
    ),
    "sensitivity": (
        SENSITIVITIES,
        {"json": sensitivity_json, **of_page(sensitivity_page)},
    ),
    "amplifier": (
        AMPLIFIERS,
        {"json": amplifier_json, **of_page(amplifier_page)},
    ),
}
CASES = [
    pytest.param(make, write, form, id=f"{kind}-{name}-{form}")
    for kind, (results, writers) in KINDS.items()
    for name, make in results.items()
    for form, write in writers.items()
]
SHOWN = {
    "gap": (shown(gap_page), GAPS["some failed"]),
    "comparison": (shown(comparison_page), COMPARISONS["grown"]),
    "settling": (shown(settling_page), SETTLINGS["unsettled"]),
    "study": (shown(study_page), STUDIES["yields"]),
    "control": (shown(control_page), LOOPS["fails"]),
}


@pytest.mark.parametrize(("make", "write", "form"), CASES)
def test_rendering(golden, make, write, form):
    golden(write(make()), form)


@pytest.mark.parametrize("kind", SHOWN)
def test_colours(golden, kind):
    """On a terminal that has them; ␛ stands for the escape character."""
    show, make = SHOWN[kind]
    coloured = printed(show, force_terminal=True, color_system="standard", legacy_windows=False, no_color=False)
    golden(coloured(make()).replace("\x1b", "␛"))
