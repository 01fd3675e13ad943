"""A request as it was received, and as it would be with one part of it otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgeauth.ops.schemes.request_lines import RequestLines


@dataclass(frozen=True)
class Seen:
    """What is signed of a request.

    Attributes:
        lines: where the fields are.
        method, target, host: of the request.
        scheme: ``https`` or ``http``.
        changed: values of fields that are otherwise than in *lines*, by name in lower case.
    """

    lines: RequestLines
    method: str
    target: bytes | None
    host: bytes | None
    scheme: str
    changed: Mapping[str, bytes] = field(default_factory=dict)
    handshake: bool = False

    @classmethod
    def of(cls, lines: RequestLines, scheme: str) -> Self:
        """The request in *lines*, with the scheme that settings name."""
        return cls(lines, lines.method, lines.target, lines.host, scheme)

    def header(self, name: str) -> Sequence[bytes]:
        """The lines of a field."""
        wanted = name.lower()
        if wanted == "host":
            return () if self.host is None else (self.host,)
        if wanted in self.changed:
            return (self.changed[wanted],)
        return self.lines.header(name)

    @property
    def path(self) -> bytes:
        """The path, as it was received."""
        return (self.target or b"/").partition(b"?")[0]

    @property
    def query(self) -> bytes:
        """The query with its question mark, or nothing."""
        _, mark, query = (self.target or b"/").partition(b"?")
        return mark + query

    def with_path(self, path: bytes) -> Self:
        """The same with another path."""
        return replace(self, target=path + self.query)

    def with_query(self, query: bytes) -> Self:
        """The same with another query; nothing is none."""
        return replace(self, target=self.path + (b"?" + query if query else b""))

    def with_field(self, name: str, value: bytes) -> Self:
        """The same with another value of a field."""
        return replace(self, changed={**self.changed, name: value})

    def as_changed(self, before: Self, after: Self) -> Self:
        """This with what is otherwise in *after* than in *before*."""
        found = self
        for name in ("method", "host", "scheme"):
            if getattr(after, name) != getattr(before, name):
                found = replace(found, **{name: getattr(after, name)})
        if after.path != before.path:
            found = found.with_path(after.path)
        if after.query != before.query:
            found = found.with_query(after.query.removeprefix(b"?"))
        return replace(found, changed={**found.changed, **after.changed})
