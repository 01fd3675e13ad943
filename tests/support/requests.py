"""A request as the core sees it, made from plain values."""

from __future__ import annotations

from dataclasses import dataclass, field


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
    fields: list[tuple[str, bytes]] = field(default_factory=list)

    def header(self, name: str) -> list[bytes]:
        return [value for given, value in self.fields if given.lower() == name.lower()]
