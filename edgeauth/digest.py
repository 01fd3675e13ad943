"""The body of a request, held against the digest that its credential vouches for.

A body is handed on while it comes, in bounded memory, and its last piece only when the whole is
what was signed. So an application that goes by a body never has all of a forged one.

Knows no scheme: it goes by :attr:`edgeauth.EdgeIdentity.body`.
"""

from __future__ import annotations

import hashlib
from hmac import compare_digest
from typing import TYPE_CHECKING

from edgeauth.errors import BodyMismatch, UnreadableBody

if TYPE_CHECKING:
    from edgeauth.guard import Guard
    from edgeauth.request import Request
    from edgeauth.verdict import BodyDigest, EdgeIdentity, Verdict


class DigestedBody:
    """One body on its way into an application.

    Args:
        guard: what let the request in, and is told if the body is another one.
        request: the view of it, which must not change while the application runs.
        identity: who sent it.
        expected: the digest that the body must have.

    Attributes:
        refused: whether it was another one, and the guard enforces.
    """

    def __init__(
        self, guard: Guard, request: Request, identity: EdgeIdentity, expected: BodyDigest
    ) -> None:
        self.refused = False
        self._guard = guard
        self._request = request
        self._identity = identity
        self._expected = expected.value
        self._hash = hashlib.new(expected.algorithm)
        self._length = 0
        self._held = b""
        # The length at which it was compared; -1: not yet.
        self._compared = -1

    def feed(self, piece: bytes) -> bytes:
        """Take the next *piece*; gives what may be handed on now, which is the one before it."""
        if not piece:
            return b""
        self._hash.update(piece)
        self._length += len(piece)
        held, self._held = self._held, piece
        return held

    def end(self) -> bytes:
        """Compare, at the end of the body; gives its last piece.

        A guard in report-only mode is told of another body as well, and has it handed on.

        Raises:
            UnreadableBody: it is not the one that was signed.
        """
        if self.refused:
            raise UnreadableBody
        if self._compared != self._length:
            self._compared = self._length
            if not compare_digest(self._hash.digest(), self._expected):
                self.refuse(
                    f"a body of {self._length} bytes came, which is not the one that was signed",
                    hint="was it cut off, or does something between edge and origin change bodies?",
                )
        held, self._held = self._held, b""
        return held

    def refuse(self, why: str, *, hint: str) -> None:
        """Tell the guard that the body cannot be the one that was signed; returns if it may pass.

        Raises:
            UnreadableBody: it may not.
        """
        error = BodyMismatch(why, hint=hint, identity=self._identity)
        if not self._guard.refuse(self._request, error).allowed:
            self.refused, self._held = True, b""
            raise UnreadableBody


def nothing_comes(length: str | bytes | None, version: str, *, chunked: bool) -> bool:
    """Whether a request has no body, as its header tells.

    Args:
        length: the Content-Length as received; None, or empty, if there is none.
        version: of HTTP. Since HTTP/2 a body needs no length.
        chunked: whether there is a Transfer-Encoding.
    """
    if chunked:
        return False
    return length in ("0", b"0") if length else version.startswith("1")


def digested_body(
    guard: Guard, verdict: Verdict, request: Request, outer: object, outer_guard: object
) -> DigestedBody | None:
    """The body of a request that was let in, if this gate is to compare it.

    None where the credential names no digest, and where an outer gate compares: once is enough.
    But an outer gate that only reports another body hands it on to one that enforces.

    Args:
        guard: of this gate.
        verdict: of this gate.
        request: the view of it, which must not change while the application runs.
        outer: the verdict that an outer gate left, if there is one.
        outer_guard: the guard that it left.
    """
    identity = verdict.identity
    if identity is None or identity.body is None:
        return None
    if verdict is outer and (
        guard.mode == "report-only" or getattr(outer_guard, "mode", None) == "enforce"
    ):
        return None
    return DigestedBody(guard, request, identity, identity.body)
