"""Log lines for refusals and passes: escaped, free of secrets, too few to drown in."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from edgeauth._record.logger import logger
from edgeauth.errors import PassNotAccepted, VerificationError, seconds
from edgeauth.observers import Observer
from edgeauth.verdict import Pass

if TYPE_CHECKING:
    from edgeauth.errors import StoreUnavailable
    from edgeauth.request import Request
    from edgeauth.verdict import Verdict

# A reason gets this many lines in a period; the rest are counted and reported with the
# next line of that reason.
LINES_PER_PERIOD = 20
PERIOD_SECONDS = 10.0

_MAX_TEXT = 200


class DecisionLog(Observer):
    """Writes one line a refusal under the logger ``edgeauth``, rate-limited by reason.

    Requests that a pass let in have a line each.

    Args:
        enforced: whether a refusal is carried out; the line says which.
        warns: whether to warn at start where it is not.
    """

    def __init__(self, *, enforced: bool, warns: bool = True) -> None:
        self._warns = warns and not enforced
        self._word = "refused" if enforced else "would refuse (report-only)"
        self._lock = threading.Lock()
        self._windows: dict[str, _Window] = {}

    def start(self) -> None:
        """Warn that nobody is refused, where that is so."""
        if self._warns:
            logger.warning(
                "report-only mode: every request is let through; "
                "set mode to 'enforce' when the log shows no refusal of a real visitor"
            )

    def decided(
        self, request: Request, verdict: Verdict, evidence: Exception | Pass | None, now: float
    ) -> None:
        """Log a refusal, or a request that a pass let in; no other has a line."""
        if isinstance(evidence, Pass):
            self.pass_accepted(request, evidence)
        elif evidence is not None:
            self.refusal(verdict.reason, request, evidence, now)

    def refusal(self, reason: str, request: Request, error: Exception, now: float) -> None:
        """Log one refusal, or count it if its reason has had its lines.

        Any *error* but a VerificationError is a failure of the decision itself.
        """
        suppressed = self._admit(reason, now)
        if suppressed is None:
            return
        fields = _fields(reason, request, error)
        if suppressed:
            fields["suppressed"] = suppressed
        level = logging.WARNING if isinstance(error, VerificationError) else logging.ERROR
        _write(level, self._word, fields)

    def pass_accepted(self, request: Request, accepted: Pass) -> None:
        """Log one request that came in by a pass.

        A warning, since that level is shown where logging is not set up, and each of them,
        since this is the record of who went past the edge. Only a holder can cause lines.
        """
        fields = _request_fields("pass", request)
        _write(logging.WARNING, "let in by a pass", {**fields, **_pass_fields(accepted)})

    def pass_not_accepted(self, request: Request, error: PassNotAccepted, now: float) -> None:
        """Log one pass that was not accepted, or count it if there were enough of these."""
        suppressed = self._admit("bad-pass", now)
        if suppressed is None:
            return
        fields = {**_request_fields("bad-pass", request), "detail": error.message}
        if error.found is not None:
            fields |= _pass_fields(error.found)
        if error.hint is not None:
            fields["hint"] = error.hint
        if suppressed:
            fields["suppressed"] = suppressed
        _write(logging.WARNING, "pass not accepted, judged as without one", fields)

    def not_remembered(self, request: Request, error: StoreUnavailable, now: float) -> None:
        """Log one request that is let in without a look, or count it if there were enough."""
        suppressed = self._admit("not-remembered", now)
        if suppressed is None:
            return
        fields = _fields(error.reason, request, error)
        if suppressed:
            fields["suppressed"] = suppressed
        _write(logging.WARNING, "let in without the replay store, it may be a replay", fields)

    def _admit(self, reason: str, now: float) -> int | None:
        """How many lines were left out since the last one; None to leave this one out."""
        with self._lock:
            window = self._windows.setdefault(reason, _Window(now))
            # The second comparison is for a clock that was set back.
            if not window.start <= now < window.start + PERIOD_SECONDS:
                window.start, window.lines = now, 0
            if window.lines >= LINES_PER_PERIOD:
                window.suppressed += 1
                return None
            window.lines += 1
            suppressed, window.suppressed = window.suppressed, 0
            return suppressed


class _Window:
    __slots__ = ("lines", "start", "suppressed")

    def __init__(self, start: float) -> None:
        self.start = start
        self.lines = 0
        self.suppressed = 0


def _write(level: int, word: str, fields: dict[str, Any]) -> None:
    text = " ".join(f"{name}={_escaped(value)}" for name, value in fields.items())
    logger.log(level, "%s: %s", word, text, extra={"edgeauth": fields})


def _request_fields(reason: str, request: Request) -> dict[str, Any]:
    return {
        "reason": reason,
        "method": request.method,
        "path": request.path,
        "peer": request.peer,
    }


def _pass_fields(found: Pass) -> dict[str, Any]:
    return {"holder": found.holder, "pass": found.id, "expires_at": found.expires_at}


def _fields(reason: str, request: Request, error: Exception) -> dict[str, Any]:
    fields = _request_fields(reason, request)
    if not isinstance(error, VerificationError):
        # Only the type: the text of a foreign error may hold what the client sent.
        fields["detail"] = f"the decision itself failed with {type(error).__name__}"
        return fields
    fields["detail"] = error.message
    if error.identity is not None:
        fields["key"] = error.identity.key_id
        fields["pop"] = error.identity.pop
    if error.age is not None:
        fields["age"] = seconds(error.age)
    if error.hint is not None:
        fields["hint"] = error.hint
    return fields


def _escaped(value: object) -> str:
    """ASCII, quoted if it is text, cut to a bearable length: nothing a client can forge."""
    if isinstance(value, str):
        return ascii(value if len(value) <= _MAX_TEXT else value[:_MAX_TEXT] + "...")
    return str(value)
