"""A secret in a header, as the operator's tools see it. It has no parts to explain.

It may import the proof and the shared files of ``ops``. Only ``ops/schemes`` may import it, by the
name of the kind.
"""

from __future__ import annotations

from edgeauth.ops.schemes.shared_secret.attacks import attacks
from edgeauth.ops.schemes.tools import Tools

TOOLS = Tools(
    attacks=attacks,
    snippets={"vcl": "fastly/vcl/shared_secret.vcl"},
    sends_secret=True,
)
