"""What is wrong with the time at which a credential was made."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Protocol

from edgeauth.errors import VerificationError, seconds
from edgeauth.ops.schemes.diagnosis import Field, Finding
from edgeauth.ops.schemes.part import Part, shortened
from edgeauth.schemes.edge_auth.grammar import TIMESTAMP

if TYPE_CHECKING:
    from edgeauth.ops.schemes.request_lines import RequestLines
    from edgeauth.schemes.base import Scheme

_UNIX = re.compile(TIMESTAMP)
_FINER_THAN_SECONDS = re.compile(rb"[1-9][0-9]{12,18}|[0-9]+\.[0-9]+")
_TWO_HOURS = 7200
_TWO_DAYS = 172_800
# The last second that every platform can print as a date.
_LAST_DATE = 32_503_679_999


class HasWindow(Protocol):
    """A scheme with a window around the time of signing, in seconds."""

    max_age: float
    max_future: float


def explain_timestamp(raw: bytes, scheme: HasWindow, now: float) -> Part:
    """The time *raw*, held against the window of *scheme* at *now* (Unix seconds)."""
    if not _UNIX.fullmatch(raw):
        return Field("timestamp", shortened(raw), ok=False, note="no Unix time"), [
            _timestamp_form(raw)
        ]
    signed_at = int(raw)
    age = now - signed_at
    findings = []
    if age > scheme.max_age:
        over = _span(age - scheme.max_age)
        findings.append(
            Finding(
                "too-old",
                f"Too old by {over}: signed {_span(age)} ago, and max_age is "
                f"{_span(scheme.max_age)}. If it was fresh, the clock here is ahead of the "
                f"edge's by {over} or more: compare it with a time server. If it is from a "
                "log, give the time of its request with --at.",
            )
        )
    elif age < -scheme.max_future:
        over = _span(-age - scheme.max_future)
        findings.append(
            Finding(
                "future",
                f"Too new by {over}: signed {_span(-age)} in the future, and max_future is "
                f"{_span(scheme.max_future)}. If it was fresh, the clock here is behind the "
                f"edge's by {over} or more: compare it with a time server.",
            )
        )
    note = f"{date(signed_at)}, {_span(abs(age))} {'ago' if age >= 0 else 'ahead'}"
    return Field("timestamp", shortened(raw), ok=not findings, note=note), findings


def _timestamp_form(raw: bytes) -> Finding:
    if _FINER_THAN_SECONDS.fullmatch(raw):
        return Finding(
            "not-seconds",
            "The time is in milliseconds or finer: the edge must send whole seconds.",
        )
    return Finding(
        "timestamp-form",
        "The time must be Unix seconds in digits, without sign, space or leading zero.",
    )


def _span(length: float) -> str:
    if length < _TWO_HOURS:
        return f"{seconds(length)} s"
    return f"{length / 3600:.0f} h" if length < _TWO_DAYS else f"{length / 86400:.0f} days"


def date(timestamp: int) -> str:
    """*timestamp* (Unix seconds) for people."""
    if timestamp > _LAST_DATE:
        return "after the year 2999"
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(timestamp))


def admitted_at(scheme: Scheme, lines: RequestLines, now: float) -> str | None:
    """When what *lines* hold was admitted once, in words; None where it was not, or is no good."""
    # Only of a good signature is it known that what is good once was not made up.
    try:
        once = scheme.verify(lines, now=now).once
        at = None if once is None else lines.hints.seen_at(once.key)
    except VerificationError:
        at = None
    return None if at is None else f"{date(int(at))}, {max(now - at, 0):.0f} s before"
