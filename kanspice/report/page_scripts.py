"""The scripts that a page with charts carries, and the policy by which a browser runs no others and asks no network.

Chart.js and its plug-ins are kept as their authors publish them (`third_party/LICENSES.txt`); `page.js` is ours.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

_THEIRS = ("chart.umd.min.js", "chartjs-chart-matrix.min.js", "chartjs-plugin-zoom.min.js")
_SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*\n?", re.MULTILINE)


@cache
def scripts() -> tuple[str, ...]:
    """Their texts in the order in which a page runs them, without the addresses of files for debugging."""
    folder = files("kanspice.report")
    found = [*(folder / "third_party" / name for name in _THEIRS), folder / "page.js"]
    return tuple(_SOURCE_MAP.sub("", script.read_text(encoding="utf-8")).strip() for script in found)


def policy(allowed: Sequence[str]) -> str:
    """A Content Security Policy: pictures and styles of the page itself, and scripts that are exactly these texts."""
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in allowed]
    rules = [
        "default-src 'none'",
        "img-src data:",
        "style-src 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join([*rules, " ".join(["script-src", *(hashes or ["'none'"])])])
