"""Holes, to be planted in the process of the gates: the matrix must find each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeauth.asgi import ScopeRequest, SplitRequest
from edgeauth.digest import DigestedBody
from edgeauth.guard import Guard
from edgeauth.replay.memory import MemoryReplayStore
from edgeauth.schemes import azure_shared_key
from edgeauth.wsgi import EnvironRequest

if TYPE_CHECKING:
    from collections.abc import Callable

_planted: set[str] = set()


def plant(name: str | None) -> None:
    """Open the hole of this name; None opens none."""
    if name is not None and name not in _planted:
        _planted.add(name)
        _HOLES[name]()


class _Otherwise:
    """A request, one member of which is otherwise."""

    def __init__(self, request: Any, member: str, value: Any) -> None:
        self._request = request
        setattr(self, member, value)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)


def _also_with(member: str, change: Callable[[Any], Any]) -> None:
    """Let in what would be let in if a member of the request were otherwise."""
    real = Guard.check

    def check(self: Guard, request: Any, **how: Any) -> Any:
        verdict = real(self, request, **how)
        found = None if verdict.allowed else getattr(request, member)
        return verdict if not found else real(self, _Otherwise(request, member, change(found)))

    Guard.check = check


def _the_last_of_two() -> None:
    for view in (ScopeRequest, SplitRequest, EnvironRequest):
        real = view.header

        def header(self: Any, name: str, real: Any = real) -> Any:
            return [value.rpartition(b",")[2].strip() for value in real(self, name)[-1:]]

        view.header = header


def _underscores_that_are_dashes() -> None:
    def header(self: Any, name: str) -> list[bytes]:
        wanted = name.lower().replace("-", "_").encode()
        fields = self._scope["headers"]
        return [value for field, value in fields if field.replace(b"-", b"_") == wanted]

    ScopeRequest.header = SplitRequest.header = header


def _times_that_never_end() -> None:
    real = azure_shared_key.identity_in_time
    azure_shared_key.identity_in_time = lambda *given, **how: real(
        *given, **{**how, "max_skew": 1e9}
    )


_HOLES: dict[str, Callable[[], None]] = {
    "targets in any case": lambda: _also_with("target", bytes.lower),
    "targets without their query": lambda: _also_with("target", lambda t: t.partition(b"?")[0]),
    "HEAD that is GET": lambda: _also_with("method", lambda _: "GET"),
    "the last of two fields": _the_last_of_two,
    "underscores that are dashes": _underscores_that_are_dashes,
    "times that never end": _times_that_never_end,
    "a store that forgets": lambda: setattr(MemoryReplayStore, "remember", lambda *_, **__: True),
    "bodies that nobody compares": lambda: setattr(DigestedBody, "refuse", lambda *_, **__: None),
    "fields that stay": lambda: setattr(Guard, "stripped_headers", ()),
}
