"""Normalises an ASGI scope on its way in, and copies the application's changes back out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import MutableMapping

# The gate changes these for the application alone.
_INNER = ("headers", "edgeauth", "edgeauth.guard")
# What a field may be as it is; a subclass is copied as anything else.
_PAIRS = frozenset({tuple, list})


def rereadable(scope: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """*scope*, or a copy of it in which fields and addresses can be read more than once.

    The specification promises only iterables, and only that each field and address unpacks
    into two items.
    """
    changed: dict[str, Any] = {}
    fields = scope["headers"]
    if type(fields) is not list or not _PAIRS.issuperset(map(type, fields)):
        changed["headers"] = [(name, value) for name, value in fields]
    for end in ("client", "server"):
        address = scope.get(end)
        if address is not None and not isinstance(address, (tuple, list)):
            changed[end] = tuple(address)
    return {**scope, **changed} if changed else scope


def split_fields(
    scope: MutableMapping[str, Any], names: tuple[bytes, ...]
) -> tuple[list[Any], list[Any]]:
    """The fields of a rereadable *scope* that have one of *names*, and the others."""
    fields = scope["headers"]
    return (
        [field for field in fields if field[0] in names],
        [field for field in fields if field[0] not in names],
    )


def hand_back(inner: MutableMapping[str, Any], outer: MutableMapping[str, Any]) -> None:
    """Put into *outer* what the application wrote into its own copy *inner*.

    A router writes which route it took, and tracing outside of the gate names requests by it.
    """
    kept = {name: outer[name] for name in _INNER if name in outer}
    outer.update(inner)
    for name in _INNER:
        outer.pop(name, None)
    outer.update(kept)
