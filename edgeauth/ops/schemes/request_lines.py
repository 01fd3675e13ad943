"""A request, or only its credential, as somebody copied it from where it was seen."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

# Lines that hold a header, most exact first. "NAME" stands for its name.
_FORMS = (
    # A field of a message; curl -v has one of "<>*" before it.
    rb"(?:[<>*][ \t]*)?NAME[ \t]*:(?P<value>.*)",
    # In quotes: an option of curl, a field of JSON or a mapping, a variable of a log.
    rb"(?:.*[ \t\[({,])?(?P<quote>[\"'])NAME[ \t]*:(?P<value>.*?)(?P=quote).*",
    (
        rb"(?:.*[ \t\[({,])?(?P<quote>[\"']?)NAME(?P=quote)[ \t]*[:=][ \t]*"
        rb"(?P<mark>[\"'])(?P<value>.*?)(?P=mark).*"
    ),
    # In brackets: curl -v of HTTP/2.
    rb"(?:.*[ \t])?\[NAME[ \t]*:(?P<value>[^\]]*)\].*",
    # Without quotes it ends at a space, but the one after a comma.
    rb"(?:.*[ \t\[({,])NAME[:=][ \t]*(?P<value>(?:[^ \t]|(?<=,)[ \t])+).*",
    rb"NAME=(?P<value>.*)",
)
_FIELD = re.compile(rb"(?:[<>*][ \t]*)?([A-Za-z0-9!#$%&'*+.^_`|~-]+):(.*)")
_START = re.compile(rb"(?:[<>*][ \t]*)?([A-Z]{1,32}) (\S.*?) HTTP/[0-9.]{1,3}")
# curl -v of HTTP/2, and tools that write the fields of HTTP/2 as they are.
_PSEUDO = re.compile(rb"(?:.*\[)?:(method|path|authority): ?([^\]]*?)\]?[ \t]*")


class Hints(NamedTuple):
    """What whoever asks knows beyond the lines of the request.

    Attributes:
        method, url: of the request, where no line of it tells them.
        hosts: names that the edge may have signed in place of Host.
        urls: what the edge may have asked for, scheme and host first.
        prefixes: what may have been before the path.
        seen_at: when a credential that admits one request was admitted, asked by its key: Unix
            seconds; None where it was not, or where no store can tell.
    """

    method: str | None = None
    url: str | None = None
    hosts: Sequence[str] = ()
    urls: Sequence[str] = ()
    prefixes: Sequence[str] = ()
    seen_at: Callable[[bytes], float | None] = lambda _key: None


_NO_HINTS = Hints()


def _of_json(line: bytes) -> list[bytes]:
    """*line*, or a line for each text in it, if it is an object of JSON as logs have it.

    Quotes in a value are escaped there, and message signatures are full of them.
    """
    if not line.lstrip().startswith(b"{"):
        return [line]
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return [line]
    found, left = [], [document]
    while left:
        for name, value in left.pop().items():
            if isinstance(value, dict):
                left.append(value)
            elif isinstance(value, str) and "\n" not in value:
                found.append(f"{name}: {value}".encode("utf-8", "replace"))
    return found


class RequestLines:
    """The request in *given*, for a scheme to look at.

    A line may be as it is copied from where one sees it: ``> X-Key: value`` of curl -v,
    ``-H 'X-Key: value'`` of a command, ``"x-key": "value"`` of a program, ``x-key="value"``
    of a log. White space around a value is left out, and lines of the same name are joined with
    commas: what HTTP servers do before an application sees the value (RFC 9110, 5.3 and 5.5).
    A line of a log may be an object of JSON.

    Args:
        given: the lines of a request, some of them, one of them, or a bare value.
        credentials: the fields of each scheme that may be asked. Where *given* has none of
            them it is a bare value, of each scheme that has one field.
        hints: what is known beyond that.
    """

    mount = ""
    mount_is_configured = False
    handshake = False
    peer = None
    unix = False
    scheme = None
    compares_body = True

    def __init__(
        self, given: bytes, credentials: Iterable[Sequence[str]], hints: Hints = _NO_HINTS
    ) -> None:
        self.hints = hints
        self._lines = [line for text in given.split(b"\n") for line in _of_json(text.rstrip(b"\r"))]
        start = next(filter(None, map(_START.fullmatch, self._lines)), None)
        pseudo = {match[1]: match[2] for match in filter(None, map(_PSEUDO.fullmatch, self._lines))}
        self.target: bytes | None = pseudo.get(b"path") if start is None else start[2]
        method = pseudo.get(b"method", b"GET") if start is None else start[1]
        self.method = hints.method or method.decode("latin-1")
        self._host = pseudo.get(b"authority")
        if hints.url is not None:
            parts = urlsplit(hints.url)
            query = f"?{parts.query}" if parts.query else ""
            self.target = f"{parts.path or '/'}{query}".encode()
            self._host = parts.netloc.rpartition("@")[2].encode() or None
        self._bare: bytes | None = None
        named = [tuple(names) for names in credentials]
        if all(self._found(name) is None for names in named for name in names):
            # Quotes around a bare value stay: an edge that sends them is refused, and must be
            # told of.
            self._bare = given.strip(b" \t\r\n")
        self._bare_names = {names[0].lower() for names in named if len(names) == 1}

    @property
    def path(self) -> str:
        """The path, decoded; ``/`` where no target was given."""
        return unquote_to_bytes((self.target or b"/").partition(b"?")[0]).decode("utf-8", "replace")

    @property
    def query(self) -> bytes | None:
        """The query of the target; None where no target was given."""
        return None if self.target is None else self.target.partition(b"?")[2]

    @property
    def host(self) -> bytes | None:
        """The Host line, if it was given."""
        found = self._found("Host")
        return self._host if found is None else found

    def header(self, name: str) -> Sequence[bytes]:
        """The value of the field *name*; nothing where it was not given."""
        if self._bare is not None and name.lower() in self._bare_names:
            return (self._bare,)
        found = self.host if name.lower() == "host" else self._found(name)
        return () if found is None else (found,)

    def fields(self) -> Sequence[tuple[bytes, bytes]]:
        """The lines that are fields of a message, in order: name in lower case, and value."""
        matches = filter(None, map(_FIELD.fullmatch, self._lines))
        return [(match[1].lower(), match[2].strip(b" \t")) for match in matches]

    def fields_beginning(self, prefix: bytes) -> Sequence[tuple[bytes, bytes]]:
        """The fields whose names begin with *prefix*, however their lines are written."""
        pattern = re.compile(rb"(?i:" + re.escape(prefix) + rb"[a-z0-9!#$%&'*+.^_`|~-]*)")
        names = {match[0].lower() for line in self._lines for match in pattern.finditer(line)}
        return [
            (name, value) for name in sorted(names) for value in self.header(name.decode("latin-1"))
        ]

    def _found(self, name: str) -> bytes | None:
        pattern = rb"(?i:" + re.escape(name.encode()) + rb")"
        for form in _FORMS:
            line = re.compile(form.replace(b"NAME", pattern))
            matches = [match for text in self._lines if (match := line.fullmatch(text))]
            if matches:
                return b", ".join(match["value"].strip(b" \t") for match in matches)
        return None
