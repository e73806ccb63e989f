"""The README as package indexes show it: links to files of the repository, which lead nowhere there, are plain text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK_TO_A_FILE = re.compile(r"\[([^\]]+)\]\((?!https?://)[^)]+\)")


class ReadmeOfThePackage(MetadataHookInterface):
    """Gives the built package its description."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Adds it to what pyproject.toml says."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": _LINK_TO_A_FILE.sub(r"\1", text)}
