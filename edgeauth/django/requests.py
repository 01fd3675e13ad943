"""Views of requests as Django routes them, for the middleware and for gates around an application.

Django prefers ``FORCE_SCRIPT_NAME`` to the mount point of the server, removes the mount point
without checking for a slash, and reads variables of Apache's rewriting. The gate judges the path
that results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.handlers.wsgi import get_path_info, get_script_name

from edgeauth.asgi import ScopeRequest, SplitRequest
from edgeauth.wsgi import EnvironRequest, joined_path, wsgi_bytes

if TYPE_CHECKING:
    from django.http import HttpRequest


class _RoutedByDjango(ScopeRequest):
    __slots__ = ()

    @property
    def _script_name(self) -> str:
        # Channels routes WebSockets by the server's root path and ignores Django's setting.
        forced = settings.FORCE_SCRIPT_NAME if self._scope["type"] == "http" else None
        return forced or self._scope.get("root_path") or ""

    @property
    def path(self) -> str:
        script_name, path = self._script_name, self._scope["path"]
        rest: str = path.removeprefix(script_name)
        return joined_path(script_name, rest) if script_name and rest else path

    @property
    def mount(self) -> str:
        return self._script_name.rstrip("/")

    @property
    def mount_is_configured(self) -> bool:
        return self._scope["type"] == "http" and bool(settings.FORCE_SCRIPT_NAME)


class DjangoScopeRequest(_RoutedByDjango):
    """The core's view of the scope of a request in Django."""

    __slots__ = ()


class DjangoSplitRequest(_RoutedByDjango, SplitRequest):
    """The same in front of Django, with some fields found already."""

    __slots__ = ()


class DjangoEnvironRequest(EnvironRequest):
    """The core's view of a WSGI environ in front of Django."""

    __slots__ = ()

    @property
    def path(self) -> str:
        return joined_path(self._script_name, get_path_info(self._environ))

    @property
    def mount(self) -> str:
        return self._script_name.rstrip("/")

    @property
    def mount_is_configured(self) -> bool:
        return settings.FORCE_SCRIPT_NAME is not None

    @property
    def _script_name(self) -> str:
        try:
            return get_script_name(self._environ)
        except UnicodeDecodeError:
            return wsgi_bytes(self._environ.get("SCRIPT_NAME", "")).decode("utf-8", "replace")


class MetaRequest(DjangoEnvironRequest):
    """The core's view of a request in Django that came by WSGI."""

    __slots__ = ("_request",)

    def __init__(self, request: HttpRequest) -> None:
        meta: dict[str, Any] = request.META
        super().__init__(meta)
        self._request = request

    @property
    def path(self) -> str:
        # Django has decoded both. Not request.path: it drops the first slash of path_info
        # wherever it is, so "h/ealthz" would count as "/healthz".
        return joined_path(self._script_name, self._request.path_info)

    @property
    def _script_name(self) -> str:
        return self._request.META.get("SCRIPT_NAME", "")  # type: ignore[no-any-return]
