"""The decision as a raw ASGI application."""

from __future__ import annotations

from http import HTTPStatus
from time import perf_counter, time
from typing import TYPE_CHECKING, NamedTuple

from edgeauth.errors import EdgeAuthError
from edgeauth.reasons import PASS
from edgeauth.request import listens_on_unix
from edgeauth.service.counters import DECIDED_AS, HOLDER, WorkerCounters, age_index, decision_index
from edgeauth.service.original_request import KINDS, AskedRequest, unbelieved
from edgeauth.verdict import denial

if TYPE_CHECKING:
    from edgeauth.asgi import Message, Receive, Scope, Send
    from edgeauth.service.state import State
    from edgeauth.verdict import EdgeIdentity

# One POP signs all requests of a second alike, so few answers are in use at any time.
_REMEMBER = 1024

_INDEXES = {
    (reason, allowed): (decision_index(reason, allowed=allowed),)
    for reason in DECIDED_AS
    for allowed in (False, True)
}


_Signer = tuple[str, str, str | None, int | None]


class Answer(NamedTuple):
    """One answer, as messages for a server and as bytes.

    Attributes:
        start: the first message.
        body: the second and last.
        wire: what uvicorn writes for the two to any method but HEAD, on a connection that
            stays open.
    """

    start: Message
    body: Message
    wire: bytes


class _Admission(NamedTuple):
    """The answer to all requests with one identity while it has one age.

    Attributes:
        age: whole seconds, or None if the credential carries no time.
        answer: the answer.
        indexes: where it is counted.
    """

    age: int | None
    answer: Answer
    indexes: tuple[int, ...]


class DecisionApp:
    """Answers 204 (Envoy: 200) to a request that may pass, 403 (or 401) to any other.

    The request's body is never read. The answers are built once and sent many times.

    Args:
        state: what to decide by.
        counters: where to count.
    """

    def __init__(self, state: State, counters: WorkerCounters) -> None:
        self._counters = counters
        self.adopt(state)

    def adopt(self, state: State) -> None:
        """Decide by *state* from the next request on."""
        self._guard = state.build_guard()
        self._proxies = state.build_proxies()
        self._believes_unix = self._proxies.unix
        self._kind = KINDS[state.service.proxy]
        self._admissions: dict[_Signer, _Admission] = {}
        self._refusals = {
            reason: _refusal(state.service.deny_status, reason if self._kind.told_why else None)
            for reason in DECIDED_AS
        }
        self._passes = {
            reason: _admission(self._kind.admission, _fields(reason)) for reason in DECIDED_AS
        }

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise EdgeAuthError(f"an ASGI scope of type {scope['type']!r} is refused")
        start, body, _ = self.answer(scope)
        await send(start)
        await send(body)

    def answer(self, scope: Scope) -> Answer:
        """Decide about the request of an HTTP *scope*, and count it.

        It is counted before it is answered, so that whoever has the answer finds it counted.
        """
        started = perf_counter()
        client = scope["client"]
        # A peer that reset its TCP connection has no address either.
        believed = (
            self._believes_unix and listens_on_unix(scope)
            if client is None
            else self._proxies.trusts(client[0])
        )
        read = self._kind.read if believed else unbelieved
        request = AskedRequest(scope, read, tells_upgrade=self._kind.tells_upgrade)
        now = time()
        verdict = self._guard.check(request, now=now)
        identity = verdict.identity
        if identity is not None:
            _, answer, indexes = self._admit(identity, int(now))
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

    def _admit(self, identity: EdgeIdentity, second: int) -> _Admission:
        age = None if identity.timestamp is None else second - identity.timestamp
        # The claims of an identity may have no hash.
        whom = (identity.scheme, identity.key_id, identity.pop, identity.timestamp)
        admission = self._admissions.get(whom)
        if admission is not None and admission.age == age:
            return admission
        if len(self._admissions) >= _REMEMBER:
            self._admissions.clear()
        signer = self._counters.signer_index(identity.scheme, identity.key_id, identity.pop or "")
        admission = self._admissions[whom] = _Admission(
            age,
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
    return _answer(status, length + fields, b"")


def _refusal(status: int, reason: str | None) -> Answer:
    answer = denial("GET")  # the server leaves the body out for HEAD
    fields = [(name.encode(), value.encode()) for name, value in answer.headers]
    if status == HTTPStatus.UNAUTHORIZED:
        fields.append((b"www-authenticate", b"Edge"))  # RFC 9110, 15.5.2: a 401 must have one
    if reason is not None:
        fields += _fields(reason)
    return _answer(status, fields, answer.body)


def _answer(status: int, fields: list[tuple[bytes, bytes]], body: bytes) -> Answer:
    # Nothing in a field needs a look: ids of keys, POPs and numbers have their form already.
    lines = [b"HTTP/1.1 %d %s" % (status, HTTPStatus(status).phrase.encode())]
    lines += [name + b": " + value for name, value in fields]
    return Answer(
        {"type": "http.response.start", "status": status, "headers": fields},
        {"type": "http.response.body", "body": body},
        b"\r\n".join([*lines, b"", body]),
    )
