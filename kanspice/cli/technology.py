"""`kanspice technology`: what a technology says, key by key."""

from __future__ import annotations

from kanspice.cli.options import Set, Tech


def technology(tech: Tech = None, set_: Set = None) -> None:
    """Print every key of a technology with its value and what it means.

    A * marks an imperfection that is not at its ideal.

    Examples: `kanspice technology`, `kanspice technology --tech board.toml --set tia.gain=1000`
    """
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from kanspice.cli.terminal import Terminal  # noqa: PLC0415 - --help stays fast
    from kanspice.technology import entries, load_technology  # noqa: PLC0415

    loaded = load_technology(tech, set_ or ())
    console = Terminal()
    console.print(Text(f"technology {loaded.name}", style="bold"))
    for section, about, keys in entries(loaded):
        table = Table(title=Text(f"[{section}] {about}"), title_justify="left", box=None, pad_edge=False, expand=True)
        table.add_column("key", no_wrap=True, min_width=28)
        table.add_column("value", justify="right", no_wrap=True, min_width=11)
        table.add_column("meaning", ratio=1)
        for key in keys:
            mark = "* " if key.name in loaded.causes else ""
            table.add_row(Text(key.name), Text(f"{mark}{_shown(key.value)}"), Text(key.meaning))
        console.print()
        console.print(table)


def _shown(value: float | str) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
