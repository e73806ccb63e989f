"""Every document that scripts read has a schema: made of its one definition, and kept by every kind of result."""

from __future__ import annotations

import pytest
from json_schemas import file_of, hold, shipped
from synthetic_amplifiers import AMPLIFIERS
from synthetic_calibrations import CALIBRATIONS, IDENTIFICATIONS
from synthetic_experiments import (
    COMPARISONS,
    HISTORIES,
    LIFETIMES,
    LOOPS,
    PROJECTIONS,
    RECEIPTS,
    SENSITIVITIES,
    SETTLING_STUDIES,
    SETTLINGS,
    STUDIES,
    TUNINGS,
)
from synthetic_results import GAPS
from synthetic_trials import TRIALS

from kanspice.base.resources import SCHEMAS
from kanspice.cli.doctor import as_json
from kanspice.cli.doctor_document import DoctorDocument
from kanspice.cli.installed import Finding
from kanspice.experiments.calibrate.document import CalibrationDocument, calibration_json
from kanspice.experiments.characterise.document import AmplifierDocument, amplifier_json
from kanspice.experiments.compare.document import ComparisonDocument, comparison_json
from kanspice.experiments.control.document import ControlDocument, control_json
from kanspice.experiments.export.receipt import ReceiptDocument, receipt_json
from kanspice.experiments.history.document import HistoryDocument, history_json
from kanspice.experiments.identify.document import IdentificationDocument, identification_json
from kanspice.experiments.lifetime.document import LifetimeDocument, lifetime_json
from kanspice.experiments.project.document import ProjectionDocument, projection_json
from kanspice.experiments.sensitivity.document import SensitivityDocument, sensitivity_json
from kanspice.experiments.settle.document import SettlingDocument, settling_json
from kanspice.experiments.settle.study_document import SettlingStudyDocument, settling_study_json
from kanspice.experiments.study import document as studies
from kanspice.experiments.trial.document import DeviceTrialDocument, trial_json
from kanspice.experiments.tune.document import TuningDocument, tuning_json
from kanspice.experiments.verify import document as gaps

FINDINGS = [
    Finding("python", "3.12.1"),
    Finding("ngspice", "not found", ok=False, advice="apt install ngspice"),
    Finding("vacask", "not found", ok=False, essential=False),
]
WRITTEN = {
    gaps.Document: (gaps.to_json, GAPS),
    ComparisonDocument: (comparison_json, COMPARISONS),
    HistoryDocument: (history_json, HISTORIES),
    ControlDocument: (control_json, LOOPS),
    ProjectionDocument: (projection_json, PROJECTIONS),
    SettlingDocument: (settling_json, SETTLINGS),
    SettlingStudyDocument: (settling_study_json, SETTLING_STUDIES),
    studies.StudyDocument: (studies.to_json, STUDIES),
    LifetimeDocument: (lifetime_json, LIFETIMES),
    TuningDocument: (tuning_json, TUNINGS),
    IdentificationDocument: (identification_json, IDENTIFICATIONS),
    CalibrationDocument: (calibration_json, CALIBRATIONS),
    ReceiptDocument: (receipt_json, RECEIPTS),
    SensitivityDocument: (sensitivity_json, SENSITIVITIES),
    DeviceTrialDocument: (trial_json, TRIALS),
    AmplifierDocument: (amplifier_json, AMPLIFIERS),
    DoctorDocument: (as_json, {"nothing missing": lambda: [], "something missing": lambda: FINDINGS}),
}
DOCUMENTS = pytest.mark.parametrize("document", WRITTEN, ids=lambda document: document.contract())
CASES = [
    pytest.param(document, name, id=f"{document.contract()} {name}")
    for document, (_, results) in WRITTEN.items()
    for name in results
]


def test_these_are_all():
    assert {path.name for path in SCHEMAS.glob("*.json")} == {file_of(each.contract()).name for each in WRITTEN}


@DOCUMENTS
def test_the_shipped_schema_is_made_of_the_definition(document):
    file = file_of(document.contract())
    assert shipped(document.contract()) == document.json_schema(), f"write json.dumps(..., indent=2) of it to {file}"


@DOCUMENTS
def test_every_key_says_what_it_means(document):
    schema = shipped(document.contract())
    parts = [schema, *(part for part in schema.get("$defs", {}).values() if "properties" in part)]
    assert all(part.get("description") for part in (schema, *schema.get("$defs", {}).values()))
    silent = [
        (part["title"], key)
        for part in parts
        for key, about in part["properties"].items()
        if not about.get("description") and "$ref" not in about
    ]
    assert silent == []


@pytest.mark.parametrize(("document", "name"), CASES)
def test_what_is_written_is_valid_and_every_key_documented(document, name):
    write, results = WRITTEN[document]
    hold(write(results[name]()), document.contract())
