"""Where an app can be asked: what its framework, or the frameworks in it, list as routes.

Only to know the paths; what happens there is seen by asking. Each framework is known by what
its objects have, so that none is imported here.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

# Under these names objects keep what they wrap.
_INNER = ("app", "wsgi_app", "asgi_app", "application", "wrapped_app", "django_app")
# A parameter in a path, as {name}, {name:int}, <name> or <int:name>.
_PARAMETER = re.compile(r"\{[^{}]*\}|<[^<>]*>")
# A path that no app has.
UNKNOWN = "/edgeauth-doctor-asks-for-what-is-not-there"
# Deeper than any stack; an object that wraps itself must not hold the doctor.
_MAX_DEPTH = 32


class Place(NamedTuple):
    """Somewhere to ask."""

    kind: Literal["http", "websocket"]
    path: str


def places(app: Any) -> list[Place]:  # noqa: ANN401 - an app of any framework
    """The front page, an unknown path, and all that *app* lists, each once."""
    found = [Place("http", "/"), Place("http", UNKNOWN), Place("websocket", UNKNOWN)]
    # A framework that has changed costs its routes, and not the rest of the doctor.
    with contextlib.suppress(Exception):
        found.extend(_walk(app, "", 0, set()))
    return list(dict.fromkeys(found))


def own_host(app: Any) -> str:  # noqa: ANN401
    """A Host that *app* takes, if it is a Django project, which says so; else ``localhost``."""
    if not any(_is_django(layer) for layer in _layers(app)):
        return "localhost"
    from django.conf import settings  # noqa: PLC0415 - the app has imported it

    named = [name.lstrip(".") for name in settings.ALLOWED_HOSTS if name != "*"]
    return named[0] if named else "localhost"


def _layers(app: Any) -> Iterator[Any]:  # noqa: ANN401
    """*app* and what it wraps, each once."""
    waiting, seen = [app], set()
    while waiting:
        layer = waiting.pop()
        if layer is not None and id(layer) not in seen:
            seen.add(id(layer))
            yield layer
            waiting += [inner for _, inner in _mounts(layer)]


def _is_django(app: Any) -> bool:  # noqa: ANN401
    return type(app).__module__.startswith("django.core.handlers.")


def unknown_paths(app: Any) -> list[str]:  # noqa: ANN401
    """A path that is not there, at the root and in each mount."""
    return [
        place.path for place in places(app) if place.kind == "http" and place.path.endswith(UNKNOWN)
    ]


def _walk(app: Any, prefix: str, depth: int, seen: set[int]) -> Iterator[Place]:  # noqa: ANN401
    if app is None or id(app) in seen or depth > _MAX_DEPTH:
        return
    seen.add(id(app))
    # A bound method, as Flask's wsgi_app, is of the app.
    app = getattr(app, "__self__", app)
    name = type(app).__module__
    if _is_django(app):
        yield from _django(prefix)
    elif hasattr(app, "url_map"):  # Flask, Quart
        for rule in app.url_map.iter_rules():
            kind: Literal["http", "websocket"] = (
                "websocket" if getattr(rule, "websocket", False) else "http"
            )
            yield Place(kind, prefix + _filled(rule.rule))
    elif name.startswith("falcon"):
        from falcon import inspect  # noqa: PLC0415 - the app has imported falcon

        for route in inspect.inspect_routes(app):
            yield Place("http", prefix + _filled(route.path))
            # What falcon adds to every route is internal.
            own = [method.method for method in route.methods if not method.internal]
            if "WEBSOCKET" in own:
                yield Place("websocket", prefix + _filled(route.path))
    for mount, inner in _mounts(app):
        below = prefix + mount
        if mount:
            yield Place("http", below + UNKNOWN)
        yield from _walk(inner, below, depth + 1, seen)
    yield from _listed(app, prefix, depth, seen)


def _mounts(app: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """The apps in *app*, each with the path where it begins."""
    held = getattr(app, "__dict__", {})
    for name in _INNER:
        if name in held:
            yield "", held[name]
    # werkzeug's DispatcherMiddleware, and the router by protocol of Channels.
    for name in ("mounts", "application_mapping"):
        mapping = held.get(name)
        if isinstance(mapping, dict):
            for key, inner in mapping.items():
                yield (key.rstrip("/") if name == "mounts" else ""), inner


def _listed(app: Any, prefix: str, depth: int, seen: set[int]) -> Iterator[Place]:  # noqa: ANN401
    """What is in the list ``routes`` of Starlette, FastAPI, Litestar and Channels."""
    routes = getattr(app, "routes", None)
    for route in routes if isinstance(routes, list) else ():
        path = getattr(route, "path", None)
        included = getattr(route, "original_router", None)  # FastAPI's
        if included is not None:
            yield from _walk(included, prefix + route.include_context.prefix, depth + 1, seen)
        elif hasattr(route, "routes"):  # a mount, or the routes of a host
            below = prefix + _filled(path or "")
            if below != prefix:
                yield Place("http", below + UNKNOWN)
            yield from _walk(route, below, depth + 1, seen)
        elif isinstance(path, str):
            kind = "websocket" if "websocket" in type(route).__name__.lower() else "http"
            yield Place(kind, prefix + _filled(path))  # type: ignore[arg-type]
        elif (pattern := getattr(route, "pattern", None)) is not None:  # a route of Channels
            yield Place("websocket", f"{prefix}/{_plain(str(pattern))}")


def _django(prefix: str) -> Iterator[Place]:
    from django.urls import get_resolver  # noqa: PLC0415 - the app has imported it

    def below(patterns: Any, start: str, depth: int) -> Iterator[Place]:  # noqa: ANN401
        for entry in patterns:
            path = start + _plain(str(entry.pattern))
            if hasattr(entry, "url_patterns") and depth < _MAX_DEPTH:
                yield from below(entry.url_patterns, path, depth + 1)
            else:
                yield Place("http", path)

    yield from below(get_resolver().url_patterns, f"{prefix}/", 0)


def _filled(path: str) -> str:
    """*path* with something in the place of each parameter."""
    filled = _PARAMETER.sub("1", path)
    return filled if filled.startswith("/") or not filled else f"/{filled}"


def _plain(pattern: str) -> str:
    """A path for Django's *pattern*; what a regular expression wants is not made up."""
    if pattern.startswith("^") or pattern.endswith(("$", "\\Z")):
        plain = re.match(r"\^?([\w/.-]*)", pattern)
        return plain[1] if plain else ""
    return _PARAMETER.sub("1", pattern)
