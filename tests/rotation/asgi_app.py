"""A plain ASGI application behind the gate."""

from edgeauth.asgi import EdgeAuthMiddleware
from rotation.answer import answer


async def application(scope, _receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": answer(scope["edgeauth"])})


app = EdgeAuthMiddleware(application)
