"""What the page's sections on accuracies and on loops say of circuits that differ from their networks."""

from __future__ import annotations

from benchmarks.papers.markdown import ROWS, many, percent

_MOST_CAUSES = 3
_PROJECTION = "projection"
"""What attribution calls the difference between a KAN and the devices that it was projected on."""


def explained(rows: ROWS, samples: str) -> list[str]:
    """Where circuits in typical parts are more than half a point from their networks. samples: what they are called."""
    lines = []
    for name, row in rows.items():
        if name.endswith("; causes") and "shares" in row:
            lost, causes = 100 * row["lost"], dict(row["shares"])
            rest = 1 - causes.pop(_PROJECTION, 0.0)
            shares = [f"{cause} {percent(share / rest, 0)} %" for cause, share in list(causes.items())[:_MOST_CAUSES]]
            said = f"{abs(lost):.2f} points {'lost' if lost > 0 else 'gained'}; shares of its gap"
            shown = f"one chip, {many(row['samples'])} {samples}"
            lines.append(f"- {name.removesuffix('; causes')}: {said} ({shown}): {', '.join(shares)}.")
    if not lines:
        return []
    said = (
        "Where `typical` is more than half a point from the network whose circuit it is, attribution says why its "
        "outputs are not the network's; shares are of their mean squared difference, not of the points, and that a "
        "projection differs from its network is left out. One or two chips can gain or lose such a fraction by chance:"
    )
    return [said, "", *lines, ""]
