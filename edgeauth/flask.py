"""The gate as a Flask extension."""

from __future__ import annotations

from functools import partial

from flask import Flask, g, request
from flask.signals import request_started

from edgeauth.errors import ConfigurationError
from edgeauth.guard import Guard
from edgeauth.settings import Settings
from edgeauth.wsgi import EdgeAuthMiddleware, EnvironRequest


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
