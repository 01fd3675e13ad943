"""Links of pages to files of the repository that are no pages lead to the repository.

In a clone, and where the repository is looked at, they are links to files, as everybody writes
them. A file that is not there, or a heading that is not in it, is a warning.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from mdit_py_plugins.anchors import anchors_plugin
from myst_parser.slugs import github_slugify
from sphinx.util import logging

if TYPE_CHECKING:
    from pathlib import Path

    from sphinx.application import Sphinx

# What follows the brackets of a link or an image, if it is a path.
_PATH = re.compile(r"(?<=\]\()(?![a-z]+:|#|/)([^)#\s]+)(#[^)\s]*)?")

logger = logging.getLogger(__name__)


def setup(app: Sphinx) -> dict[str, bool]:
    """Read by Sphinx."""
    app.add_config_value("repository", "", "env", types=str)
    app.connect("source-read", _lead)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _lead(app: Sphinx, docname: str, source: list[str]) -> None:
    folder, root = app.env.doc2path(docname).parent, app.srcdir.parent

    def led(link: re.Match[str]) -> str:
        path, fragment = link[1], link[2] or ""
        found = (folder / path).resolve()
        if found.is_relative_to(app.srcdir):
            return link[0]  # Sphinx and MyST look after their own
        if not found.is_relative_to(root) or not found.exists():
            logger.warning("no such file: %s", path, location=docname)
            return link[0]
        if fragment and fragment[1:] not in _anchors(found):
            logger.warning("no heading %s in %s", fragment, path, location=docname)
        kind = "tree" if found.is_dir() else "blob"
        where = found.relative_to(root).as_posix()
        return f"{app.config.repository}/{kind}/main/{where}{fragment}"

    source[0] = _PATH.sub(led, source[0])


@cache
def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    if page.suffix != ".md":
        return set()
    parser = MarkdownIt().use(anchors_plugin, max_level=6, slug_func=github_slugify)
    tokens = parser.parse(page.read_text("utf-8"))
    return {str(token.attrs["id"]) for token in tokens if "id" in token.attrs}
