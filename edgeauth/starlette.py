"""The identity of a request, for endpoints of Starlette and FastAPI behind the ASGI middleware.

::

    app.add_middleware(edgeauth.asgi.EdgeAuthMiddleware, guard=guard)

    @app.get("/")                                                      # FastAPI
    async def page(identity: Annotated[EdgeIdentity, Depends(edge_identity)]): ...

    async def page(request: Request) -> Response:                      # Starlette
        identity = await edge_identity(request)

An endpoint that goes by more than "the edge sent it" says so::

    spends = demand_coverage("method", "path", "body", "once")

    @app.post("/pay", dependencies=[Depends(spends)])                  # FastAPI
    async def pay(): ...

    async def pay(request: Request) -> Response:                       # Starlette
        identity = await spends(request)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException, WebSocketException
from starlette.requests import HTTPConnection  # noqa: TC002 - FastAPI reads the annotation
from starlette.responses import Response

from edgeauth.asgi import ScopeRequest
from edgeauth.coverage import Demand
from edgeauth.errors import ConfigurationError
from edgeauth.verdict import UNVERIFIED, EdgeIdentity, denial

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from edgeauth.guard import Guard
    from edgeauth.verdict import Verdict

__all__ = ["UNVERIFIED", "demand_coverage", "edge_identity"]


# A coroutine, although it awaits nothing: FastAPI runs plain functions in a thread, which costs
# more than the whole check of a request.
async def edge_identity(connection: HTTPConnection) -> EdgeIdentity:
    """The identity behind a request or WebSocket that came through the edge.

    In report-only mode, which refuses nobody, it is :data:`UNVERIFIED` for a request without
    one: its key id is ``unverified``, which is not the id of a key.

    Raises:
        HTTPException: 403; the request was let in without one, because its path is exempt or
            by a pass. For a WebSocket it is a WebSocketException (1008).
        ConfigurationError: there is no verdict, so no middleware checked this request.
    """
    verdict: Verdict | None = connection.scope.get("edgeauth")
    if verdict is None:
        raise ConfigurationError(
            "nothing checked this request: app.add_middleware(edgeauth.asgi.EdgeAuthMiddleware)"
        )
    if verdict.identity is not None:
        return verdict.identity
    guard: Guard | None = connection.scope.get("edgeauth.guard")
    if not verdict.enforced or (guard is not None and guard.mode == "report-only"):
        return UNVERIFIED
    if connection.scope["type"] == "websocket":
        raise WebSocketException(1008)
    raise HTTPException(403, headers={"Cache-Control": "no-store"})


def demand_coverage(*parts: str) -> Callable[[HTTPConnection], Awaitable[EdgeIdentity]]:
    """A dependency that lets in only what is signed in all of *parts*; gives the identity.

    All else gets the denial, as a stranger does, and the log has the reason ``coverage``: a
    credential that covers less, an exempt path, a pass. Report-only mode tells and lets in.

    Args:
        parts: of ``method``, ``path``, ``query``, ``host``, ``body``, ``time`` and ``once``.

    Raises:
        ConfigurationError: now, if a part is not known; on a request, if no gate checked it.
    """
    demand = Demand(*parts)

    async def covered(connection: HTTPConnection) -> EdgeIdentity:
        scope = connection.scope
        verdict: Verdict | None = scope.get("edgeauth")
        if demand.met(verdict, scope.get("edgeauth.guard"), ScopeRequest(scope)):
            return verdict.identity if verdict and verdict.identity else UNVERIFIED
        if scope["type"] == "websocket":
            raise WebSocketException(1008)
        # Pages that the application makes of a 403 do not change the denial.
        handlers, _ = scope.get("starlette.exception_handlers", ({}, {}))
        handlers.setdefault(_NotCovered, _answer)
        raise _NotCovered

    return covered


class _NotCovered(Exception):
    """Carries the denial to where Starlette answers."""


async def _answer(connection: HTTPConnection, _error: Exception) -> Response:
    answer = denial(connection.scope["method"])
    return Response(answer.body, answer.status, dict(answer.headers))
