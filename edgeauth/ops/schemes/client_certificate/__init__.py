"""What a proxy says of a client's certificate, as the operator's tools see it.

It may import the proof and the shared files of ``ops``. Only ``ops/schemes`` may import it, by the
name of the kind.
"""

from __future__ import annotations

from edgeauth.ops.schemes.client_certificate.attacks import attacks, genuine
from edgeauth.ops.schemes.client_certificate.explain import explain
from edgeauth.ops.schemes.tools import Tools

TOOLS = Tools(
    explain=explain,
    attacks=attacks,
    genuine=genuine,
    snippets={"nginx-client-certificate": "nginx/client-certificate.conf"},
)
