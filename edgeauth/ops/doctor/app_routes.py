"""Finds the routes of an app, as its framework, or the frameworks in it, list them.

Only the paths count; the doctor asks for them to see what happens there. Frameworks are
recognised by the attributes of their objects, so none is imported here.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

# The attributes in which objects keep what they wrap.
_INNER = ("app", "wsgi_app", "asgi_app", "application", "wrapped_app", "django_app")
# A parameter in a path, as {name}, {name:int}, <name> or <int:name>.
_PARAMETER = re.compile(r"\{[^{}]*\}|<[^<>]*>")
# A path that does not exist in any app.
UNKNOWN = "/edgeauth-doctor-asks-for-what-is-not-there"
# Deeper than any real stack: an object may wrap itself.
_MAX_DEPTH = 32


class Route(NamedTuple):
    """A path to ask for."""

    kind: Literal["http", "websocket"]
    path: str


def routes(app: Any) -> list[Route]:  # noqa: ANN401 - an app of any framework
    """The front page, an unknown path, and all that *app* lists, each once."""
    found = [Route("http", "/"), Route("http", UNKNOWN), Route("websocket", UNKNOWN)]
    # A framework that has changed costs its routes, and not the rest of the report.
    with contextlib.suppress(Exception):
        found.extend(_walk(app, "", 0, set()))
    return list(dict.fromkeys(found))


def own_host(app: Any) -> str:  # noqa: ANN401
    """A Host that *app* accepts: of ALLOWED_HOSTS in a Django project, else ``localhost``."""
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
    """A path that does not exist, at the root and in each mount."""
    return [
        route.path for route in routes(app) if route.kind == "http" and route.path.endswith(UNKNOWN)
    ]


def _walk(app: Any, prefix: str, depth: int, seen: set[int]) -> Iterator[Route]:  # noqa: ANN401
    if app is None or id(app) in seen or depth > _MAX_DEPTH:
        return
    seen.add(id(app))
    # A bound method, such as Flask's wsgi_app, belongs to the app.
    app = getattr(app, "__self__", app)
    name = type(app).__module__
    if _is_django(app):
        yield from _django(prefix)
    elif hasattr(app, "url_map"):  # Flask, Quart
        for rule in app.url_map.iter_rules():
            kind: Literal["http", "websocket"] = (
                "websocket" if getattr(rule, "websocket", False) else "http"
            )
            yield Route(kind, prefix + _filled(rule.rule))
    elif name.startswith("falcon"):
        from falcon import inspect  # noqa: PLC0415 - the app has imported falcon

        for route in inspect.inspect_routes(app):
            yield Route("http", prefix + _filled(route.path))
            # falcon adds internal methods to every route.
            own = [method.method for method in route.methods if not method.internal]
            if "WEBSOCKET" in own:
                yield Route("websocket", prefix + _filled(route.path))
    for mount, inner in _mounts(app):
        below = prefix + mount
        if mount:
            yield Route("http", below + UNKNOWN)
        yield from _walk(inner, below, depth + 1, seen)
    yield from _listed(app, prefix, depth, seen)


def _mounts(app: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """The apps in *app*, each with its mount point."""
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


def _listed(app: Any, prefix: str, depth: int, seen: set[int]) -> Iterator[Route]:  # noqa: ANN401
    """The list ``routes`` of Starlette, FastAPI, Litestar and Channels."""
    routes = getattr(app, "routes", None)
    for route in routes if isinstance(routes, list) else ():
        path = getattr(route, "path", None)
        included = getattr(route, "original_router", None)  # FastAPI's
        if included is not None:
            yield from _walk(included, prefix + route.include_context.prefix, depth + 1, seen)
        elif hasattr(route, "routes"):  # a mount, or the routes of a host
            below = prefix + _filled(path or "")
            if below != prefix:
                yield Route("http", below + UNKNOWN)
            yield from _walk(route, below, depth + 1, seen)
        elif isinstance(path, str):
            kind = "websocket" if "websocket" in type(route).__name__.lower() else "http"
            yield Route(kind, prefix + _filled(path))  # type: ignore[arg-type]
        elif (pattern := getattr(route, "pattern", None)) is not None:  # a route of Channels
            yield Route("websocket", f"{prefix}/{_plain(str(pattern))}")


def _django(prefix: str) -> Iterator[Route]:
    from django.urls import get_resolver  # noqa: PLC0415 - the app has imported it

    def below(patterns: Any, start: str, depth: int) -> Iterator[Route]:  # noqa: ANN401
        for entry in patterns:
            path = start + _plain(str(entry.pattern))
            if hasattr(entry, "url_patterns") and depth < _MAX_DEPTH:
                yield from below(entry.url_patterns, path, depth + 1)
            else:
                yield Route("http", path)

    yield from below(get_resolver().url_patterns, f"{prefix}/", 0)


def _filled(path: str) -> str:
    """*path* with a value for each parameter."""
    filled = _PARAMETER.sub("1", path)
    return filled if filled.startswith("/") or not filled else f"/{filled}"


def _plain(pattern: str) -> str:
    """A path for Django's *pattern*; no text is invented for a regular expression."""
    if pattern.startswith("^") or pattern.endswith(("$", "\\Z")):
        plain = re.match(r"\^?([\w/.-]*)", pattern)
        return plain[1] if plain else ""
    return _PARAMETER.sub("1", pattern)
