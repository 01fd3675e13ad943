"""The application itself: whether it has one gate, and the paths that are exempt."""

from __future__ import annotations

import sys
from importlib import import_module
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from edgeauth import asgi, wsgi
from edgeauth.doctor.finding import Finding
from edgeauth.doctor.setting_checks import report_only
from edgeauth.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgeauth.guard import Guard

_GATES = (asgi.EdgeAuthMiddleware, wsgi.EdgeAuthMiddleware)
# Under these names middleware keeps what it wraps.
_INNER = ("app", "wsgi_app", "application")
# Deeper than any stack; an object that wraps itself must not hold the doctor.
_MAX_DEPTH = 64


def load_app(name: str) -> Any:  # noqa: ANN401 - an app of any framework
    """The object that ``module:attribute`` names, as a server would import it.

    Raises:
        ConfigurationError: there is none, or importing it failed.
    """
    module, colon, attribute = name.partition(":")
    if not module or not colon or not attribute:
        raise ConfigurationError(f"--app {name!a} must be module:attribute, such as site.app:app")
    # The folder where a server would be started.
    sys.path.insert(0, "")
    try:
        return getattr(import_module(module), attribute)
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 - importing an app runs any code
        raise ConfigurationError(
            f"--app {name!a} cannot be imported: {type(error).__name__}: {error}"
        ) from None
    finally:
        sys.path.remove("")


def is_asgi(app: Any) -> bool:  # noqa: ANN401
    """Whether a server would call *app* by ASGI."""
    return iscoroutinefunction(app) or iscoroutinefunction(getattr(app, "__call__", None))  # noqa: B004


def check_app(app: Any, exempt: Iterable[str]) -> list[Finding]:  # noqa: ANN401
    """The gates of *app*, and whether it has the paths that they, or *exempt*, let pass."""
    guards = gates(app)
    found = _number(len(guards))
    if any(guard is not None and guard.mode == "report-only" for guard in guards):
        found.append(report_only("a gate of the app"))
    entries = {entry for guard in guards if guard is not None for entry in guard.exempt}
    for entry in sorted(entries | set(exempt)):
        method, _, path = entry.partition(" ")
        if _has(app, method, path) is False:
            found.append(
                Finding(
                    "exempt-path-unknown",
                    "warning",
                    f"{entry!a} is exempt, and the app does not answer it",
                    "A health check there fails, and an exemption that nobody needs is one too "
                    "many: correct the path (a slash at its end?) or remove it.",
                )
            )
    return found


def gates(app: Any, depth: int = 0) -> list[Guard | None]:  # noqa: ANN401
    """The guards that one request to *app* meets, outermost first.

    None stands for one that is built when the app starts. Where paths differ, those of the
    path with most.
    """
    if depth > _MAX_DEPTH:
        return []
    own: list[Guard | None] = [app.guard] if isinstance(app, _GATES) else []
    own += [
        middleware.kwargs.get("guard")
        for middleware in getattr(app, "user_middleware", ())  # Starlette's, not yet built
        if isinstance(middleware.cls, type) and issubclass(middleware.cls, _GATES)
    ]
    own += _django_gates(app)
    branches = [gates(inner, depth + 1) for inner in _inner(app)]
    return own + max(branches, key=len, default=[])


def _inner(app: Any) -> list[Any]:  # noqa: ANN401
    found = [vars(app)[name] for name in _INNER if name in getattr(app, "__dict__", {})]
    routes = getattr(app, "routes", ())
    if isinstance(routes, list):
        found += [route.app for route in routes if hasattr(route, "routes")]  # Starlette's mounts
    return found


def _number(layers: int) -> list[Finding]:
    if layers == 1:
        return []
    if layers == 0:
        return [
            Finding(
                "no-gate",
                "error",
                "the app has no gate: it answers everybody",
                "Add the middleware of edgeauth, and name the object that the server is given.",
            )
        ]
    return [
        Finding(
            "several-gates",
            "error",
            f"a request meets {layers} gates; the first removes the credential, so the next "
            "refuses what the edge signed",
            "Keep one: in the app, or in what wraps it.",
        )
    ]


# By framework. Each is imported only where the app has imported it.


def _django_gates(app: Any) -> list[Guard | None]:  # noqa: ANN401
    if not _is_django(app):
        return []
    from django.conf import settings  # noqa: PLC0415
    from django.utils.module_loading import import_string  # noqa: PLC0415

    from edgeauth.django.conf import project_settings  # noqa: PLC0415
    from edgeauth.django.middleware import EdgeAuthMiddleware  # noqa: PLC0415
    from edgeauth.guard import Guard  # noqa: PLC0415

    classes = [import_string(path) for path in settings.MIDDLEWARE]
    count = sum(isinstance(cls, type) and issubclass(cls, EdgeAuthMiddleware) for cls in classes)
    return [Guard.from_settings(project_settings()) for _ in range(count)]


def _is_django(app: Any) -> bool:  # noqa: ANN401
    return type(app).__module__.startswith("django.core.handlers.")


def _has(app: Any, method: str, path: str) -> bool | None:  # noqa: ANN401
    """Whether *app* routes *method* and *path*; None where its framework is not known."""
    layer = app
    for _ in range(_MAX_DEPTH):
        if _is_django(layer):
            return _django_has(path)
        if hasattr(layer, "url_map"):
            return _flask_has(layer, method, path)
        if isinstance(getattr(layer, "routes", None), list):
            return _starlette_has(layer.routes, method, path)
        inner = _inner(layer)
        if not inner:
            return None
        layer = inner[0]
    return None


def _django_has(path: str) -> bool:
    from django.urls import Resolver404, resolve  # noqa: PLC0415

    try:
        resolve(path)
    except Resolver404:
        return False
    return True


def _flask_has(app: Any, method: str, path: str) -> bool:  # noqa: ANN401
    from werkzeug.exceptions import HTTPException  # noqa: PLC0415

    try:
        app.url_map.bind("localhost").match(path, method=method)
    except HTTPException:
        return False
    return True


def _starlette_has(routes: list[Any], method: str, path: str) -> bool:
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
    return _matches(routes, scope)


def _matches(routes: list[Any], scope: dict[str, Any]) -> bool:
    from starlette.routing import Match  # noqa: PLC0415

    for route in routes:
        match, child = route.matches(scope)
        if match is Match.FULL:
            inner = getattr(route, "routes", None)
            return _matches(inner, {**scope, **child}) if inner else True
    return False
