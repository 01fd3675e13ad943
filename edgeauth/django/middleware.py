"""The gate as Django middleware, for WSGI and ASGI."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpResponse

from edgeauth.asgi import ScopeRequest
from edgeauth.body import Upload
from edgeauth.django.conf import project_settings
from edgeauth.guard import Guard, denial
from edgeauth.wsgi import EnvironRequest, routed, variable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from django.core.handlers.asgi import ASGIRequest
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    Response = HttpResponseBase | Awaitable[HttpResponseBase]


class EdgeAuthMiddleware:
    """Lets requests through to the views that come from the edge, and refuses all others.

    Put it first in MIDDLEWARE. The verdict is at ``request.edgeauth``; the credential is
    removed from ``request.META``, ``request.headers`` and ``request.scope``.

    What does not pass through Django's middleware is not behind this gate: WebSockets of
    Channels, and static files that the web server or ``runserver`` answers itself. Wrap the
    ASGI or WSGI application instead (:mod:`edgeauth.asgi`, :mod:`edgeauth.wsgi`).

    Settings are read once, here: the mapping ``settings.EDGEAUTH``, if there is one, and
    the environment, which wins.

    Raises:
        ConfigurationError: the settings do not make a guard.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Response]) -> None:
        self.get_response = get_response
        self.guard = Guard.from_settings(project_settings())
        self._variables = tuple(variable(name) for name in self.guard.stripped_headers)
        self._fields = frozenset(name.lower().encode() for name in self.guard.stripped_headers)
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Response:
        # The decision waits for nothing, so one body serves both: where get_response is
        # async, what it returns is awaited by the caller.
        scope = getattr(request, "scope", None)
        view = MetaRequest(request) if scope is None else ScopeRequest(scope)
        verdict = self.guard.check(view)
        if not verdict.allowed:
            response = _denied(request, view.method, has_scope=scope is not None)
            return _awaitable(response) if self._is_async else response
        request.edgeauth = verdict  # type: ignore[attr-defined]
        if self._variables:
            self._strip(request, scope is not None)
        return self.get_response(request)

    def _strip(self, request: HttpRequest, has_scope: bool) -> None:  # noqa: FBT001
        for name in self._variables:
            request.META.pop(name, None)
        # Middleware before this one may have made the cached view of META.
        request.__dict__.pop("headers", None)
        if has_scope:
            asgi = cast("ASGIRequest", request)
            fields = self._fields
            kept = [(name, value) for name, value in asgi.scope["headers"] if name not in fields]
            # A copy: the server's own scope is not ours to change.
            asgi.scope = {**asgi.scope, "headers": kept}


class MetaRequest(EnvironRequest):
    """The core's view of a request that came by WSGI."""

    __slots__ = ("_request",)

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request.META)
        self._request = request

    @property
    def path(self) -> str:
        # Django has decoded both. Not request.path: that leaves out the first slash of
        # path_info wherever it is, so "h/ealthz" would pass for "/healthz".
        script_name: str = self._request.META.get("SCRIPT_NAME", "")
        return routed(script_name, self._request.path_info)


class _Denied(HttpResponse):
    """The denial of a request whose body may not be at its end."""

    upload: Upload | None = None

    def __iter__(self) -> Iterator[bytes]:
        if self.upload is None or self.upload.ended:
            return super().__iter__()
        return self.upload.denied(self.content)


def _denied(request: HttpRequest, method: str, *, has_scope: bool) -> HttpResponse:
    answer = denial(method)
    headers = {name.title(): value for name, value in answer.headers}
    response = _Denied(answer.body, status=answer.status, headers=headers)
    if not has_scope:  # under ASGI Django has the whole body before its first middleware
        # Of a length Django counts what was read.
        response.upload = Upload(request.META, request.read)
        response.upload.drop()
    return response


async def _awaitable(response: HttpResponse) -> HttpResponse:
    return response
