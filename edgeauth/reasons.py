"""Every reason of a verdict, once: the code, what it means, and whether it lets a request in.

Errors, the log, the file of decisions, metrics, reports and docs take it from here. A code goes
to operators and never to clients.
"""

from __future__ import annotations

from typing import NamedTuple


class Reason(NamedTuple):
    """Why a request was let in or refused.

    Attributes:
        code: in a verdict, in logs and in metrics.
        meaning: what it tells an operator, in one line.
        admits: whether a request with it may pass when refusals are enforced.
    """

    code: str
    meaning: str
    admits: bool = False


OK = Reason("ok", "signed by the edge", admits=True)
EXEMPT = Reason("exempt", "an exempt path; nothing was checked", admits=True)
PASS = Reason("pass", "a person with a pass", admits=True)
MISSING = Reason("missing", "no credential: a stranger, or traffic that the edge does not sign")
MALFORMED = Reason(
    "malformed", "no value of the right form: another sender, or something rewrites it"
)
BAD_SIGNATURE = Reason("bad-signature", "forged, or the edge has another secret")
EXPIRED = Reason("expired", "from the edge, too late: clocks, queues or a cache on the way")
FUTURE = Reason("future", "from the edge, too early: this clock is behind")
POP = Reason("pop", "from the edge, by a POP that is not on the list")
ADDRESS = Reason("address", "from an address that is not the edge's")
COVERAGE = Reason("coverage", "authentic, and leaves out what the edge must sign")
CLAIMS = Reason("claims", "authentic, and for somebody else: issuer, audience or region")
REPLAYED = Reason("replayed", "authentic, and was used before")
BODY = Reason("body", "the body is not the one that was signed")
REPLAY_STORE = Reason("replay-store", "the store of used credentials did not answer")
UNVERIFIED = Reason("unverified", "refused by a scheme that gives no reason of its own")
ERROR = Reason("error", "the decision itself failed: see the log")

#: By code, in the order in which a guard can come to them.
REASONS = {
    reason.code: reason
    for reason in (
        *(OK, EXEMPT, PASS),
        *(ADDRESS, MISSING, MALFORMED, BAD_SIGNATURE, EXPIRED, FUTURE, POP, COVERAGE, CLAIMS),
        *(REPLAYED, REPLAY_STORE, BODY, UNVERIFIED, ERROR),
    )
}
