"""Applications behind the gate of the environment: by ASGI and by WSGI. They tell what they see."""

from __future__ import annotations

from edgeauth import Guard
from edgeauth.asgi import EdgeAuthMiddleware as ASGIMiddleware
from edgeauth.wsgi import EdgeAuthMiddleware as WSGIMiddleware
from support.fact_apps import asgi as told_by_asgi
from support.fact_apps import wsgi as told_by_wsgi

guard = Guard.from_settings()

asgi_app = ASGIMiddleware(told_by_asgi, guard)
wsgi_app = WSGIMiddleware(told_by_wsgi, guard)
