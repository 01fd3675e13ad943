"""Gets one URL: bounded in time and in size."""

from __future__ import annotations

import contextlib
import queue
import threading
import urllib.request
from typing import TYPE_CHECKING, NamedTuple
from urllib.error import HTTPError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message
    from http.client import HTTPResponse
    from typing import IO

_REDIRECTS = (301, 302, 303, 307, 308)


class Limits(NamedTuple):
    """Seconds to wait for a connection or for the next bytes, and in all."""

    wait: float = 10
    overall: float = 30


class TookTooLong(OSError):
    """There was no whole answer within the overall limit."""


class Response(NamedTuple):
    """What a server answered.

    Attributes:
        status: the status code.
        reason: the phrase behind it, as the server wrote it.
        headers: the fields; look up names in any case.
        body: its first bytes, at most one more than were asked for.
    """

    status: int
    reason: str
    headers: Message[str, str]
    body: bytes

    @property
    def redirect(self) -> str | None:
        """Where a redirect leads; None if it is none."""
        return self.headers.get("Location") if self.status in _REDIRECTS else None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: object) -> None:
        return None


def http_get(
    url: str, *, most: int, headers: Mapping[str, str] | None = None, limits: Limits | None = None
) -> Response:
    """Get *url*, which begins with ``http://`` or ``https://``. A redirect is not followed.

    Args:
        url: the URL.
        most: of the body, no more than one byte beyond this many is read.
        headers: fields to send.
        limits: how long to wait.

    Raises:
        OSError: there was no whole answer: a :class:`TookTooLong`; a ``TimeoutError`` if the
            server sent nothing for too long; a ``URLError`` if it could not be reached.
        http.client.HTTPException: the answer is not HTTP, or *url* cannot be asked for.
        ValueError: *url* cannot be read.
    """
    limits = limits or Limits()
    request = urllib.request.Request(url, headers={"User-Agent": "edgeauth", **(headers or {})})  # noqa: S310 - callers check it
    outcome: queue.SimpleQueue[Response | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put(_get(request, most, limits.wait))
        except Exception as error:  # noqa: BLE001 - raised below
            outcome.put(error)

    # No other limit ends a name server that hangs, or a server that sends a byte now and then.
    threading.Thread(target=run, daemon=True).start()
    try:
        found = outcome.get(timeout=limits.overall)
    except queue.Empty:
        raise TookTooLong(f"took more than {limits.overall:g} s in all") from None
    if isinstance(found, Exception):
        raise found
    return found


def _get(request: urllib.request.Request, most: int, wait: float) -> Response:
    opener = urllib.request.build_opener(_NoRedirects)
    answer: HTTPResponse | HTTPError
    try:
        answer = opener.open(request, timeout=wait)
    except HTTPError as error:  # an answer as well, of another status than 2xx
        answer = error
    with contextlib.closing(answer):
        return Response(
            answer.status or 0, answer.reason, answer.headers, _read(answer, most, answer.headers)
        )


def _read(body: IO[bytes] | HTTPResponse, most: int, headers: Message[str, str]) -> bytes:
    read = body.read(most + 1)
    length = headers.get("Content-Length", "")
    # http.client does not complain about a body that ends early.
    if length.isdecimal() and len(read) < min(int(length), most):
        raise ConnectionResetError("the answer ended early")
    return read
