"""Any page of blocks as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from kanspice.report.blocks import Block, BoxChain, Detail, Page, Pictures, Table
from kanspice.report.formatting import encodable
from kanspice.report.page_scripts import policy, scripts
from kanspice.report.templates import template

if TYPE_CHECKING:
    from markupsafe import Markup

_NARROW = 8
"""A table with more columns has the page's whole width."""
TEMPLATE, BLOCKS = "page.html.j2", "blocks.html.j2"


def page_html(page: Page) -> str:
    """The page, its pictures inside, and what draws its charts if it has any. Everything else is escaped."""
    from markupsafe import Markup  # noqa: PLC0415 - comes with jinja2

    used = scripts() if any(picture.chart is not None for picture in page.pictures()) else ()
    written = template(TEMPLATE).render(
        title=page.title,
        page=page,
        arranged=_arranged,
        policy=policy(used),
        scripts=list(map(Markup, used)),
    )
    return encodable(written)


def _arranged(blocks: Sequence[Block]) -> Markup:
    """In order; but where there is room, a single picture stands beside all the rest that follows the last chain."""
    from markupsafe import Markup  # noqa: PLC0415 - comes with jinja2

    wide = max((place + 1 for place, block in enumerate(blocks) if isinstance(block, BoxChain)), default=0)
    if wide:
        return Markup("").join([*map(_written, blocks[:wide]), _arranged(blocks[wide:])])
    pictures = [block for block in blocks if isinstance(block, Pictures) and len(block.shown) == 1]
    rest = [block for block in blocks if block not in pictures]
    too_wide = any(isinstance(block, Table) and len(block.header) > _NARROW for block in rest)
    if len(pictures) != 1 or not rest or too_wide:
        return Markup("").join(map(_written, blocks))
    said = Markup("").join(map(_written, rest))
    return Markup(_macro("beside")(said, _written(pictures[0])))  # noqa: S704 - made of escaped parts


def _written(block: Block) -> Markup:
    """By the template's macro of the same name as the block's class; AttributeError for a kind that has none."""
    from markupsafe import Markup  # noqa: PLC0415 - comes with jinja2

    if isinstance(block, Detail):
        return Markup("").join(map(_written, block.blocks))
    return Markup(_macro(type(block).__name__)(block))  # noqa: S704 - what a macro of a template makes is escaped


def _macro(name: str) -> Callable[..., str]:
    """Of the template of blocks."""
    macro: Callable[..., str] = getattr(template(BLOCKS).module, name)
    return macro
