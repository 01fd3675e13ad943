"""System checks: ``manage.py check`` reports a gate that would not hold.

::

    edgeauth.E001   the settings cannot be used
    edgeauth.E002   the app is installed, and neither the middleware is in MIDDLEWARE nor a
                    gate around each application that the settings name
    edgeauth.W003   other middleware runs before the gate
    edgeauth.W004   report-only mode             (check --deploy)
    edgeauth.E005   there is no secret           (check --deploy)
    edgeauth.W006   under ASGI, no gate around the application
"""

from __future__ import annotations

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's name
from django.utils.module_loading import import_string

from edgeauth.django.conf import project_settings
from edgeauth.django.has_gate import has_gate
from edgeauth.django.middleware import EdgeAuthMiddleware
from edgeauth.dry_run import dry_run
from edgeauth.errors import ConfigurationError

_MIDDLEWARE = f"{EdgeAuthMiddleware.__module__}.{EdgeAuthMiddleware.__qualname__}"

# Its only answer is the redirect to HTTPS, which reveals nothing of the site. Its headers belong
# on the denial as well.
_MAY_COME_BEFORE = frozenset({"django.middleware.security.SecurityMiddleware"})


def check_settings(**_kwargs: object) -> list[CheckMessage]:
    """The settings make a guard. A missing secret is a matter of deployment."""
    try:
        dry_run(project_settings(), secret_may_follow=True)
    except ConfigurationError as error:
        return [
            Error(
                f"The settings of edgeauth cannot be used: {error}.",
                hint="Correct settings.EDGEAUTH, or the EDGEAUTH_* variables of the environment. "
                "No request is served until then.",
                id="edgeauth.E001",
            )
        ]
    return []


def check_middleware(**_kwargs: object) -> list[CheckMessage]:
    """The gate is in MIDDLEWARE, before everything that may answer or act by itself.

    Gates around all applications count as well.
    """
    before = []
    for path in settings.MIDDLEWARE:
        if _is_the_gate(path):
            break
        before.append(path)
    else:
        if _gates_wrap_all():
            return []
        return [
            Error(
                "edgeauth.django is in INSTALLED_APPS, but nothing checks requests.",
                hint=f"Add {_MIDDLEWARE!r} to the top of MIDDLEWARE.",
                id="edgeauth.E002",
            )
        ]
    early = [path for path in before if path not in _MAY_COME_BEFORE]
    if early and not _gates_wrap_all():
        return [
            Warning(
                f"Middleware runs before the gate: {', '.join(early)}.",
                hint="What comes before EdgeAuthMiddleware may answer, or act on, requests that "
                "did not come from the edge: a cached page, a static file, a redirect, a "
                "session. Move EdgeAuthMiddleware to the top. Only SecurityMiddleware may stay "
                "before it: its redirect to HTTPS gives nothing away.",
                id="edgeauth.W003",
            )
        ]
    return []


def check_application(**_kwargs: object) -> list[CheckMessage]:
    """Under ASGI there is a gate around the application.

    Django reads the whole body of a request, to disk, before its middleware runs.
    """
    path = getattr(settings, "ASGI_APPLICATION", None)
    if path is None and not any(apps.is_installed(name) for name in ("daphne", "channels")):
        return []
    if path is not None and has_gate(path):
        return []
    return [
        Warning(
            "Under ASGI, Django reads the body of each request before the middleware refuses it, "
            "and WebSockets do not come to the middleware.",
            hint="In asgi.py: from edgeauth.django.asgi import guarded, and "
            "application = guarded(...) around all of it, a ProtocolTypeRouter too. "
            "Leave EdgeAuthMiddleware in MIDDLEWARE: it takes the verdict of that gate. "
            "ASGI_APPLICATION must name the application, so that it is seen here.",
            id="edgeauth.W006",
        )
    ]


def check_deployment(**_kwargs: object) -> list[CheckMessage]:
    """The gate enforces, and has a secret."""
    try:
        parsed = project_settings()
    except ConfigurationError:
        return []  # edgeauth.E001 reports it
    messages: list[CheckMessage] = []
    if parsed.mode == "report-only":
        messages.append(
            Warning(
                "edgeauth is in report-only mode: every request is let through.",
                hint="Set mode to 'enforce' when the log shows no refusal of a real visitor.",
                id="edgeauth.W004",
            )
        )
    if not parsed.has_secret:
        messages.append(
            Error(
                "edgeauth has no secret: the site will not start.",
                hint="Set EDGEAUTH_SECRET, EDGEAUTH_SECRETS_FILE or EDGEAUTH_SECRETS_DIR in the "
                "environment, or secret, secrets_file or secrets_dir in settings.EDGEAUTH. "
                "edgeauth keygen makes a secret.",
                id="edgeauth.E005",
            )
        )
    return messages


def _applications() -> list[str]:
    # ASGI_APPLICATION is a setting of Channels and daphne, not of Django.
    named = (settings.WSGI_APPLICATION, getattr(settings, "ASGI_APPLICATION", None))
    return [path for path in named if path]


def _gates_wrap_all() -> bool:
    """Whether each application that the settings name has a gate around it."""
    named = _applications()
    return bool(named) and all(has_gate(path) for path in named)


def _is_the_gate(path: str) -> bool:
    if path == _MIDDLEWARE:
        return True
    try:
        middleware = import_string(path)
    except ImportError:
        return False  # Django reports it, and better, when it starts
    return isinstance(middleware, type) and issubclass(middleware, EdgeAuthMiddleware)
