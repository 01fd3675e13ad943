"""Every decision as one line of JSON, for ``edgeauth report``.

Off unless the setting ``decisions`` names a file. Then each request costs one line and one
system call more, so it is for finding out whether it is safe to enforce, and for as long as
the disk is worth it.

A line has these fields, and never a credential, a query or another header::

    time      Unix seconds
    allowed   whether the request passed
    reason    the code of the verdict
    enforced  false where it passed only because the mode is report-only
    method, path, peer      peer: the nearest address that is no trusted proxy, or null
    key, pop, age           who signed, and how many seconds before; null if not authentic
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from edgeauth.decision_log import logger
from edgeauth.errors import AddressNotAllowed, ConfigurationError, VerificationError

if TYPE_CHECKING:
    from edgeauth.forwarded import TrustedProxies
    from edgeauth.guard import Verdict
    from edgeauth.request import Request

# A line is below 4096 bytes even when each character becomes an escape of twelve: what a
# pipe takes whole, so that lines of several processes never mix there either.
_MAX_PATH = 240
_MAX_METHOD = 20
_MAX_PEER = 45

# How often it is looked whether the file was moved away, as logrotate does, and how often
# a failure is told.
_LOOK_SECONDS = 1.0
_TELL_SECONDS = 60.0

_encode = json.JSONEncoder(separators=(",", ":")).encode


class DecisionFile:
    """Appends decisions to a file that several processes may share.

    Each line is one write to a descriptor that only appends. What cannot be written is
    lost and counted, and said in the log at most once a minute: the request goes on.

    Args:
        path: the file; made with mode 640 if it is not there. ``/dev/stdout``, ``/dev/stderr``
            and a named pipe with a reader are fine: it is never waited for.
        proxies: whose X-Forwarded-For is believed about the peer.

    Attributes:
        lost: how many lines could not be written.

    Raises:
        ConfigurationError: the file cannot be opened.
    """

    def __init__(self, path: str, proxies: TrustedProxies) -> None:
        self.lost = 0
        self._path = path
        self._proxies = proxies
        self._lock = threading.Lock()
        self._looked_at = 0.0
        self._told_at = -_TELL_SECONDS
        self._torn = False
        self._fd = -1
        try:
            self._fd = _open(path)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "not a usable path"
            raise ConfigurationError(f"decisions file {path!r} cannot be opened: {why}") from None

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)

    def write(
        self, request: Request, verdict: Verdict, now: float, error: Exception | None = None
    ) -> None:
        """Append the decision about *request* at *now* (Unix seconds); never raises.

        *error* is what a refusal was made from.
        """
        try:
            line = self._line(request, verdict, now, error)
            self._append(line, now)
        except Exception as failure:  # noqa: BLE001 - a full disk must not refuse anybody
            with contextlib.suppress(Exception):
                self._lose(failure, now)

    def _line(
        self, request: Request, verdict: Verdict, now: float, error: Exception | None
    ) -> bytes:
        identity, age = verdict.identity, None
        if isinstance(error, VerificationError):
            identity, age = error.identity, error.age
        if identity is not None and age is None:
            age = identity.age(now)
        # All ASCII: what a client sent can end no line and steer no terminal.
        return _encode(
            {
                "time": round(now, 3),
                "allowed": verdict.allowed,
                "reason": verdict.reason,
                "enforced": verdict.enforced,
                "method": _cut(request.method, _MAX_METHOD),
                "path": _cut(request.path, _MAX_PATH),
                "peer": self._peer(request),
                "key": None if identity is None else identity.key_id,
                "pop": None if identity is None else identity.pop,
                "age": None if age is None else round(age, 3),
            }
        ).encode()

    def _peer(self, request: Request) -> str | None:
        try:
            peer: str | None = self._proxies.client_address(request)
        except AddressNotAllowed:
            peer = request.peer
        return None if peer is None else _cut(peer, _MAX_PEER)

    def _append(self, line: bytes, now: float) -> None:
        with self._lock:
            if abs(now - self._looked_at) >= _LOOK_SECONDS:
                self._looked_at = now
                self._follow()
            # After half a line, on a disk that was full, the next one begins anew.
            whole = b"\n" + line + b"\n" if self._torn else line + b"\n"
            written = os.write(self._fd, whole)
            self._torn = written < len(whole)
            if self._torn:
                raise OSError(None, "the line was written in part")

    def _follow(self) -> None:
        """Open the path again where it no longer leads to the open file."""
        try:
            there = Path(self._path).stat()
        except FileNotFoundError:
            pass
        else:
            if os.path.samestat(there, os.fstat(self._fd)):
                return
        fd = _open(self._path)
        os.close(self._fd)
        self._fd, self._torn = fd, False

    def _lose(self, failure: Exception, now: float) -> None:
        with self._lock:
            self.lost += 1
            if abs(now - self._told_at) < _TELL_SECONDS:
                return
            self._told_at = now
        why = getattr(failure, "strerror", None) or type(failure).__name__
        logger.error("decisions file %a: %s; %d lines are lost so far", self._path, why, self.lost)


def _open(path: str) -> int:
    # Without O_NONBLOCK, a named pipe that nobody reads would stop the app.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
    return os.open(path, flags, 0o640)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."
