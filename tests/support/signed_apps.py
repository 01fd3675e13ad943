"""Applications behind a gate that asks for a signature over the request; by ASGI and by WSGI."""

from __future__ import annotations

from edgeauth import Guard
from edgeauth.asgi import EdgeAuthMiddleware as ASGIMiddleware
from edgeauth.public_keys import PublicKey
from edgeauth.schemes.message_signatures import MessageSignatureScheme
from edgeauth.wsgi import EdgeAuthMiddleware as WSGIMiddleware
from support.fact_apps import asgi as told_by_asgi
from support.fact_apps import wsgi as told_by_wsgi
from support.rfc9421 import published_key
from support.signed_requests import KEY

guard = Guard(
    MessageSignatureScheme(
        [KEY, PublicKey("edge-2", published_key("ed25519", "pem"), "ed25519")], tag="edge"
    )
)

asgi = ASGIMiddleware(told_by_asgi, guard)
wsgi = WSGIMiddleware(told_by_wsgi, guard)
