"""What pages are written as: to add a format, write its writer and add its line. Commands then have its option."""

from __future__ import annotations

from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kanspice.report.blocks import Page


@dataclass(frozen=True)
class PageFormat:
    """A way to write a page down.

    name: of the option that asks for it. suffix: of its files. writer: `module:function`, imported once a page is
    written, so that `--help` is fast. help: of the option. has_pictures: whether pages show them, as those that people
    open do.
    """

    name: str
    suffix: str
    writer: str
    help: str
    has_pictures: bool = False

    def write(self, page: Page) -> str:
        """The page as text."""
        text: str = resolve_name(self.writer)(page)
        return text


FORMATS = (
    PageFormat(
        "markdown",
        "md",
        "kanspice.report.page_markdown:page_markdown",
        "Write a summary for a pull request; - prints it.",
    ),
    PageFormat("html", "html", "kanspice.report.page_html:page_html", "Write a page to read.", has_pictures=True),
    PageFormat("junit", "xml", "kanspice.report.junit:page_junit", "Write JUnit XML for CI."),
    PageFormat(
        "annotations",
        "github",
        "kanspice.report.annotations:page_annotations",
        "Write what does not hold as annotations of a GitHub workflow; - prints them.",
    ),
)
