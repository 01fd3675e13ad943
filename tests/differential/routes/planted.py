"""Holes, to be planted in a server's process: the matrix must find each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeauth.asgi import ScopeRequest, SplitRequest
from edgeauth.wsgi import EnvironRequest

if TYPE_CHECKING:
    from collections.abc import Callable


def plant(name: str | None) -> None:
    """Open the hole of this name; None opens none."""
    if name is not None:
        _HOLES[name]()


def _mount_points_from_anybody() -> None:
    for view in (ScopeRequest, EnvironRequest):
        view.mount_is_configured = True


def _methods_that_are_handshakes() -> None:
    for view in (ScopeRequest, EnvironRequest):
        real = view.handshake.fget
        view.handshake = property(lambda self, real=real: self.method == "WEBSOCKET" or real(self))


def _handshakes_that_are_pages() -> None:
    EnvironRequest.handshake = False


def _paths_without_their_end() -> None:
    for view in (ScopeRequest, EnvironRequest):
        real = view.path.fget
        view.path = property(lambda self, real=real: real(self).rstrip("/") + "/")


def _underscores_that_are_dashes() -> None:
    def header(self: ScopeRequest, name: str) -> list[bytes]:
        wanted = name.lower().replace("-", "_").encode()
        fields = self._scope["headers"]
        return [value for field, value in fields if field.replace(b"-", b"_") == wanted]

    ScopeRequest.header = SplitRequest.header = header


_HOLES: dict[str, Callable[[], None]] = {
    "mount points from anybody": _mount_points_from_anybody,
    "methods that are handshakes": _methods_that_are_handshakes,
    "handshakes that are pages": _handshakes_that_are_pages,
    "paths without their end": _paths_without_their_end,
    "underscores that are dashes": _underscores_that_are_dashes,
}
