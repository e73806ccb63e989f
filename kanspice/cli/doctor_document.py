"""What is in the JSON of `kanspice doctor`: the one definition of `kanspice.doctor/1`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from kanspice.report.codec import Part


class FindingPart(Part):
    """One thing that was looked for."""

    name: str
    """What."""
    found: str
    """What there is, in words."""
    ok: bool
    """Whether that will do."""
    essential: bool
    """Whether kanspice cannot measure without it."""
    advice: str | None
    """What to do about it; null where nothing is to be done."""


class DoctorDocument(Part):
    """What `kanspice doctor` found on a machine."""

    model_config = ConfigDict(title="What is installed, and whether kanspice can measure")

    schema_: Annotated[Literal["kanspice.doctor/1"], Field(alias="schema")]
    """Which contract this is."""
    can_measure: bool
    """Whether everything essential is there: the exit code is 0, else 3."""
    checks: list[FindingPart]
    """In the order of the table."""
