"""The page that all example apps show: which edge sent this request, and how long ago."""

from __future__ import annotations

import time
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeauth import EdgeIdentity

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Through the edge: {app}</title>
<style>
  body {{ font: 1.1rem/1.6 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto;
         padding: 0 1rem; color: #1b2430; background: #f7f8fa }}
  h1 {{ font-size: 1.6rem; line-height: 1.2 }}
  dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .4rem 1.5rem;
       padding: 1.2rem 1.5rem; background: #fff; border: 1px solid #dde2e8; border-radius: .5rem }}
  dt {{ color: #5a6675 }}
  dd {{ margin: 0; font-weight: 600 }}
</style>
<h1>This request came through the edge</h1>
<dl>
  <dt>POP</dt><dd>{pop}</dd>
  <dt>Age</dt><dd>{age}</dd>
  <dt>Key</dt><dd>{key}</dd>
  <dt>App</dt><dd>{app}</dd>
</dl>
<p>Without a valid <code>Edge-Auth</code> header you would see <code>Forbidden</code>.</p>
</html>
"""

_UNSIGNED = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Not through the edge: {app}</title>
<h1>This request carried no valid signature</h1>
<p>It was let in by a pass, or because the gate is in report-only mode.</p>
</html>
"""


def page(app: str, identity: EdgeIdentity | None) -> str:
    """HTML that tells POP and age of *identity*; None stands for a request without one."""
    if identity is None:
        return _UNSIGNED.format(app=escape(app))
    age = identity.age(time.time())
    return _PAGE.format(
        app=escape(app),
        pop=escape(identity.pop or "not named"),
        age="unknown" if age is None else f"{age:.1f} s",
        key=escape(identity.key_id),
    )
