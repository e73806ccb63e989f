"""Two results side by side, as JSON (`kanspice.comparison/1`)."""

from __future__ import annotations

from kanspice.experiments.compare.comparison import Comparison, Pair
from kanspice.experiments.compare.wording import headline, remarks
from kanspice.report.codec import as_text

SCHEMA = "kanspice.comparison/1"


def comparison_json(found: Comparison) -> str:
    """JSON text, `kanspice.comparison/1`; a figure that does not exist is null."""
    said = headline(found)
    limit = found.limit
    document = {
        "schema": SCHEMA,
        "before": found.before.model.path,
        "after": found.after.model.path,
        "comparable": not found.obstacles,
        "obstacles": found.obstacles,
        "remarks": remarks(found),
        "verdict": said.text,
        "growth": found.growth,
        "limit": None if limit is None else {"metric": limit.metric, "value": limit.value, "max": limit.max},
        "measured": found.measured,
        "passed": found.exit_code == 0,
        "figures": [_pair(pair) for pair in found.pairs],
        "stages": [
            {"name": pair.name, "relative_rmse": _pair(pair.gap), "added_relative_rmse": _pair(pair.added)}
            for pair in found.stages
        ],
        "causes": [_pair(pair) for pair in found.causes],
        "technology": [vars(change) for change in found.technology],
        "facts": [vars(change) for change in found.facts],
    }
    return as_text(document, keep_infinite=True)


def _pair(pair: Pair) -> dict[str, object]:
    return {"name": pair.name, "before": pair.before, "after": pair.after, "growth": pair.growth}
