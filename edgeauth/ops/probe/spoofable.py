"""The fields in which somebody tells of a request what only its own head may tell.

Those of every kind of proxy that the service knows are here without being named, so that a new
kind is tried like the others. Servers and frameworks have more of them.
"""

from __future__ import annotations

from typing import NamedTuple

from edgeauth.service.original_request import KINDS, UPGRADE, Kind

_TARGETS = ("X-Rewrite-URL", "X-Forwarded-Path", "X-Envoy-Original-Path", "X-Accel-Redirect")
_METHODS = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
_HOSTS = ("X-Forwarded-Host", "X-Original-Host", "Forwarded")
# daphne, gunicorn, ProxyFix and others take the mount point from these.
_MOUNTS = ("Daphne-Root-Path", "SCRIPT_NAME", "Script-Name", "X-Script-Name", "X-Forwarded-Prefix")


class Spoof(NamedTuple):
    """A set of fields that claim one thing together.

    Attributes:
        id: stable, for programs.
        title: for people.
        fields: what is sent.
        path: the path to ask for; None for the page that the edge asks for.
    """

    id: str
    title: str
    fields: tuple[tuple[str, str], ...]
    path: str | None = None


def spoofs(method: str, path: str) -> list[Spoof]:
    """All claims that a request for another page is the exempt *method* and *path*."""
    every = _all()
    aimed = [
        *((name, path) for name in every.targets if not name.endswith("-URL")),
        *((name, f"http://localhost{path}") for name in every.targets if name.endswith("-URL")),
        *((name, method) for name in every.methods),
        *((name, "localhost") for name in every.hosts),
        (UPGRADE, ""),
    ]
    found = [
        Spoof(
            f"spoofed-{name}",
            f"{path}, as {name} tells it",
            tuple(field for field in aimed if field[0] in _names(kind)),
        )
        for name, kind in KINDS.items()
        if _names(kind)
    ]
    mount, _, rest = path.rpartition("/")
    point, asked = (mount, f"/{rest}") if mount else (path, "/")
    return [
        *found,
        Spoof("spoofed-target", f"{path} in every field that names a path", tuple(aimed)),
        Spoof("spoofed-twins", f"{path} in fields with underscores", _twins(aimed)),
        Spoof("spoofed-mount", f"mounted at {point}", _at(point), asked),
        Spoof(
            "spoofed-mount-twins",
            f"mounted at {point}, with underscores",
            _twins(_at(point)),
            asked,
        ),
    ]


def names() -> tuple[str, ...]:
    """All of these fields."""
    every = _all()
    return (*every.targets, *every.methods, *every.hosts, *_MOUNTS, UPGRADE)


class _Every(NamedTuple):
    targets: tuple[str, ...]
    methods: tuple[str, ...]
    hosts: tuple[str, ...]


def _all() -> _Every:
    return _Every(
        tuple(
            dict.fromkeys([name for kind in KINDS.values() for name in kind.targets] + [*_TARGETS])
        ),
        tuple(
            dict.fromkeys([name for kind in KINDS.values() for name in kind.methods] + [*_METHODS])
        ),
        tuple(dict.fromkeys([name for kind in KINDS.values() for name in kind.hosts] + [*_HOSTS])),
    )


def _names(kind: Kind) -> tuple[str, ...]:
    return kind.targets + kind.methods + kind.hosts


def _at(point: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, point) for name in _MOUNTS)


def _twins(
    fields: list[tuple[str, str]] | tuple[tuple[str, str], ...],
) -> tuple[tuple[str, str], ...]:
    return tuple((name.replace("-", "_"), value) for name, value in fields)
