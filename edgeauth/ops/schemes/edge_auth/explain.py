"""Why an ``Edge-Auth`` value is refused, in words for the person who runs the origin.

Explains and never decides: whether a value is accepted is for the scheme to say. It tries
the mistakes that are usual at an edge, such as a newline after the secret, and says which
of them makes the signature fit. No secret and no expected signature is in what it returns.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgeauth.errors import VerificationError
from edgeauth.ops.schemes.diagnosis import Diagnosis, Field, Finding
from edgeauth.ops.schemes.edge_auth.explain_pop import explain_pop
from edgeauth.ops.schemes.edge_auth.explain_signature import explain_signature
from edgeauth.ops.schemes.explain_timestamp import explain_timestamp
from edgeauth.ops.schemes.part import shortened

if TYPE_CHECKING:
    from edgeauth.ops.schemes.request_lines import RequestLines
    from edgeauth.schemes.edge_auth import EdgeAuthScheme

_MAX_BYTES = 1024
_JOINED = re.compile(rb"([0-9]{9,16},(?:[^,]*,)?[^,]*?)[ \t]*,[ \t]*([0-9]{9,16},.*)", re.DOTALL)
_FAULTS = (
    (rb"\Z", Finding("empty", "The value is empty.")),
    (
        rb"[\"']",
        Finding("quoted", "The value begins with a quote: the edge must send it without."),
    ),
    (
        rb"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), ",
        Finding(
            "date-in-words",
            "The value begins with a date in words, as VCL writes a time: "
            'sign strftime({"%s"}, now) instead.',
        ),
    ),
    (
        rb"[^,]*\Z",
        Finding("no-comma", "The value has no comma; expected <unix time>,<POP>,<signature>."),
    ),
)


def explain(scheme: EdgeAuthScheme, lines: RequestLines, now: float) -> Diagnosis:
    """Look at the value in *lines* as *scheme* would at *now* (Unix seconds)."""
    values = lines.header(scheme.header)
    return diagnose(values[0], scheme, now=now) if values else Diagnosis((), ())


def diagnose(value: bytes, scheme: EdgeAuthScheme, *, now: float) -> Diagnosis:
    """Look at *value* as *scheme* would at *now* (Unix seconds)."""
    for key in scheme.keys.newest_first:
        if key.secret in value:
            finding = Finding(
                "secret-sent",
                f"The value holds the secret of key {key.id} itself, so whoever saw it has the "
                "secret: make a new one. Does the edge use the scheme shared-secret?",
            )
            return Diagnosis((Field("value", "(not shown)", ok=False, note=""),), (finding,))
    whole = _whole(value, scheme, now)
    if whole is not None:
        return Diagnosis((Field("value", shortened(value), ok=False, note=""),), (whole,))
    signed, _, signature = value.rpartition(b",")
    timestamp, comma, pop = signed.partition(b",")
    time_field, time_findings = explain_timestamp(timestamp, scheme, now)
    pop_field, pop_findings = explain_pop(pop if comma else None, scheme)
    signature_field, signature_findings = explain_signature(signed, signature, scheme, now)
    # Fields as they stand in the value, findings in the order in which a scheme checks.
    return Diagnosis(
        (time_field, pop_field, signature_field),
        (*signature_findings, *time_findings, *pop_findings),
    )


def _whole(value: bytes, scheme: EdgeAuthScheme, now: float) -> Finding | None:
    # Also what bounds the searches below.
    if len(value) > _MAX_BYTES:
        return Finding(
            "too-long", f"The value has {len(value)} bytes; a right one has fewer than 100."
        )
    for beginning, finding in _FAULTS:
        if re.match(beginning, value):
            return finding
    joined = _JOINED.fullmatch(value)
    return None if joined is None else _joined(joined[1], joined[2], scheme, now)


def _joined(first: bytes, rest: bytes, scheme: EdgeAuthScheme, now: float) -> Finding:
    if first == rest:
        return Finding(
            "joined",
            "The same value is there twice: the edge adds the header where it must set it, or "
            "sets it under two names that differ only in _ and -.",
        )
    return Finding(
        "joined",
        "Two values, joined by a proxy or a server: the request had the header twice. Alone, "
        f"the first is {_outcome(first, scheme, now)}, the rest is {_outcome(rest, scheme, now)}. "
        "The edge must remove what the client sent, and set the header at one place only.",
    )


def _outcome(value: bytes, scheme: EdgeAuthScheme, now: float) -> str:
    try:
        scheme.verify_value(value, now=now)
    except VerificationError as error:
        return f"refused ({error.reason})"
    return "accepted"
