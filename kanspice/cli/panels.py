"""In which box of a command's help an option stands: one table for all commands."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperOption

_MANY = 12
"""Options, from which on a command's help has boxes."""
_PANELS = {
    "Network and samples": (
        *("--config", "--curves", "--inputs", "--labels", "--targets", "--reference", "--measured", "--limit"),
        *("--test-inputs", "--test-labels", "--test-targets", "--plant", "--plant-curves", "--episodes", "--steps"),
    ),
    "Circuit": (
        *("--tech", "--set", "--realisation", "--sized-for", "--seed", "--specimen", "--sweep", "--corner"),
        *("--trials", "--draws", "--latency"),
    ),
    "Simulation": (
        *("--engine", "--device", "--fidelity", "--cross-check", "--spot-check", "--jobs", "--timeout", "--waveforms"),
        *("--scheduler", "--resume"),
    ),
    "Limits": ("--max", "--min", "--limits", "--baseline", "--max-growth", "--yield-min"),
    "Reports": (
        *(
            "--metric",
            "--history",
            "--output",
            "--out",
            "--json",
            "--markdown",
            "--html",
            "--junit",
            "--annotations",
            "--plot",
        ),
        *("--specimen-out", "--verbose", "--quiet"),
    ),
}
_PANEL_OF = {option: panel for panel, options in _PANELS.items() for option in options}


class GroupedCommand(TyperCommand):
    """A command whose help has its options in boxes, if there are many; what only it has comes first."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        options = [each for each in self.params if isinstance(each, TyperOption)]
        if len(options) >= _MANY:
            for option in options:
                option.rich_help_panel = _PANEL_OF.get(option.opts[-1])
