"""Log lines for refusals: escaped, free of secrets, and few enough to survive a flood."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from edgeauth.errors import VerificationError, seconds

if TYPE_CHECKING:
    from edgeauth.request import Request

logger = logging.getLogger("edgeauth")

# A reason gets this many lines in a period; the rest are counted and reported with the
# next line of that reason.
LINES_PER_PERIOD = 20
PERIOD_SECONDS = 10.0

_MAX_TEXT = 200


class DecisionLog:
    """Writes one line a refusal under the logger ``edgeauth``, rate-limited by reason.

    Args:
        enforced: whether a refusal is carried out; the line says which.
    """

    def __init__(self, *, enforced: bool) -> None:
        self._word = "refused" if enforced else "would refuse (report-only)"
        self._lock = threading.Lock()
        self._windows: dict[str, _Window] = {}

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
        text = " ".join(f"{name}={_escaped(value)}" for name, value in fields.items())
        level = logging.WARNING if isinstance(error, VerificationError) else logging.ERROR
        logger.log(level, "%s: %s", self._word, text, extra={"edgeauth": fields})

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


def _fields(reason: str, request: Request, error: Exception) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "reason": reason,
        "method": request.method,
        "path": request.path,
        "peer": request.peer,
    }
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
