"""The gate for Django: middleware, and an app with system checks.

::

    INSTALLED_APPS = ["edgeauth.django", ...]
    MIDDLEWARE = ["edgeauth.django.middleware.EdgeAuthMiddleware", ...]
    EDGEAUTH = {"exempt": ["GET /healthz"]}

The environment (``EDGEAUTH_SECRET`` and so on) is read as well, and wins. The app is
optional: it only brings the checks.

It may import the proof, the plumbing, ``asgi``, ``wsgi``, ``asgi_body``, ``wsgi_body`` and
``body``. Nobody in the package may import it.
"""
