"""Requests that are signed for storage clouds, through the adapters: decided as in the core."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest
from support.cloud_keys import AtItsTime, Row, rows

from edgeauth import Guard
from edgeauth.asgi import EdgeAuthMiddleware as ASGIMiddleware
from edgeauth.wsgi import EdgeAuthMiddleware as WSGIMiddleware

# WSGI reads the underscore of a name as a dash, so what was signed cannot be known.
FOLDED = {"sdk-metadata-underscore-order"}


def status_by_asgi(row: Row) -> int:
    async def app(_scope: Any, receive: Any, send: Any) -> None:
        if row.has_body:
            await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": row.body, "more_body": False}

    path, _, query = row.target.partition(b"?")
    lines = [(name.lower().encode(), value) for name, value in row.fields]
    if row.body and not any(name == b"content-length" for name, _ in lines):
        lines.append((b"transfer-encoding", b"chunked"))
    scope = {
        "type": "http",
        "method": row.method,
        "path": path.decode("latin-1"),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "client": ("192.0.2.1", 1),
        "server": ("192.0.2.2", 443),
        "headers": lines,
    }
    asyncio.run(ASGIMiddleware(app, Guard(AtItsTime(row)))(scope, receive, send))
    return sent[0]["status"]


def status_by_wsgi(row: Row) -> int:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        if row.has_body:
            environ["wsgi.input"].read()
        start_response("200 OK", [])
        return [b""]

    environ: dict[str, Any] = {
        "wsgi.input": io.BytesIO(row.body),
        "wsgi.input_terminated": True,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REQUEST_METHOD": row.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": row.target.partition(b"?")[0].decode("latin-1"),
        "QUERY_STRING": row.target.partition(b"?")[2].decode("latin-1"),
        "RAW_URI": row.target.decode("latin-1"),
        "REMOTE_ADDR": "192.0.2.1",
        "SERVER_NAME": "origin",
        "SERVER_PORT": "443",
    }
    lines = list(row.fields)
    if row.body and not any(name.lower() == "content-length" for name, _ in lines):
        lines.append(("Transfer-Encoding", b"chunked"))
    for name, value in lines:
        variable = name.upper().replace("-", "_")
        # PEP 3333 has two fields under their bare names.
        if variable not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            variable = f"HTTP_{variable}"
        # As gunicorn joins them: without a space.
        before = f"{environ[variable]}," if variable in environ else ""
        environ[variable] = before + value.decode("latin-1")
    statuses: list[str] = []
    answer = WSGIMiddleware(app, Guard(AtItsTime(row)))(
        environ,
        lambda status, *_: statuses.append(status),
    )
    b"".join(answer)
    return int(statuses[0].split()[0])


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_asgi_decides_each_row_as_the_core_does(row):
    assert status_by_asgi(row) == (200 if row.accept else 403)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_wsgi_decides_each_row_as_the_core_does_but_for_names_that_it_folds(row):
    accepted = row.accept and row.name not in FOLDED
    assert status_by_wsgi(row) == (200 if accepted else 403)
