"""Azure's Shared Key, as the operator's tools see it.

It may import the proof and the shared files of ``ops``. Only ``ops/schemes`` may import it, by the
name of the kind.
"""

from __future__ import annotations

from edgeauth.ops.schemes.azure_shared_key.attacks import attacks
from edgeauth.ops.schemes.azure_shared_key.explain import explain
from edgeauth.ops.schemes.tools import Tools

TOOLS = Tools(explain=explain, attacks=attacks, names_target=lambda _scheme: True)
