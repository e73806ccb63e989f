"""Benches for our circuits of GF180 transistors: a deck around some of `netlists/gf180/`, run in ngspice."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from kanspice.engine.ngspice.program import find_ngspice, run_quietly
from kanspice.subcircuits.amplifier import own_netlist
from kanspice.subcircuits.process import Corner, Models

_SUPPLIES = "vdd vdd 0 {rail}\nvss vss 0 -{rail}\n"
_RESULT = re.compile(r"^\s*(?:Total )?([a-z]\w*)\s*=\s*([-+.\de]+)", re.MULTILINE)


def measured(
    circuits: str,
    bench: str,
    commands: str,
    *,
    corner: Corner = "tt",
    temperature_c: float = 27.0,
    seed: int | None = None,
    rail_v: float = 1.65,
    definitions: str | None = None,
) -> dict[str, float]:
    """What a bench prints as `name = value`, by `meas` or `print`.

    circuits: words, the files that the bench needs. seed: transistors differ, as drawn from it; None: they are alike.
    definitions: instead of what the files say.
    """
    models = Models("gf180", corner, mismatch=seed is not None).lines()
    defined = definitions or "".join(own_netlist("gf180", name).read_text() for name in circuits.split())
    drawn = "" if seed is None else f".option seed={seed}\n"
    supplies = _SUPPLIES.format(rail=rail_v)
    head = f"* bench\n{drawn}" + "\n".join(models) + f"\n{defined}{supplies}.options temp={temperature_c} reltol=1e-5\n"
    deck = f"{head}{bench}\n.control\nset num_threads=1\n{commands}\nquit 0\n.endc\n.end\n"
    with TemporaryDirectory() as folder:
        Path(folder, "bench.cir").write_text(deck)
        done = run_quietly([str(find_ngspice().path), "-n", "-b", "bench.cir"], 60.0, Path(folder))
    found = {name.lower(): float(value) for name, value in _RESULT.findall(done.stdout)}
    assert found, done.stdout + done.stderr
    return found
