"""The application that tells all, behind a gate of the environment's settings."""

from __future__ import annotations

from edgeauth.asgi import EdgeAuthMiddleware as ASGIMiddleware
from edgeauth.wsgi import EdgeAuthMiddleware as WSGIMiddleware
from support.fact_apps import asgi as told_by_asgi
from support.fact_apps import wsgi as told_by_wsgi

asgi = ASGIMiddleware(told_by_asgi)
wsgi = WSGIMiddleware(told_by_wsgi)
