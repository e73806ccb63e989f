"""Any page of blocks as one self-contained HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kanspice.report.blocks import Block, Detail, Page
from kanspice.report.formatting import encodable
from kanspice.report.templates import template

if TYPE_CHECKING:
    from markupsafe import Markup

TEMPLATE, BLOCKS = "page.html.j2", "blocks.html.j2"


def page_html(page: Page) -> str:
    """The page, its pictures inside. Everything is escaped."""
    return encodable(template(TEMPLATE).render(title=page.title, page=page, written=_written))


def _written(block: Block) -> Markup:
    """By the template's macro of the same name as the block's class; AttributeError for a kind that has none."""
    from markupsafe import Markup  # noqa: PLC0415 - comes with jinja2

    if isinstance(block, Detail):
        return Markup("").join(map(_written, block.blocks))
    macro = getattr(template(BLOCKS).module, type(block).__name__)
    return Markup(macro(block))  # noqa: S704 - what a macro of a template makes is escaped
