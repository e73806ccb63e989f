"""What pages are written as: to add a format, write its writer and add its line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kanspice.report.blocks import Page
from kanspice.report.junit import page_junit
from kanspice.report.page_html import page_html
from kanspice.report.page_markdown import page_markdown


@dataclass(frozen=True)
class PageFormat:
    """name: of the option that asks for it. suffix: of its files. write: makes text of any page."""

    name: str
    suffix: str
    write: Callable[[Page], str]


FORMATS = (
    PageFormat("markdown", "md", page_markdown),
    PageFormat("html", "html", page_html),
    PageFormat("junit", "xml", page_junit),
)
