"""Opens the sockets that the workers share, and logs who can reach them."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import stat
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeauth.errors import ConfigurationError, explain

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from edgeauth.service.settings import ServiceSettings

logger = logging.getLogger("edgeauth.service")

_BACKLOG = 2048
_UNIX = "unix:"
_SYSTEMD = "systemd"
_FIRST_PASSED = 3  # sd_listen_fds(3)
_MAX_PORT = 65535

# A machine without IPv6 may still resolve a name to ::1.
_NOT_ON_THIS_MACHINE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class Listeners:
    """The sockets of one address.

    Args:
        address: ``unix:/path``, ``host:port``, which may be several sockets, or ``systemd``
            for the sockets that systemd passes.
        mode: the permissions of a Unix socket.
        environ: holds the variables of systemd. They are removed when they are used, since they
            are meant for this process alone.

    Attributes:
        sockets: the listening sockets.

    Raises:
        ConfigurationError: the address cannot be read or used.
    """

    def __init__(self, address: str, *, mode: int, environ: MutableMapping[str, str]) -> None:
        self._path: Path | None = None
        if address == _SYSTEMD:
            self.sockets = _passed(environ)
        elif address.startswith(_UNIX):
            path = address.removeprefix(_UNIX)
            self.sockets = [_listen_unix(path, mode)]
            self._path = Path(path)
            self._made = _identity(self._path)
        else:
            self.sockets = _listen_tcp(address)

    def close(self) -> None:
        """Close the sockets, and remove the Unix socket if it is still the one made here.

        By now it may belong to a successor.
        """
        if self._path is not None and self._made is not None:
            with contextlib.suppress(OSError):
                # Before it is closed: until then no other file gets its inode.
                if _identity(self._path) == self._made:
                    self._path.unlink()
        for listener in self.sockets:
            listener.close()


def log_listeners(
    deciding: list[socket.socket], admin: list[socket.socket], service: ServiceSettings
) -> None:
    """Log where the service listens, and warn if other machines can reach it."""
    for listener in deciding:
        logger.info("deciding for %s on %s", service.proxy, name_of(listener))
        if open_to_others(listener):
            logger.warning(
                "%s can be reached from other machines: whoever reaches it can ask for "
                "decisions without limit, and the credential of every request crosses the "
                "network in the clear. Only %s are believed about the original request. "
                "Prefer a Unix socket, or let a firewall admit the proxies alone",
                name_of(listener),
                ", ".join(service.proxy_addresses),
            )
    for listener in admin:
        logger.info("/healthz, /readyz and /metrics on %s", name_of(listener))
        if open_to_others(listener):
            logger.warning(
                "%s can be reached from other machines: key ids, POPs and the number of "
                "requests are there for everybody to read",
                name_of(listener),
            )


def warn_of_unused(environ: MutableMapping[str, str]) -> None:
    """Warn if systemd passed sockets that nobody accepts connections on."""
    if environ.get("LISTEN_PID") == str(os.getpid()):
        logger.warning(
            "systemd handed over %s sockets that are not used: write listen = %r for them, or "
            "disable the socket unit. Whoever connects to them waits for ever",
            environ.get("LISTEN_FDS", "some"),
            _SYSTEMD,
        )


def open_to_others(listener: socket.socket) -> bool:
    """Whether other machines may be able to reach this socket."""
    return (
        listener.family != socket.AF_UNIX and not ip_address(listener.getsockname()[0]).is_loopback
    )


def name_of(listener: socket.socket) -> str:
    """The address for people."""
    name = listener.getsockname()
    if listener.family == socket.AF_UNIX:
        # One in the abstract namespace has no file.
        return _UNIX + (f"@{name[1:].decode()}" if isinstance(name, bytes) else name)
    return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        at = path.lstat()
    except OSError:
        return None
    return at.st_dev, at.st_ino


def _listen_unix(path: str, mode: int) -> socket.socket:
    if not path.startswith("/"):
        raise ConfigurationError(f"listen {_UNIX}{path}: write an absolute path")
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # The socket never exists with wider permissions.
    mask = os.umask(0o777 & ~mode)
    try:
        listener.bind(path)
        listener.listen(_BACKLOG)
    except (OSError, ValueError) as error:
        listener.close()
        raise _unusable(_UNIX + path, error) from None
    finally:
        os.umask(mask)
    return listener


def _remove_stale(path: str) -> None:
    """Remove the socket of a service that was killed, but not of one that still runs."""
    with contextlib.suppress(OSError, ValueError):
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                # A full queue means that it runs: connecting must not wait for it.
                probe.setblocking(False)  # noqa: FBT003 - no keyword there
                try:
                    probe.connect(path)
                except ConnectionRefusedError:
                    Path(path).unlink()


def _listen_tcp(address: str) -> list[socket.socket]:
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > _MAX_PORT:
        raise ConfigurationError(
            f"listen address {address!r} must be unix:/path, host:port or {_SYSTEMD}"
        )
    try:
        found = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        raise _unusable(address, error) from None
    # A name may have several addresses, and a client may choose any of them.
    addresses = dict.fromkeys((family, where) for family, _, _, _, where in found)
    listeners: list[socket.socket] = []
    missing: OSError | None = None
    for family, where in addresses:
        try:
            listeners.append(_listen_at(family, where, alone=len(addresses) == 1))
        except OSError as error:
            if error.errno in _NOT_ON_THIS_MACHINE:
                missing = error
                continue
            for listener in listeners:
                listener.close()
            raise _unusable(f"{address} ({where[0]})", error) from None
    if missing is not None and not listeners:
        raise _unusable(address, missing)
    return listeners


def _listen_at(family: int, where: tuple[Any, ...], *, alone: bool) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and not alone:
            # Otherwise [::] takes the port of 0.0.0.0 too, which has its own socket.
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(where)
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def _passed(environ: MutableMapping[str, str]) -> list[socket.socket]:
    count = environ.pop("LISTEN_FDS", "")
    environ.pop("LISTEN_FDNAMES", None)
    if environ.pop("LISTEN_PID", "") != str(os.getpid()) or not count.isdigit() or count == "0":
        raise ConfigurationError("listen is 'systemd', and systemd handed over no socket")
    return [_listening(_FIRST_PASSED + index) for index in range(int(count))]


def _listening(descriptor: int) -> socket.socket:
    try:
        listener = socket.socket(fileno=descriptor)
        listens = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise _unusable(f"descriptor {descriptor} of systemd", error) from None
    if not listens or listener.type != socket.SOCK_STREAM:
        raise ConfigurationError(
            f"descriptor {descriptor} of systemd is no listening stream socket: write "
            "ListenStream= in the socket unit, and not Accept=yes"
        )
    listener.set_inheritable(False)
    return listener


def _unusable(address: str, error: Exception) -> ConfigurationError:
    return ConfigurationError(f"cannot listen on {address}: {explain(error)}")
