"""The gate around a project's ASGI application.

::

    application = guarded(get_asgi_application())                            # asgi.py

    application = guarded(                                                   # with Channels
        ProtocolTypeRouter({"http": get_asgi_application(), "websocket": URLRouter(...)})
    )

Django reads the whole body of a request, to disk, before its middleware runs. Around the
application the gate refuses a request before its body is read, and WebSockets and static files
that other applications serve are behind it as well. Keep the middleware in MIDDLEWARE: it takes
over the verdict from here, gives views ``request.edgeauth``, and guards requests that are not
served this way.
"""

from __future__ import annotations

from django.conf import settings

from edgeauth.asgi import ASGIApp, EdgeAuthMiddleware
from edgeauth.django.conf import project_guard
from edgeauth.django.requests import DjangoSplitRequest

__all__ = ["guarded"]


def guarded(app: ASGIApp) -> EdgeAuthMiddleware:
    """*app* behind a gate that lets only requests of the edge through.

    The guard is the project's: of the mapping ``settings.EDGEAUTH``, if there is one, and
    the environment, which wins. It is built here, so Django has to be set up, as
    ``get_asgi_application()`` does.

    Raises:
        ConfigurationError: the settings do not make a guard.
    """
    gate = EdgeAuthMiddleware(app, project_guard())
    gate.view = DjangoSplitRequest
    # With FORCE_SCRIPT_NAME the path of a scope is not the path that Django routes.
    gate.recalls = not settings.FORCE_SCRIPT_NAME
    return gate
