"""Views of requests that no server made: one that is about to be sent, one as it may have been."""

from __future__ import annotations

from collections.abc import Sequence  # noqa: TC003 - so that annotations can be read
from typing import Any
from urllib.parse import unquote

from edgeauth.request import Request  # noqa: TC001
from edgeauth.schemes.base import Outgoing  # noqa: TC001


class SentRequest:
    """The view (:class:`edgeauth.Request`) that an origin will have of a request.

    Args:
        outgoing: what is sent. Text stands for its UTF-8 bytes.
        scheme: ``https`` or ``http``, as the edge sees it.
    """

    handshake = False
    mount = ""
    mount_is_configured = False
    peer = None
    unix = False
    compares_body = True

    def __init__(self, outgoing: Outgoing, scheme: str = "https") -> None:
        self.method = outgoing.method
        self.target = outgoing.target.encode()
        self.host = outgoing.authority.encode()
        self.scheme = scheme
        self._fields = [(name.lower(), _bytes(value)) for name, value in outgoing.fields]

    @property
    def path(self) -> str:
        """The path, decoded."""
        return unquote(self.target.partition(b"?")[0].decode("latin-1"))

    @property
    def query(self) -> bytes:
        """The query without its question mark."""
        return self.target.partition(b"?")[2]

    def header(self, name: str) -> Sequence[bytes]:
        """All values of a field; the authority is that of Host."""
        wanted = name.lower()
        found = [value for field, value in self._fields if field == wanted]
        return found or ([self.host] if wanted == "host" else [])

    def fields(self) -> Sequence[tuple[bytes, bytes]]:
        """Every field but Host, in order."""
        return [(name.encode(), value) for name, value in self._fields]

    def fields_beginning(self, prefix: bytes) -> Sequence[tuple[bytes, bytes]]:
        """The fields whose names begin with *prefix*."""
        return [pair for pair in self.fields() if pair[0].startswith(prefix)]


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


class WithEmptyQuery:
    """*request*, as if its target had been sent with a question mark at its end."""

    def __init__(self, request: Request, target: bytes) -> None:
        self._request = request
        self.target = target + b"?"

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - all else is as it was
        return getattr(self._request, name)


def with_empty_query(request: Request) -> WithEmptyQuery | None:
    """*request* as it may have been sent, where the server does not tell an empty query.

    A scheme that signs the target as it was sent tries both; to the application they are one.
    None where there is nothing more to try.
    """
    target = request.target
    if target is None or b"?" in target or not getattr(request, "drops_empty_query", False):
        return None
    return WithEmptyQuery(request, target)
