"""The published requests, through the adapters: each is decided as in the core."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from typing import Any

import pytest
from support.rfc9421 import Row, rows

from edgeauth import EdgeIdentity, Guard, VerificationError
from edgeauth.asgi import EdgeAuthMiddleware as ASGIMiddleware
from edgeauth.schemes.message_signatures import MessageSignatureScheme
from edgeauth.wsgi import EdgeAuthMiddleware as WSGIMiddleware

ROWS = rows()


class AtItsTime:
    """The scheme of a row, which judges at the time of the row and knows what was seen before."""

    headers = MessageSignatureScheme.headers

    def __init__(self, row: Row) -> None:
        self._row, self._scheme = row, row.scheme()

    def verify(self, request: Any, *, now: float) -> EdgeIdentity:
        verified = self._scheme.verify_signature(request, now=self._row.now)
        if verified.once is not None and verified.once.key in self._row.seen_keys:
            raise VerificationError("seen before")
        return verified.identity


def status_by_asgi(row: Row) -> int:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    path, _, query = row.target.partition(b"?")
    scope = {
        "type": "http",
        "method": row.request["method"],
        "path": path.decode("latin-1"),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "client": ("192.0.2.1", 1),
        "server": ("192.0.2.2", 443),
        "headers": [(name.lower().encode(), value) for name, value in row.fields],
    }
    asyncio.run(ASGIMiddleware(app, Guard(AtItsTime(row)))(scope, None, send))  # type: ignore[arg-type]
    return sent[0]["status"]


def status_by_wsgi(row: Row) -> int:
    def app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b""]

    environ: dict[str, Any] = {
        "wsgi.input": io.BytesIO(),
        "REQUEST_METHOD": row.request["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": row.target.partition(b"?")[0].decode("latin-1"),
        "QUERY_STRING": row.target.partition(b"?")[2].decode("latin-1"),
        "RAW_URI": row.target.decode("latin-1"),
        "REMOTE_ADDR": "192.0.2.1",
        "SERVER_NAME": "origin",
        "SERVER_PORT": "443",
    }
    for name, value in row.fields:
        variable = name.upper().replace("-", "_")
        # PEP 3333 has two fields under their bare names.
        if variable not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            variable = f"HTTP_{variable}"
        # As gunicorn joins them: without a space.
        before = f"{environ[variable]}," if variable in environ else ""
        environ[variable] = before + value.decode("latin-1")
    statuses: list[str] = []
    WSGIMiddleware(app, Guard(AtItsTime(row)))(environ, lambda status, *_: statuses.append(status))  # type: ignore[arg-type,func-returns-value]
    return int(statuses[0].split()[0])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_asgi_decides_each_row_as_the_core_does(row):
    assert status_by_asgi(row) == (200 if row.accept else 403)


def signs_a_repeated_field(row: Row) -> bool:
    """Whether a field that is there several times is signed: WSGI loses how it was sent."""
    [signed] = [value for name, value in row.fields if name == "Signature-Input"] or [b""]
    counts = Counter(name.lower() for name, _ in row.fields)
    return any(count > 1 and f'"{name}"'.encode() in signed for name, count in counts.items())


def signed_by_wsgi() -> list[Any]:
    return [
        pytest.param(row, id=row.name)
        for row in ROWS
        if row.name != "edge-same-label-twice-injected"
    ]


@pytest.mark.parametrize("row", signed_by_wsgi())
def test_wsgi_decides_each_row_as_the_core_does_but_for_fields_that_it_joins(row):
    accepted = row.accept and not signs_a_repeated_field(row)
    assert status_by_wsgi(row) == (200 if accepted else 403)


def test_wsgi_refuses_a_label_that_was_injected_in_a_line_of_its_own():
    [row] = [row for row in ROWS if row.name == "edge-same-label-twice-injected"]
    assert status_by_wsgi(row) == 403
