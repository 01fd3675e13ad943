"""The gate as Django middleware, for WSGI and ASGI."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpResponse

from edgeauth.body import Upload
from edgeauth.digest import DigestedBody, digested_body
from edgeauth.django.body import compare
from edgeauth.django.conf import project_guard
from edgeauth.django.requests import DjangoScopeRequest, MetaRequest
from edgeauth.errors import UnreadableBody
from edgeauth.verdict import denial
from edgeauth.wsgi import environ_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from edgeauth.asgi import Scope
    from edgeauth.request import Request
    from edgeauth.verdict import Verdict

    Response = HttpResponseBase | Awaitable[HttpResponseBase]

__all__ = ["EdgeAuthMiddleware"]


class EdgeAuthMiddleware:
    """Lets requests through to the views that come from the edge, and refuses all others.

    Put it first in MIDDLEWARE. The verdict is at ``request.edgeauth``; the credential is
    removed from ``request.META``, ``request.headers`` and ``request.scope``.

    What does not pass through Django's middleware is not behind this gate: WebSockets of
    Channels, and static files that the web server or ``runserver`` answers itself; and under
    ASGI Django has read the whole body of a request, to disk, when it comes here. Wrap the
    application as well (:mod:`edgeauth.django.asgi`, :mod:`edgeauth.django.wsgi`): then the
    verdict from there is taken here.

    Paths of exemptions and passes are as in the URL: behind ``FORCE_SCRIPT_NAME = "/app"`` it is
    ``GET /app/healthz``. A mount point of the server, such as ``--root-path /app``, must be among
    ``mount_points``.

    Settings are read once, here: the mapping ``settings.EDGEAUTH``, if there is one, and
    the environment, which wins.

    Raises:
        ConfigurationError: the settings do not make a guard.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Response]) -> None:
        self.get_response = get_response
        self.guard = project_guard()
        self._environ_keys = tuple(environ_key(name) for name in self.guard.stripped_headers)
        self._fields = frozenset(name.lower().encode() for name in self.guard.stripped_headers)
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Response:
        scope = getattr(request, "scope", None)
        verdict = self._outer_verdict(request, scope)
        if verdict is None:
            view = MetaRequest(request) if scope is None else DjangoScopeRequest(scope)
            if self._is_async and self.guard.waits:
                return self._after_waiting(request, view)
            verdict = self.guard.check(view)
        # Nothing waits from here on, so one body serves both: if get_response is async, the caller
        # awaits its result.
        if verdict.allowed:
            return self._pass_on(request, verdict)
        response = _denied(request)
        return _awaitable(response) if self._is_async else response

    async def _after_waiting(self, request: HttpRequest, view: Request) -> HttpResponseBase:
        verdict = await self.guard.acheck(view)
        if not verdict.allowed:
            return _denied(request)
        return await cast("Awaitable[HttpResponseBase]", self._pass_on(request, verdict))

    def _pass_on(self, request: HttpRequest, verdict: Verdict) -> Response:
        body = None
        if verdict.identity is not None and verdict.identity.body is not None:
            body = self._digested_body(request, verdict)
        request.edgeauth = verdict  # type: ignore[attr-defined]
        self._leave(request, verdict)
        self._strip(request)
        return self.get_response(request) if body is None else self._comparing(request, body)

    def _digested_body(self, request: HttpRequest, verdict: Verdict) -> DigestedBody | None:
        view: Request
        if hasattr(request, "scope"):
            view, left, key = DjangoScopeRequest(request.scope), request.scope, "edgeauth"
        else:
            view, left, key = MetaRequest(request), request.META, "edgeauth.verdict"
        return digested_body(self.guard, verdict, view, left.get(key), left.get("edgeauth.guard"))

    def _comparing(self, request: HttpRequest, body: DigestedBody) -> Response:
        try:
            compare(request, body)
        except UnreadableBody:
            response = _denied(request)
            return _awaitable(response) if self._is_async else response
        answer = self.get_response(request)
        if self._is_async:
            return self._awaited(request, body, cast("Awaitable[HttpResponseBase]", answer))
        return _denied(request, drop=False) if body.refused else answer

    async def _awaited(
        self, request: HttpRequest, body: DigestedBody, answer: Awaitable[HttpResponseBase]
    ) -> HttpResponseBase:
        response = await answer
        return _denied(request, drop=False) if body.refused else response

    def _outer_verdict(self, request: HttpRequest, scope: Scope | None) -> Verdict | None:
        left, key = (request.META, "edgeauth.verdict") if scope is None else (scope, "edgeauth")
        if "edgeauth.guard" not in left:
            return None
        return self.guard.inherited(left.get(key), left["edgeauth.guard"])

    def _leave(self, request: HttpRequest, verdict: Verdict) -> None:
        """Leave the verdict for an inner gate."""
        if hasattr(request, "scope"):
            # A copy: the server's own scope is not ours to change.
            request.scope = {**request.scope, "edgeauth": verdict, "edgeauth.guard": self.guard}
        else:
            request.META |= {"edgeauth.verdict": verdict, "edgeauth.guard": self.guard}

    def _strip(self, request: HttpRequest) -> None:
        for name in self._environ_keys:
            request.META.pop(name, None)
        # Middleware before this one may have made the cached view of META.
        request.__dict__.pop("headers", None)
        if hasattr(request, "scope"):
            fields = self._fields
            headers = request.scope["headers"]
            request.scope["headers"] = [
                (name, value) for name, value in headers if name not in fields
            ]


class _Denied(HttpResponse):
    """The denial of a request whose body may not have ended."""

    upload: Upload | None = None

    def __iter__(self) -> Iterator[bytes]:
        if self.upload is None or self.upload.ended:
            return super().__iter__()
        return self.upload.denied(self.content)


def _denied(request: HttpRequest, *, drop: bool = True) -> HttpResponse:
    scope: Scope | None = getattr(request, "scope", None)
    answer = denial(request.META["REQUEST_METHOD"] if scope is None else scope["method"])
    headers = {name.title(): value for name, value in answer.headers}
    response = _Denied(answer.body, status=answer.status, headers=headers)
    if drop and scope is None:  # under ASGI Django has the whole body before its first middleware
        # Django limits a body with a length by what it has read.
        response.upload = Upload(request.META, request.read)
        response.upload.drop()
        for name, value in response.upload.headers:
            response.headers[name] = value
    return response


async def _awaitable(response: HttpResponse) -> HttpResponse:
    return response
