"""The sockets that the service listens on; the supervisor opens them and the workers share them."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from edgeauth.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_BACKLOG = 2048
_UNIX = "unix:"
_SYSTEMD = "systemd"
_FIRST_PASSED = 3  # sd_listen_fds(3)
_MAX_PORT = 65535


def open_listeners(
    address: str, *, mode: int, environ: MutableMapping[str, str]
) -> list[socket.socket]:
    """Listen at ``unix:/path`` or ``host:port``, or take what systemd hands over.

    Args:
        address: where.
        mode: the permissions of a Unix socket.
        environ: has the variables of systemd, which are removed: they are for this process.

    Raises:
        ConfigurationError: the address cannot be read or used.
    """
    if address == _SYSTEMD:
        return _passed(environ)
    if address.startswith(_UNIX):
        return [_listen_unix(address.removeprefix(_UNIX), mode)]
    return [_listen_tcp(address)]


def close_listeners(listeners: list[socket.socket], address: str) -> None:
    """Close them, and remove the Unix socket that :func:`open_listeners` made."""
    for listener in listeners:
        listener.close()
    if address.startswith(_UNIX):
        Path(address.removeprefix(_UNIX)).unlink(missing_ok=True)


def open_to_others(listener: socket.socket) -> bool:
    """Whether other machines may reach this socket."""
    return (
        listener.family != socket.AF_UNIX and not ip_address(listener.getsockname()[0]).is_loopback
    )


def name_of(listener: socket.socket) -> str:
    """The address for people."""
    name = listener.getsockname()
    return f"{_UNIX}{name}" if listener.family == socket.AF_UNIX else f"{name[0]}:{name[1]}"


def _listen_unix(path: str, mode: int) -> socket.socket:
    if not path.startswith("/"):
        raise ConfigurationError(f"listen {_UNIX}{path}: write an absolute path")
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # No moment in which the socket is there with wider permissions.
    mask = os.umask(0o777 & ~mode)
    try:
        listener.bind(path)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise _unusable(_UNIX + path, error) from None
    finally:
        os.umask(mask)
    return listener


def _remove_stale(path: str) -> None:
    """Remove the socket of a service that was killed, but not of one that still answers."""
    with contextlib.suppress(OSError):
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                try:
                    probe.connect(path)
                except ConnectionRefusedError:
                    Path(path).unlink()


def _listen_tcp(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > _MAX_PORT:
        raise ConfigurationError(
            f"listen address {address!r} must be unix:/path, host:port or {_SYSTEMD}"
        )
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            host, int(port), type=socket.SOCK_STREAM
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _unusable(address, error) from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise _unusable(address, error) from None
    return listener


def _passed(environ: MutableMapping[str, str]) -> list[socket.socket]:
    count = environ.pop("LISTEN_FDS", "")
    environ.pop("LISTEN_FDNAMES", None)
    if environ.pop("LISTEN_PID", "") != str(os.getpid()) or not count.isdigit() or count == "0":
        raise ConfigurationError("listen is 'systemd', and systemd handed over no socket")
    return [socket.socket(fileno=_FIRST_PASSED + place) for place in range(int(count))]


def _unusable(address: str, error: OSError) -> ConfigurationError:
    return ConfigurationError(f"cannot listen on {address}: {error.strerror}")
