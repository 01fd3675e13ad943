"""The gate around a project's WSGI application.

::

    application = guarded(get_wsgi_application())                            # wsgi.py

It guards what is served before Django's middleware runs: files of WhiteNoise's WSGI application,
or other applications beside Django's. Keep the middleware in MIDDLEWARE: it takes the verdict from
here, and gives views ``request.edgeauth``.
"""

from __future__ import annotations

from wsgiref.types import WSGIApplication  # noqa: TC003 - so that annotations can be read

from edgeauth.django.conf import project_guard
from edgeauth.django.requests import DjangoEnvironRequest
from edgeauth.wsgi import EdgeAuthMiddleware

__all__ = ["guarded"]


def guarded(app: WSGIApplication) -> EdgeAuthMiddleware:
    """*app* behind a gate that lets only requests of the edge through.

    The guard is the project's: of the mapping ``settings.EDGEAUTH``, if there is one, and
    the environment, which wins. It is built here, so Django has to be set up, as
    ``get_wsgi_application()`` does.

    Raises:
        ConfigurationError: the settings do not make a guard.
    """
    gate = EdgeAuthMiddleware(app, project_guard())
    gate.view = DjangoEnvironRequest
    gate.reads_chunks = False  # Django takes a body without a length for an empty one
    return gate
