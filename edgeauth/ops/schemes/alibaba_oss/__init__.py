"""OSS signatures, as the operator's tools see them.

It may import the proof and the shared files of ``ops``. Only ``ops/schemes`` may import it, by the
name of the kind.
"""

from __future__ import annotations

from edgeauth.ops.schemes.alibaba_oss.attacks import attacks
from edgeauth.ops.schemes.alibaba_oss.explain import explain
from edgeauth.ops.schemes.tools import Tools

TOOLS = Tools(explain=explain, attacks=attacks, names_target=lambda _scheme: True)
