"""One answer of the service, as bytes."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Answer(NamedTuple):
    """What is written to a connection.

    Attributes:
        status: of the answer.
        head: the status line and the fields, each line with its end; the empty line is missing.
        body: what follows the empty line, but for HEAD.
    """

    status: int
    head: bytes
    body: bytes = b""

    def wire(self, *, head_only: bool, last: bool) -> bytes:
        """The bytes to write.

        Args:
            head_only: the question's method is HEAD.
            last: the connection ends with it.
        """
        end = b"connection: close\r\n\r\n" if last else b"\r\n"
        return self.head + end if head_only else self.head + end + self.body


def answer_of(status: int, fields: Iterable[tuple[bytes, bytes]], body: bytes = b"") -> Answer:
    """An answer with these fields.

    Nothing in a field is looked at: none holds what a client chose.
    """
    lines = [b"HTTP/1.1 %d %s\r\n" % (status, HTTPStatus(status).phrase.encode())]
    lines += [b"%b: %b\r\n" % field for field in fields]
    return Answer(status, b"".join(lines), body)
