"""The gate around a project's ASGI application.

::

    application = guarded(get_asgi_application())                            # asgi.py

    application = guarded(                                                   # with Channels
        ProtocolTypeRouter({"http": get_asgi_application(), "websocket": URLRouter(...)})
    )

Django reads the whole body of a request, to disk, before its middleware runs. Around the
application the gate refuses a request before its body is read, and WebSockets and static files
that other applications serve are behind it as well. Keep the middleware in MIDDLEWARE: it takes
the verdict from here, gives views ``request.edgeauth``, and guards what is not served this way.
"""

from __future__ import annotations

from django.conf import settings

from edgeauth.asgi import ASGIApp, EdgeAuthMiddleware
from edgeauth.django.conf import project_guard
from edgeauth.django.requests import DjangoSplitRequest


def guarded(app: ASGIApp) -> EdgeAuthMiddleware:
    """*app*, which lets nothing through but requests that come from the edge.

    The guard is the project's own: of the mapping ``settings.EDGEAUTH``, if there is one, and
    the environment, which wins. It is built here, so Django has to be set up, as
    ``get_asgi_application()`` does.

    Raises:
        ConfigurationError: the settings do not make a guard.
    """
    gate = EdgeAuthMiddleware(app, project_guard())
    gate.view = DjangoSplitRequest
    # Then the path of a scope alone does not say what Django routes.
    gate.recalls = not settings.FORCE_SCRIPT_NAME
    return gate
