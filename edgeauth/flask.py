"""The gate as a Flask extension."""

from __future__ import annotations

from functools import partial, wraps
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, current_app, g, request
from flask.signals import request_started

from edgeauth.coverage import Demand
from edgeauth.errors import ConfigurationError
from edgeauth.guard import Guard
from edgeauth.settings import Settings
from edgeauth.verdict import denial
from edgeauth.wsgi import EdgeAuthMiddleware, EnvironRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    View = Callable[..., Any]

__all__ = ["EdgeAuth", "demand_coverage"]


class EdgeAuth:
    """Lets requests through to a Flask app that come from the edge, and refuses all others.

    It wraps ``app.wsgi_app``, so unknown paths, static files and existing WSGI middleware are
    behind the gate too. The verdict is at ``flask.g.edgeauth`` before the first
    ``before_request`` function runs.

    One extension may serve several apps. Where an app is mounted, paths of exemptions and passes
    begin with the mount point, and it must be among the guard's ``mount_points`` or be the app's
    ``APPLICATION_ROOT`` when it is put behind the gate.

    Args:
        app: the app to guard; None to call :meth:`init_app` later.
        guard: what decides; None builds it for each app, from the mapping
            ``app.config["EDGEAUTH"]``, if there is one, and the environment, which wins.

    Raises:
        ConfigurationError: as :meth:`init_app`.
    """

    def __init__(self, app: Flask | None = None, guard: Guard | None = None) -> None:
        self._guard = guard
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Put *app* behind the gate.

        WSGI middleware that is wrapped around ``app.wsgi_app`` after this call runs before
        the gate, and what it makes of the path or the peer address is what the gate sees.

        Raises:
            ConfigurationError: *app* has a gate already, or the settings do not make one.
        """
        if "edgeauth" in app.extensions:
            raise ConfigurationError(f"{app.name} has EdgeAuth already: call init_app once an app")
        guard = self._guard
        if guard is None:
            guard = Guard.from_settings(Settings.load(beneath=app.config.get("EDGEAUTH")))
        gate = EdgeAuthMiddleware(app.wsgi_app, guard)
        # Not in the guard, which may serve apps with other roots as well.
        root = app.config["APPLICATION_ROOT"] or ""
        gate.view = partial(EnvironRequest, configured=root.rstrip("/"))
        app.wsgi_app = gate  # type: ignore[method-assign]
        app.extensions["edgeauth"] = self
        # A before_request function would run after those that the app already has.
        request_started.connect(_attach_verdict, app)


def _attach_verdict(_app: Flask, **_extra: object) -> None:
    verdict = request.environ.get("edgeauth.verdict")
    if verdict is None:
        # The app.wsgi_app was replaced instead of wrapped: nothing was checked.
        raise ConfigurationError(
            "the request did not pass the gate: wrap app.wsgi_app, do not replace it"
        )
    g.edgeauth = verdict


def demand_coverage(*parts: str) -> Callable[[View], View]:
    """A decorator of views that lets in only what is signed in all of *parts*.

    All else gets the denial, as a stranger does, and the log has the reason ``coverage``: a
    credential that covers less, an exempt path, a pass. Report-only mode tells and lets in. ::

        @app.post("/pay")
        @demand_coverage("method", "path", "body", "once")
        def pay(): ...

    Args:
        parts: of ``method``, ``path``, ``query``, ``host``, ``body``, ``time`` and ``once``.

    Raises:
        ConfigurationError: now, if a part is not known; on a request, if no gate checked it.
    """
    demand = Demand(*parts)

    def decorator(view: View) -> View:
        @wraps(view)
        def covered(*args: object, **named: object) -> object:
            environ = request.environ
            verdict, guard = environ.get("edgeauth.verdict"), environ.get("edgeauth.guard")
            if not demand.met(verdict, guard, EnvironRequest(environ)):
                answer = denial(request.method)
                return Response(answer.body, answer.status, dict(answer.headers))
            return current_app.ensure_sync(view)(*args, **named)

        return covered

    return decorator
