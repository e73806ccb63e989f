"""What MkDocs does for the documentation site beside showing the pages of docs/.

It adds pages that the program writes about itself and those of the examples, and sends links that lead out of docs/ to
where the site has what they lead to.
"""

from __future__ import annotations

import base64
import posixpath
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))
import gallery
import links
import reference

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "out" / "gallery"
_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?://|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_PICTURE = re.compile(r'<img src="data:image/png;base64,([^"]+)"[^>]*alt="([^"]*)"')
_HREF = re.compile(r'href="([^":#]+\.(?:md|ipynb))(#[^"]*)?"')
_EMBEDDED = re.compile(r"<!-- page: (\w+) -->")
_TOP = {"README.md": "index.md", "CONTRIBUTING.md": "project/contributing.md", "SECURITY.md": "project/security.md"}
_TOP |= {"CHANGELOG.md": "project/changelog.md"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds what is not in docs/."""
    made: dict[str, str | bytes] = {
        "reference/python.md": reference.python(),
        "reference/command-line.md": reference.command_line(),
        "reference/technology-keys.md": reference.technology(),
        **{f"reference/{name}": text for name, text in reference.schemas().items()},
        **{f"reference/{name}": text for name, text in reference.devices().items()},
        **{there: (ROOT / here).read_text(encoding="utf-8") for here, there in _TOP.items() if here != "README.md"},
        **_gallery(),
    }
    for path, content in made.items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, **_: object) -> str:
    """Sends links to where the site has what they lead to; what it does not have is named without a link.

    `<!-- page: NAME -->` becomes the page of an example.
    """
    markdown = _EMBEDDED.sub(
        r'<iframe class="page" src="gallery/\1/page.html" title="A page of results"></iframe>', markdown
    )
    return _outside_fences(markdown, lambda text: _LINK.sub(lambda link: _sent(link, page.file.src_uri), text))


def on_page_content(html: str, page: Any, files: Files, **_: object) -> str:
    """Sends the links of notebooks, which MkDocs leaves as they are, to pages of the site."""
    if not page.file.src_uri.endswith(".ipynb"):
        return html
    return _HREF.sub(lambda link: _to_page(link, page.file, files), html)


def _to_page(link: re.Match[str], here: File, files: Files) -> str:
    target, anchor = link.groups()
    found = files.get_file_from_path(posixpath.normpath(posixpath.join(posixpath.dirname(here.src_uri), target)))
    return link[0] if found is None else f'href="{found.url_relative_to(here)}{anchor or ""}"'


def on_post_build(config: MkDocsConfig) -> None:
    """Fails where a link of the built site leads nowhere, one in HTML that MkDocs does not look at included."""
    broken = links.broken(Path(config.site_dir))
    if broken:
        raise PluginError("\n".join(["links that lead nowhere:", *broken]))


def _origin(page: str) -> str:
    """Where in the repository a page of the site comes from."""
    if page.startswith("gallery/") and page.count("/") == 2:
        return f"examples/{page.split('/')[1]}/README.md"
    return next((here for here, there in _TOP.items() if there == page and here != "README.md"), f"docs/{page}")


def _sent(link: re.Match[str], here: str) -> str:
    """The link on the page `here` of the site; a picture's link stays."""
    image, text, target, anchor = link.groups()
    path = posixpath.normpath(posixpath.join(posixpath.dirname(_origin(here)), target))
    if path.startswith("docs/"):
        there: str | None = path.removeprefix("docs/")
    elif path in _TOP:
        there = _TOP[path]
    else:
        example = next((each.name for each in gallery.examples() if path.startswith(f"examples/{each.name}")), None)
        there = f"gallery/{example}/index.md" if example else "gallery/index.md" if path == "examples" else None
    if there is None:
        return text
    relative = posixpath.relpath(there, posixpath.dirname(here) or ".")
    return f"{image}[{text}]({relative}{anchor or ''})"


def _outside_fences(markdown: str, change: Any) -> str:
    """The text changed everywhere but in blocks of code."""
    done, last = [], 0
    for fence in _FENCE.finditer(markdown):
        done += [change(markdown[last : fence.start()]), fence[0]]
        last = fence.end()
    return "".join([*done, change(markdown[last:])])


def _gallery() -> dict[str, str | bytes]:
    """What each example's README says, the page that kanspice wrote about it, and a page with all of them."""
    made: dict[str, str | bytes] = {}
    cards = []
    for example in gallery.examples():
        page = PAGES / f"{example.name}.html"
        if not page.exists():
            raise PluginError(f"{page} is missing: `python tools/site/gallery.py out/gallery` writes it")
        html = page.read_text(encoding="utf-8")
        readme = (example / "README.md").read_text(encoding="utf-8")
        title = readme.partition("\n")[0].removeprefix("# ")
        folder = f"gallery/{example.name}"
        made[f"{folder}/page.html"] = html
        found = _PICTURE.search(html)
        if found is None:
            raise PluginError(f"{page} has no picture")
        made[f"{folder}/picture.png"] = base64.b64decode(found[1])
        said = f"```\nkanspice {' '.join(gallery.command(example))} --html page.html\n```\n"
        shown = f'<a class="md-button md-button--primary" href="page.html">The page that kanspice wrote</a>\n\n{said}'
        made[f"{folder}/index.md"] = readme.replace("\n", f"\n\n{shown}\n", 1)
        cards.append(
            f"-   [![{found[2]}]({example.name}/picture.png)]({example.name}/page.html)\n\n"
            f"    **[{title}]({example.name}/page.html)** ([about it]({example.name}/index.md))\n"
        )
    top = (
        "# Gallery\n\nEach picture opens the page that `kanspice verify --html` wrote about a shipped example: in"
        " typical parts,\nby the batched engine, when this site was built.\n\n"
    )
    made["gallery/index.md"] = f'{top}<div class="grid cards" markdown>\n\n' + "\n".join(cards) + "\n</div>\n"
    return made
