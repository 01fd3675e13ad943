"""The example origin behind a gate that takes a message signature, each of them once."""

from __future__ import annotations

import os
from pathlib import Path

from origin import show

from edgeauth import Guard, Key
from edgeauth.asgi import EdgeAuthMiddleware
from edgeauth.public_keys import PublicKey
from edgeauth.replay import open_store
from edgeauth.schemes.message_signatures import MessageSignatureScheme

KEYS = [
    Key("edge-hmac", os.environ["EDGEAUTH_SECRET"]),
    PublicKey("edge-ed25519", Path(os.environ["EDGE_PUBLIC_KEY"]).read_text(), "ed25519"),
]

guard = Guard(
    MessageSignatureScheme(KEYS, tag="edge"),
    replay=open_store("memory"),
    strip_header=False,
    decisions=os.environ["EDGEAUTH_DECISIONS"],
)
app = EdgeAuthMiddleware(show, guard)
