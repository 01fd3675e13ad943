"""Applications behind a gate that judges each token as its row says; by ASGI and by WSGI."""

from __future__ import annotations

from row_kind.tokens import TokenRowScheme

from edgeauth import Guard
from edgeauth.asgi import EdgeAuthMiddleware as ASGIMiddleware
from edgeauth.wsgi import EdgeAuthMiddleware as WSGIMiddleware
from support.fact_apps import asgi as told_by_asgi
from support.fact_apps import wsgi as told_by_wsgi

guard = Guard(TokenRowScheme(()))

asgi = ASGIMiddleware(told_by_asgi, guard)
wsgi = WSGIMiddleware(told_by_wsgi, guard)
