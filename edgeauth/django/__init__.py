"""The gate for Django: middleware, and an app with system checks.

::

    INSTALLED_APPS = ["edgeauth.django", ...]
    MIDDLEWARE = ["edgeauth.django.middleware.EdgeAuthMiddleware", ...]
    EDGEAUTH = {"secret": os.environ["EDGEAUTH_SECRET"], "exempt": ["GET /healthz"]}

Without ``EDGEAUTH`` the settings are read from the environment (``EDGEAUTH_SECRET`` and so
on). The app is optional: it only brings the checks.
"""
