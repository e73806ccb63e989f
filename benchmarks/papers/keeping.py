"""Networks that are trained once: a checkpoint, and beside it how it came about."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from benchmarks.papers.classifiers import Trained
from benchmarks.papers.rows import Row
from kanspice.families import save
from kanspice.families.common.network import Network


def kept(path: Path, train: Callable[[], tuple[Network, Row]]) -> Trained:
    """What is in the file, or what training makes now."""
    facts = path.with_suffix(".json")
    if not facts.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        model, found = train()
        save(model.eval(), path)
        facts.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return Trained(path, json.loads(facts.read_text(encoding="utf-8")))
