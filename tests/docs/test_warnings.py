"""What leads nowhere is a warning, and a warning ends ``make docs``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXTENSIONS = Path(__file__).parents[2] / "docs" / "_ext"

CONF = """
import sys
sys.path.insert(0, {extensions!r})
extensions = ["myst_parser", "sphinx.ext.autodoc", "docstrings", "repository_links"]
repository = "https://code.example/edgeauth"
myst_heading_anchors = 4
"""

PAGE = """
# A page

[what holds](../SECURITY.md#what-holds), [the tools](../tools)

```{{eval-rst}}
.. autofunction:: edgeauth.kinds
```

{more}
"""

NOWHERE = {
    "[gone](../GONE.md)": "no such file: ../GONE.md",
    "[outside](../../../etc/passwd)": "no such file: ../../../etc/passwd",
    "[no heading](../SECURITY.md#gone)": "no heading #gone in ../SECURITY.md",
    "[no page](gone.md)": "not found: 'gone.md'",
    "[no anchor](#no-anchor)": "not found: 'no-anchor'",
    "{class}`edgeauth.Gaurd`": "not found: edgeauth.Gaurd",
}


def build(tmp_path, more=""):
    """The page as HTML, and what was said about it."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "SECURITY.md").write_text("# Security\n\n## What holds\n")
    docs, built = tmp_path / "docs", tmp_path / "built"
    docs.mkdir()
    (docs / "conf.py").write_text(CONF.format(extensions=str(EXTENSIONS)))
    (docs / "index.md").write_text(PAGE.format(more=more))
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "sphinx",
            "--quiet",
            "--fail-on-warning",
            "--keep-going",
            "--nitpicky",
            docs,
            built,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is (not done.stderr), done.stderr
    return (built / "index.html").read_text("utf-8"), done.stderr


def test_files_that_are_no_pages_are_in_the_repository(tmp_path):
    page, said = build(tmp_path)
    assert said == ""
    assert 'href="https://code.example/edgeauth/blob/main/SECURITY.md#what-holds"' in page
    assert 'href="https://code.example/edgeauth/tree/main/tools"' in page


def test_what_leads_nowhere_is_said(tmp_path):
    _, said = build(tmp_path, "\n".join(NOWHERE))
    assert [warning for warning in NOWHERE.values() if warning not in said] == []
