"""How Sphinx makes the site of these pages: ``make docs``."""

from __future__ import annotations

import sys
from pathlib import Path

import edgeauth

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "edgeauth"
author = "The edgeauth authors"
copyright = author  # noqa: A001 - Sphinx's name
release = version = edgeauth.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
    "docstrings",
    "generated",
    "repository_links",
]
templates_path = ["_templates"]
exclude_patterns = ["_ext"]

# Where links to files lead that are no page of the site.
repository = "https://github.com/edgeauth/edgeauth"

# Headings have the anchors that they have on GitHub; MyST warns of a link to an unknown one.
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "fieldlist"]

autodoc_typehints = "description"
autodoc_typehints_description_target = "all"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autoclass_content = "class"
napoleon_google_docstring = True
napoleon_numpy_docstring = False

# Of a session in a shell, what was typed.
copybutton_prompt_text = "$ "

html_theme = "furo"
html_title = f"edgeauth {release}"
html_static_path = ["_static"]
html_favicon = "_static/icon.svg"
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False

autodoc_default_options = {"members": True}
