"""What the rows of all vector files have: a request, settings, and whether it is accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from support.requests import PlainRequest


@dataclass(frozen=True)
class RequestRow:
    """One request, and whether a verifier with *settings* accepts it at *now*."""

    name: str
    request: dict[str, Any]
    settings: dict[str, Any]
    now: float
    accept: bool

    @property
    def fields(self) -> list[tuple[str, bytes]]:
        """Name and value of each header line; text stands for its latin-1 bytes."""
        return [(name, value.encode("latin-1")) for name, value in self.request["headers"]]

    @property
    def target(self) -> bytes:
        return self.request["target"].encode("latin-1")

    def plain(self, **otherwise: Any) -> PlainRequest:
        """The request as the core sees it, but for what is *otherwise*."""
        hosts = [value for name, value in self.fields if name.lower() == "host"]
        facts = {
            "method": self.request["method"],
            "path": self.target.partition(b"?")[0].decode("latin-1"),
            "target": self.target,
            "host": hosts[0] if hosts else None,
            "fields": self.fields,
        }
        return PlainRequest(**{**facts, **otherwise})

    def scheme(self) -> Any:
        """The verifier that the row describes."""
        raise NotImplementedError

    def verify(self, request: Any) -> Any:
        """The identity of *request* by the row's scheme, at its time.

        Raises:
            VerificationError: it is refused.
        """
        return self.scheme().verify(request, now=self.now)
