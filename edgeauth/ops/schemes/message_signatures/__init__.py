"""A signature over the request, as the operator's tools see it.

It may import the proof and the shared files of ``ops``. Only ``ops/schemes`` may import it, by the
name of the kind.
"""

from __future__ import annotations

from edgeauth.ops.schemes.tools import Tools

TOOLS = Tools(wishes=frozenset({"key"}))
