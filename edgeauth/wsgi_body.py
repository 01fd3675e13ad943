"""The body of a request as a file, compared with the digest that was signed while it is read."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any, Protocol

from edgeauth.digest import DigestedBody, nothing_comes
from edgeauth.errors import UnreadableBody

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from _typeshed import OptExcInfo, WriteableBuffer

_PIECE = 64 * 1024


class Source(Protocol):
    """A file, as far as it is read here."""

    def read(self, size: int, /) -> bytes: ...


class DigestedInput(io.RawIOBase):
    """What can be read of a body: its last piece only if the whole is what was signed.

    Args:
        source: the file to read from, as WSGI has it.
        body: what compares.
        length: how many bytes to read; None reads until *source* has no more.
    """

    def __init__(self, source: Source, body: DigestedBody, length: int | None = None) -> None:
        self._source = source
        self._body = body
        self._left = length
        self._ready = memoryview(b"")
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read a part of what may be handed on.

        Raises:
            UnreadableBody: the body is not the one that was signed.
        """
        while not self._ready and not self._ended:
            self._ready = memoryview(self._next())
        into = memoryview(buffer).cast("B")
        part = self._ready[: len(into)]
        into[: len(part)] = part
        self._ready = self._ready[len(part) :]
        return len(part)

    def _next(self) -> bytes:
        piece = b""
        if not self._body.refused and self._left != 0:
            piece = self._source.read(_PIECE if self._left is None else min(self._left, _PIECE))
        if piece:
            if self._left is not None:
                self._left -= len(piece)
            return self._body.feed(piece)
        last = self._body.end()
        self._ended = True
        return last


def digested_input(
    source: Source, body: DigestedBody, length: int | None = None
) -> io.BufferedReader:
    """As :class:`DigestedInput`, with all that a file can do."""
    return io.BufferedReader(DigestedInput(source, body, length), _PIECE)


def compared(
    app: WSGIApplication, body: DigestedBody, deny: WSGIApplication, *, reads_chunks: bool
) -> WSGIApplication:
    """*app* for one request, which can read its *body* to the end only if it is what was signed.

    Else it sees a read error. The client gets the answer of *deny*, or half of an answer where
    the one of *app* is on its way. A body that is not read is not compared, but for one that
    cannot come: that is compared before *app* is called.

    Args:
        app: the application.
        body: what compares.
        deny: what answers where *app* must not.
        reads_chunks: whether *app* reads a body that has no length to its end. If it took it for
            empty, it would act on another body than was signed, so such a body is refused then.
    """

    def called(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        try:
            _put_between(environ, body, reads_chunks=reads_chunks)
        except UnreadableBody:
            return deny(environ, start_response)
        # At the end of a body there is nothing to drop.
        answer = _Answer(
            body, start_response, lambda start: deny({"REQUEST_METHOD": method}, start)
        )
        return answer.of(app, environ)

    return called


def _put_between(environ: WSGIEnvironment, body: DigestedBody, *, reads_chunks: bool) -> None:
    """Make the body of *environ* one that is compared.

    Raises:
        UnreadableBody: it is the wrong one already.
    """
    length: str | None = environ.get("CONTENT_LENGTH")
    chunked = "HTTP_TRANSFER_ENCODING" in environ
    terminated = bool(environ.get("wsgi.input_terminated"))
    if nothing_comes_by_environ(environ):
        body.end()
    elif chunked or not length:
        if not (terminated and reads_chunks):
            body.refuse(
                "the body has no Content-Length, and would be taken for an empty one",
                hint="let the proxy before this server send the length",
            )
            return
        length = None
    limit = int(length) if length else None if terminated else 0
    environ["wsgi.input"] = digested_input(environ["wsgi.input"], body, limit)


def nothing_comes_by_environ(environ: Mapping[str, Any]) -> bool:
    """Whether a WSGI request has no body, as its header tells."""
    return nothing_comes(
        environ.get("CONTENT_LENGTH"),
        environ.get("SERVER_PROTOCOL", "HTTP/1.1").removeprefix("HTTP/"),
        chunked="HTTP_TRANSFER_ENCODING" in environ,
    )


class _Answer:
    """The answer of an application to a request whose body may turn out to be the wrong one."""

    def __init__(
        self,
        body: DigestedBody,
        start_response: StartResponse,
        deny: Callable[[StartResponse], Iterable[bytes]],
    ) -> None:
        self._body = body
        self._start_response = start_response
        self._deny = deny
        self._started = False
        self._sent = False

    def of(self, app: WSGIApplication, environ: WSGIEnvironment) -> Iterable[bytes]:
        try:
            pieces = app(environ, self._start)
        except Exception:
            if not self._body.refused:
                raise
            return self._denial()
        if self._body.refused:
            _close(pieces)
            return self._denial()
        # Nothing reads the body while a list is sent, and its length tells servers something.
        return pieces if isinstance(pieces, (list, tuple)) else self._pieces(pieces)

    def _start(
        self, status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        if self._body.refused:
            return bool  # what is written is dropped
        self._started = True
        write = self._start_response(status, headers, exc_info)

        def writes(data: bytes) -> object:
            if self._body.refused:
                raise UnreadableBody
            self._sent = True
            return write(data)

        return writes

    def _pieces(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        try:
            for piece in pieces:
                if self._body.refused:
                    break
                self._sent = self._sent or bool(piece)
                yield piece
        except Exception:
            if not self._body.refused:
                raise
        finally:
            _close(pieces)
        if self._body.refused:
            yield from self._denial()

    def _denial(self) -> Iterable[bytes]:
        """The denial; where the answer has begun, the server is to end the connection.

        Raises:
            UnreadableBody: the answer has begun.
        """
        if self._sent:
            raise UnreadableBody
        if not self._started:
            return self._deny(self._start_response)
        try:
            raise UnreadableBody  # noqa: TRY301
        except UnreadableBody:
            # A server that has sent the head already raises it, as PEP 3333 says.
            exc_info = sys.exc_info()
        start = self._start_response
        return self._deny(lambda status, headers, _=None, /: start(status, headers, exc_info))


def _close(pieces: Iterable[bytes]) -> None:
    getattr(pieces, "close", bool)()
