"""The least that a uvicorn application can answer."""

_START = {"type": "http.response.start", "status": 204, "headers": []}
_BODY = {"type": "http.response.body", "body": b""}


async def app(_scope, _receive, send):  # noqa: ANN001, ANN201
    await send(_START)
    await send(_BODY)
