"""A request as the core sees it, made from plain values."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeauth.request import folded_spellings


class Fields(list):
    """(name, value) pairs; called, they are what ``Request.fields()`` returns."""

    def __call__(self) -> list[tuple[bytes, bytes]]:
        return [(name.lower().encode(), value) for name, value in self]


@dataclass
class PlainRequest:
    """Implements edgeauth.Request; ``fields`` are (name, value) pairs in any case."""

    method: str = "GET"
    path: str = "/"
    handshake: bool | None = False
    mount: str = ""
    mount_is_configured: bool = False
    target: bytes | None = None
    host: bytes | None = b"origin.example"
    peer: str | None = "192.0.2.1"
    unix: bool = False
    query: bytes | None = b""
    scheme: str | None = "https"
    compares_body: bool = True
    fields: list[tuple[str, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fields = Fields(self.fields)

    def header(self, name: str) -> list[bytes]:
        return [value for given, value in self.fields if given.lower() == name.lower()]

    def fields_beginning(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        begins = folded_spellings(prefix)
        return [pair for pair in self.fields() if pair[0].startswith(begins)]


class BrokenRequest(PlainRequest):
    """A view of somebody's own that fails when it is asked for its path."""

    @property
    def path(self) -> str:
        raise LookupError

    @path.setter
    def path(self, _value: str) -> None:
        pass
