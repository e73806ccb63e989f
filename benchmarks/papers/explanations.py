"""What the page's sections on accuracies and on loops say of circuits that differ from their networks."""

from __future__ import annotations

from benchmarks.papers.markdown import ROWS, many, percent

_MOST_CAUSES = 3


def explained(rows: ROWS, samples: str) -> list[str]:
    """Where circuits in typical parts are more than half a point from their networks. samples: what they are called."""
    lines = []
    for name, row in rows.items():
        if name.endswith("; causes") and "shares" in row:
            shares = [f"{cause} {percent(share, 0)} %" for cause, share in list(row["shares"].items())[:_MOST_CAUSES]]
            lost = 100 * row["lost"]
            whose = "the gap from the KAN that was projected" if "; KAN, " in name else "its gap"
            said = f"{abs(lost):.2f} points {'lost' if lost > 0 else 'gained'}; shares of {whose}"
            shown = f"one chip, {many(row['samples'])} {samples}"
            lines.append(f"- {name.removesuffix('; causes')}: {said} ({shown}): {', '.join(shares)}.")
    if not lines:
        return []
    said = (
        "Where `typical` is more than half a point from the network whose circuit it is, attribution says; shares are "
        "of the mean squared difference of outputs, not of the points:"
    )
    return [said, "", *lines, ""]
