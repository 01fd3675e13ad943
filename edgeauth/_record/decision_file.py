"""Every decision as one line of JSON, for ``edgeauth report``.

Off unless the setting ``decisions`` names a file. Then each request costs one line and one
system call more, so it is for finding out whether it is safe to enforce, and for as long as
the disk is worth it.

A line is a :class:`DecisionLine`, and never has a credential, a query or another header. What a
process could not write is said in a line of its own, as soon as there is room again: a
:class:`LostLine`.
"""

from __future__ import annotations

import contextlib
import json
import threading
from typing import TYPE_CHECKING, Annotated, TypedDict

from edgeauth._record.logger import logger
from edgeauth.errors import AddressNotAllowed, ConfigurationError, VerificationError, explain
from edgeauth.observers import Observer
from edgeauth.posix import demand

if TYPE_CHECKING:
    from edgeauth._record.append import Target
    from edgeauth.forwarded import TrustedProxies
    from edgeauth.request import Request
    from edgeauth.verdict import Pass, Verdict

# A line is below 4096 bytes even when each character becomes an escape of twelve: what a
# pipe takes whole, so that lines of several processes never mix there either.
_MAX_PATH = 240
_MAX_METHOD = 20
_MAX_PEER = 45
_MAX_SCHEME = 24

# How often it is looked whether the file was moved away, as logrotate does, and how often
# a failure is told.
_LOOK_SECONDS = 1.0
_TELL_SECONDS = 60.0

_encode = json.JSONEncoder(separators=(",", ":")).encode


class DecisionLine(TypedDict):
    """The fields of a line, in their order, and what each means."""

    time: Annotated[float, "Unix seconds"]
    allowed: Annotated[bool, "whether the request passed"]
    reason: Annotated[str, "the code of the verdict"]
    enforced: Annotated[bool, "false where it passed only because the mode is `report-only`"]
    method: Annotated[str, "as received"]
    path: Annotated[str, "as in the URL, decoded, without the query"]
    peer: Annotated[str | None, "the nearest address that is no trusted proxy"]
    scheme: Annotated[str | None, "the kind of scheme of the credential; null if not authentic"]
    key: Annotated[str | None, "the id of the key that signed; null if not authentic"]
    pop: Annotated[str | None, "the POP that signed; null where it names none"]
    age: Annotated[float | None, "seconds since it was signed; null where that is not known"]


class LostLine(TypedDict):
    """A line about those that could not be written."""

    time: Annotated[float, "Unix seconds"]
    lost: Annotated[int, "how many lines of this process are missing before this one"]


class DecisionFile(Observer):
    """Appends decisions to a file that several processes may share.

    Each line is one write to a descriptor that only appends, and it begins anew after half a
    line of any process. What cannot be written is lost and counted, in the file itself and, at
    most once a minute, in the log: the request goes on.

    Args:
        path: the file; made with mode 640 by the first decision if it is not there, and by
            nothing before. ``/dev/stdout``, ``/dev/stderr``, ``/dev/fd/N`` and a named pipe
            with a reader are fine, whatever they lead to: it is never waited for.
        proxies: whose X-Forwarded-For is believed about the peer.

    Attributes:
        lost: how many lines could not be written.

    Raises:
        ConfigurationError: the system cannot append so (Windows).
    """

    every_decision = True

    def __init__(self, path: str, proxies: TrustedProxies) -> None:
        self.lost = 0
        self._path = path
        self._proxies = proxies
        self._lock = threading.Lock()
        self._looked_at = 0.0
        self._told_at = -_TELL_SECONDS
        # How many lost lines the file does not know of.
        self._untold = 0
        demand("the setting decisions", "fcntl")
        from edgeauth._record.append import target  # noqa: PLC0415 - not on Windows

        self._open = target
        self._target: Target | None = None

    def start(self) -> None:
        """Open the file if it is there, and look whether it could be made if it is not.

        Raises:
            ConfigurationError: neither.
        """
        try:
            self._target = self._open(self._path)
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"decisions file {self._path!r} cannot be opened: {explain(error)}"
            ) from None

    def decided(
        self, request: Request, verdict: Verdict, evidence: Exception | Pass | None, now: float
    ) -> None:
        """Append one decision; never raises."""
        try:
            line = self._line(request, verdict, evidence, now)
            self._append(line, now)
        except Exception as failure:  # noqa: BLE001 - a full disk must not refuse anybody
            with contextlib.suppress(Exception):
                self._lose(failure, now)

    def _line(
        self, request: Request, verdict: Verdict, evidence: Exception | Pass | None, now: float
    ) -> bytes:
        identity, age = verdict.identity, None
        if isinstance(evidence, VerificationError):
            identity, age = evidence.identity, evidence.age
        if identity is not None and age is None:
            age = identity.age(now)
        line: DecisionLine = {
            "time": round(now, 3),
            "allowed": verdict.allowed,
            "reason": verdict.reason,
            "enforced": verdict.enforced,
            "method": _cut(request.method, _MAX_METHOD),
            "path": _cut(request.path, _MAX_PATH),
            "peer": self._peer(request),
            "scheme": None if identity is None else _cut(identity.scheme, _MAX_SCHEME),
            "key": None if identity is None else identity.key_id,
            "pop": None if identity is None else identity.pop,
            "age": None if age is None else round(age, 3),
        }
        # All ASCII: what a client sent can end no line and steer no terminal.
        return _encode(line).encode()

    def _peer(self, request: Request) -> str | None:
        try:
            peer: str | None = self._proxies.client_address(request)
        except AddressNotAllowed:
            peer = request.peer
        return None if peer is None else _cut(peer, _MAX_PEER)

    def _append(self, line: bytes, now: float) -> None:
        with self._lock:
            look = abs(now - self._looked_at) >= _LOOK_SECONDS
            if look:
                self._looked_at = now
            head = b""
            if self._untold:
                lost: LostLine = {"time": round(now, 3), "lost": self._untold}
                head = _encode(lost).encode() + b"\n"
            whole = head + line + b"\n"
            if self._target is None:
                self._target = self._open(self._path)
            written = self._target.write(whole, look=look)
            if written >= len(head):
                self._untold = 0
            if written < len(whole) - 1:
                # Half a line is to be seen in the file, and needs no other that tells of it.
                self._untold -= written > len(head)
                raise OSError(None, "the line was written in part")

    def _lose(self, failure: Exception, now: float) -> None:
        with self._lock:
            self.lost += 1
            self._untold += 1
            if abs(now - self._told_at) < _TELL_SECONDS:
                return
            self._told_at = now
        why = explain(failure) if isinstance(failure, OSError) else type(failure).__name__
        logger.error("decisions file %a: %s; %d lines are lost so far", self._path, why, self.lost)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."
