"""What an operator may write for a method, a path and a mount point, and what it covers.

One of each, never a pattern::

    exempt = ["GET /healthz", "WEBSOCKET /feed"]
    mount_points = ["/app"]

A path is written as in the URL, so behind ``--root-path /app`` the first of these is
``GET /app/healthz``, under every server and framework.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgeauth.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgeauth.errors import MissingHeader
    from edgeauth.request import Request

_METHOD = re.compile(r"[A-Z]{1,32}")


def is_method(text: str) -> bool:
    """Whether *text* is a method in the letters that requests carry."""
    return bool(_METHOD.fullmatch(text))


def is_exact_path(text: str) -> bool:
    """Whether *text* is one path: from the root, without pattern, query, fragment or space."""
    return text.startswith("/") and text.isprintable() and not set(text) & set("*?# ")


class MountPoints:
    """The mount points at which a path that an operator wrote counts.

    Some servers let a client say where the application is mounted (daphne in any case; gunicorn
    through a proxy that hands SCRIPT_NAME on), and with it which view a path leads to. So a
    mount point counts only where it is configured.

    Args:
        paths: paths without a slash at the end; ``/`` is the root. None at all: the root alone.

    Attributes:
        paths: the same, with "" for the root.

    Raises:
        ConfigurationError: an entry is no such path.
    """

    def __init__(self, paths: Iterable[str] = ()) -> None:
        if isinstance(paths, (str, bytes)):
            raise ConfigurationError(f"mount_points must be a list of paths, not {paths!r}")
        self.paths = frozenset(_mount_point(path) for path in paths) or frozenset({""})

    def hold(self, request: Request) -> bool:
        """Whether *request* came to one of them."""
        return request.mount in self.paths or request.mount_is_configured


class ExemptRoutes:
    """The requests that need no credential.

    Args:
        entries: ``METHOD /exact/path``.
        mounts: where they count.

    Attributes:
        entries: pairs of a method and a path.
        paths: the paths alone, for a first look.
        mounts: where they count.

    Raises:
        ConfigurationError: an entry is of another form.
    """

    def __init__(self, entries: Iterable[str], mounts: MountPoints) -> None:
        if isinstance(entries, (str, bytes)):
            raise ConfigurationError(
                f"exempt must be a list of 'METHOD /exact/path' entries, not {entries!r}"
            )
        self.entries = frozenset(_exemption(entry) for entry in entries)
        self.paths = frozenset(path for _, path in self.entries)
        self.mounts = mounts

    def explain(self, request: Request, error: MissingHeader) -> None:
        """Say in *error* that *request* would be exempt, were its mount point configured."""
        if request.path in self.paths and not self.mounts.hold(request):
            error.hint = (
                "the path is exempt, and does not count at this mount point; if the application "
                "is mounted here, add it to mount_points"
            )


def _mount_point(path: str) -> str:
    if path == "/":
        return ""
    if not isinstance(path, str) or not is_exact_path(path) or path.endswith("/"):
        raise ConfigurationError(
            f"mount_points entry {path!r} must be a path with no slash at its end, such as "
            "'/app'; '/' alone is the root"
        )
    return path


def _exemption(entry: str) -> tuple[str, str]:
    method, _, path = str(entry).partition(" ")
    if not isinstance(entry, str) or not is_method(method) or not path.startswith("/"):
        raise ConfigurationError(
            f"exempt entry {entry!r} must be 'METHOD /exact/path', such as 'GET /healthz'"
        )
    if not is_exact_path(path):
        raise ConfigurationError(
            f"exempt entry {entry!r} must name one exact path: no pattern, query or space"
        )
    return method, path
