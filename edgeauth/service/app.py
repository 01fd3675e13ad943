"""The decision about what is asked, and its answer."""

from __future__ import annotations

import logging
from http import HTTPStatus
from time import perf_counter, time
from typing import TYPE_CHECKING

from edgeauth._record.metric_names import HOLDER
from edgeauth.reasons import PASS
from edgeauth.request import listens_on_unix
from edgeauth.service.answer import Answer, answer_of
from edgeauth.service.counters import (
    DECIDED_AS,
    UNREADABLE,
    WorkerCounters,
    age_index,
    decision_index,
)
from edgeauth.service.original_request import KINDS, UNBELIEVED, AskedRequest
from edgeauth.verdict import denial

if TYPE_CHECKING:
    from edgeauth.asgi import Scope
    from edgeauth.service.state import State
    from edgeauth.verdict import EdgeIdentity, Verdict

logger = logging.getLogger("edgeauth.service")

# Each is some hundred bytes, and a POP has few ages at any time.
_REMEMBER = 4096

_INDEXES = {
    (reason, allowed): (decision_index(reason, allowed=allowed),)
    for reason in DECIDED_AS
    for allowed in (False, True)
}
_UNREADABLE = decision_index(UNREADABLE, allowed=False)

# What to configure if the proxy announces a body when it asks.
_WITHOUT_BODY = {
    "nginx": 'proxy_pass_request_body off; proxy_set_header Content-Length ""; in the location '
    "that asks",
    "ingress-nginx": "nothing for the controller as shipped: look for what differs in this set-up",
    "forward-auth": "nothing for Caddy or Traefik as shipped: look for what differs in this set-up",
    "envoy": "no with_request_body in its ext_authz filter",
    "haproxy": "no body in the question of its Lua action",
}

# The scheme that accepted a credential, the id of its key, its POP and its age.
_Signed = tuple[str, str, str | None, int | None]


class DecisionApp:
    """Answers 204 (Envoy: 200) to a request that may pass, 403 (or 401) to any other.

    Args:
        state: what to decide by.
        counters: where to count.

    Attributes:
        waits: whether a decision may have to wait for a store.
    """

    waits: bool

    def __init__(self, state: State, counters: WorkerCounters) -> None:
        self._counters = counters
        self._told_of_body = False
        self.adopt(state)

    def adopt(self, state: State) -> None:
        """Decide by *state* from the next request on."""
        # The guard before it is there still, and with it the memory that both have in common.
        self._guard = state.build_guard()
        self.waits = self._guard.waits
        self._proxies = state.build_proxies()
        self._believes_unix = self._proxies.unix
        self._proxy = state.service.proxy
        self._kind = KINDS[self._proxy]
        self._admissions: dict[_Signed, tuple[Answer, tuple[int, ...]]] = {}
        self._refusals = {
            reason: _refusal(state.service.deny_status, reason if self._kind.told_why else None)
            for reason in DECIDED_AS
        }
        self._passes = {
            reason: _admission(self._kind.admission, _fields(reason)) for reason in DECIDED_AS
        }

    def answer(self, scope: Scope) -> Answer:
        """Decide about the request of *scope*, and count it.

        It is counted before it is answered, so that whoever has the answer finds it counted.
        """
        started, now = perf_counter(), time()
        verdict = self._guard.check(self._request(scope), now=now)
        return self._told(verdict, int(now), started)

    async def answer_later(self, scope: Scope) -> Answer:
        """As :meth:`answer`; others are decided about while a store is asked."""
        started, now = perf_counter(), time()
        verdict = await self._guard.acheck(self._request(scope), now=now)
        return self._told(verdict, int(now), started)

    def unreadable(self) -> None:
        """Count a request that could not be parsed."""
        self._counters.counts[_UNREADABLE] += 1

    def announced_body(self) -> None:
        """Tell once what to configure."""
        if not self._told_of_body:
            self._told_of_body = True
            logger.warning(
                "the proxy announced a body when it asked. It was answered, and its connection "
                "closed, since the body may never come: each such request costs the proxy a "
                "new connection. Write %s. This is reported once",
                _WITHOUT_BODY[self._proxy],
            )

    def _request(self, scope: Scope) -> AskedRequest:
        client = scope["client"]
        # A peer that reset its TCP connection has no address either.
        believed = (
            self._believes_unix and listens_on_unix(scope)
            if client is None
            else self._proxies.trusts(client[0])
        )
        kind = self._kind if believed else UNBELIEVED
        return AskedRequest(scope, kind.read, tells_upgrade=kind.tells_upgrade, name=kind.name)

    def _told(self, verdict: Verdict, second: int, started: float) -> Answer:
        identity = verdict.identity
        if identity is not None:
            answer, indexes = self._admit(identity, second)
        else:
            reason, allowed, holder = verdict.reason, verdict.allowed, verdict.holder
            if (reason, allowed) not in _INDEXES:
                reason = "error"  # of somebody's own scheme or guard; the log has its word
            answer = (self._passes if allowed else self._refusals)[reason]
            indexes = _INDEXES[reason, allowed]
            if holder is not None:
                indexes = (*indexes, self._counters.signer_index(PASS.code, HOLDER + holder, ""))
        self._counters.count(perf_counter() - started, *indexes)
        return answer

    def _admit(self, identity: EdgeIdentity, second: int) -> tuple[Answer, tuple[int, ...]]:
        """The answer to all requests that were signed alike at this age, and where to count it."""
        age = None if identity.timestamp is None else second - identity.timestamp
        signed = (identity.scheme, identity.key_id, identity.pop, age)
        admission = self._admissions.get(signed)
        if admission is None:
            if len(self._admissions) >= _REMEMBER:
                self._admissions.clear()
            signer = self._counters.signer_index(
                identity.scheme, identity.key_id, identity.pop or ""
            )
            admission = self._admissions[signed] = (
                _admission(self._kind.admission, _fields("ok", identity, age)),
                (*_INDEXES["ok", True], signer, *(() if age is None else (age_index(age),))),
            )
        return admission


def _fields(
    reason: str, identity: EdgeIdentity | None = None, age: int | None = None
) -> list[tuple[bytes, bytes]]:
    """What the proxy logs and hands on: ids and numbers, all of them authentic."""
    fields = [(b"x-edgeauth-reason", reason.encode())]
    if identity is not None:
        fields.append((b"x-edgeauth-key", _text(identity.key_id)))
        if identity.pop is not None:
            fields.append((b"x-edgeauth-pop", _text(identity.pop)))
        if age is not None:
            fields.append((b"x-edgeauth-age", b"%d" % age))
    return fields


def _text(name: str) -> bytes:
    """A name as part of a field: what somebody's own scheme calls its keys may be of any form."""
    return ascii(name)[1:-1].encode()


def _admission(status: int, fields: list[tuple[bytes, bytes]]) -> Answer:
    # RFC 9110, 8.6: a 204 must not have a Content-Length.
    length = [] if status == HTTPStatus.NO_CONTENT else [(b"content-length", b"0")]
    return answer_of(status, length + fields)


def _refusal(status: int, reason: str | None) -> Answer:
    denied = denial("GET")
    fields = [(name.encode(), value.encode()) for name, value in denied.headers]
    if status == HTTPStatus.UNAUTHORIZED:
        fields.append((b"www-authenticate", b"Edge"))  # RFC 9110, 15.5.2: a 401 must have one
    if reason is not None:
        fields += _fields(reason)
    return answer_of(status, fields, denied.body)
