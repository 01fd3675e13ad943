"""The identity of a request, for endpoints of Starlette and FastAPI behind the ASGI middleware.

::

    app.add_middleware(edgeauth.asgi.EdgeAuthMiddleware, guard=guard)

    @app.get("/")                                                      # FastAPI
    async def page(identity: Annotated[EdgeIdentity, Depends(edge_identity)]): ...

    async def page(request: Request) -> Response:                      # Starlette
        identity = await edge_identity(request)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException, WebSocketException
from starlette.requests import HTTPConnection  # noqa: TC002 - FastAPI reads the annotation

from edgeauth.errors import ConfigurationError
from edgeauth.verdict import UNVERIFIED, EdgeIdentity

if TYPE_CHECKING:
    from edgeauth.guard import Guard
    from edgeauth.verdict import Verdict

__all__ = ["UNVERIFIED", "edge_identity"]


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
