"""A project's asgi.py and wsgi.py with a gate, as the checks read it."""

from __future__ import annotations

from django.core.asgi import get_asgi_application

from edgeauth.django.asgi import guarded

application = guarded(get_asgi_application())
