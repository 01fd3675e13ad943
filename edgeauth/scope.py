"""Normalises an ASGI scope on its way in, and copies the application's changes back out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_ABSENT = object()


def rereadable_fields(scope: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A copy of *scope* in which fields can be read more than once.

    The specification promises only iterables, and only that each field unpacks into two items.
    """
    return {**scope, "headers": [(name, value) for name, value in scope["headers"]]}


def rereadable_addresses(scope: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """*scope*, or a copy of it in which the addresses can be read more than once."""
    changed: dict[str, Any] = {}
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
    # What the gate changed for the application alone.
    fields = outer["headers"]
    verdict, guard = outer.get("edgeauth", _ABSENT), outer.get("edgeauth.guard", _ABSENT)
    outer.update(inner)
    outer["headers"] = fields
    _restore(outer, "edgeauth", verdict)
    _restore(outer, "edgeauth.guard", guard)


def _restore(scope: MutableMapping[str, Any], name: str, value: object) -> None:
    if value is _ABSENT:
        scope.pop(name, None)
    else:
        scope[name] = value
