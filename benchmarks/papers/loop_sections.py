"""The page's section on trainable connections in closed loop."""

from __future__ import annotations

from benchmarks.papers import loops
from benchmarks.papers.explanations import explained
from benchmarks.papers.markdown import NOTHING, ROWS, command, percent, small, table


def closed_loops(rows: ROWS) -> list[str]:
    """Success of network, ideal circuit and drawn circuits on every plant."""
    lines = [
        "## Trainable connections: closed loops",
        "",
        "The fourth paper's controllers are PhyKANs, whose connections are band-pass filters. Percent of episodes, "
        f"{loops.EPISODES} of every network and circuit, that begin in the same states; what counts as a success is "
        f"[the plant's](control.md#plants). `typical` is {loops.TRIALS} chips; one never fails that succeeds in every "
        "episode, which it can hardly where the network does not. The gap of an action is the first chip's relative "
        "RMSE over its course, which drifts from the network's where actions decide what is seen next.",
        "",
        *command("loops"),
    ]
    header = ["plant", "network", "ideal circuit", "`typical` chips", "chips that never fail", "gap of an action"]
    body = []
    for name in loops.LOOPS:
        ideal, typical = rows.get(f"{name}; ideal"), rows.get(f"{name}; typical")
        cells = [NOTHING if ideal is None else percent(ideal[f"{side}_success"], 0) for side in ("network", "circuit")]
        if typical is None:
            cells += [NOTHING] * 3
        else:
            chips = typical["specimens"]
            cells += [percent(chips["success"], 0), f"{chips['without_failure']} of {chips['count']}"]
            cells.append(small(typical["action_relative_rmse"]))
        body.append([name, *cells])
    return [*lines, *table(header, body), *explained(rows, "observations")]
