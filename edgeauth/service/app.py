"""The decision as a raw ASGI application."""

from __future__ import annotations

from http import HTTPStatus
from time import perf_counter, time
from typing import TYPE_CHECKING, NamedTuple

from edgeauth.errors import EdgeAuthError
from edgeauth.guard import denial
from edgeauth.service.board import REASONS, Slot, decision_place
from edgeauth.service.original import KINDS, AskedRequest, unbelieved

if TYPE_CHECKING:
    from edgeauth.asgi import Message, Receive, Scope, Send
    from edgeauth.guard import Verdict
    from edgeauth.identity import EdgeIdentity
    from edgeauth.service.state import State

# One POP signs all requests of a second alike, so few answers are in use at any time.
_REMEMBER = 1024

_NO_BODY = {"type": "http.response.body", "body": b""}

_PLACES = {
    (reason, allowed): decision_place(reason, allowed=allowed)
    for reason in REASONS
    for allowed in (False, True)
}


class _Admission(NamedTuple):
    """The answer to all requests of one signer in one second."""

    start: Message
    signer: int


class DecisionApp:
    """Answers 204 (Envoy: 200) to a request that may pass, 403 (or 401) to any other.

    The request's body is never read. The answers are built once and sent many times.

    Args:
        state: what to decide by.
        slot: where to count.
    """

    def __init__(self, state: State, slot: Slot) -> None:
        self._slot = slot
        self.adopt(state)

    def adopt(self, state: State) -> None:
        """Decide by *state* from the next request on."""
        self._guard = state.build_guard()
        self._proxies = state.build_proxies()
        self._kind = KINDS[state.service.proxy]
        self._admissions: dict[tuple[EdgeIdentity, int | None], _Admission] = {}
        self._refusals = {
            reason: _refusal(state.service.deny_status, reason if self._kind.told_why else None)
            for reason in REASONS
        }
        self._passes = {
            reason: _admission(self._kind.admission, _fields(reason)) for reason in REASONS
        }

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        started = perf_counter()
        if scope["type"] != "http":
            raise EdgeAuthError(f"an ASGI scope of type {scope['type']!r} is refused")
        request = AskedRequest(scope, self._kind.read if self._believes(scope) else unbelieved)
        now = time()
        verdict = self._guard.check(request, now=now)
        place = _PLACES[verdict.reason, verdict.allowed]
        if not verdict.allowed:
            start, body = self._refusals[verdict.reason]
            self._slot.count_decision(place, perf_counter() - started)
            await send(start)
            await send(body)
            return
        start = self._admit(verdict, now)
        self._slot.count_decision(place, perf_counter() - started)
        await send(start)
        await send(_NO_BODY)

    def _believes(self, scope: Scope) -> bool:
        client = scope["client"]
        return self._proxies.trusts(None if client is None else client[0])

    def _admit(self, verdict: Verdict, now: float) -> Message:
        identity = verdict.identity
        if identity is None:
            return self._passes[verdict.reason]
        age = None if identity.timestamp is None else int(now) - identity.timestamp
        admission = self._admissions.get((identity, age)) or self._remember(identity, age)
        self._slot.count_signer(admission.signer)
        if age is not None:
            self._slot.count_age(age)
        return admission.start

    def _remember(self, identity: EdgeIdentity, age: int | None) -> _Admission:
        if len(self._admissions) >= _REMEMBER:
            self._admissions.clear()
        admission = _Admission(
            _admission(self._kind.admission, _fields("ok", identity, age)),
            self._slot.signer_place(identity.key_id, identity.pop or ""),
        )
        self._admissions[identity, age] = admission
        return admission


def _fields(
    reason: str, identity: EdgeIdentity | None = None, age: int | None = None
) -> list[tuple[str, str]]:
    """What the proxy logs and hands on: ids and numbers, all of them authentic."""
    fields = [("x-edgeauth-reason", reason)]
    if identity is not None:
        fields.append(("x-edgeauth-key", identity.key_id))
        if identity.pop is not None:
            fields.append(("x-edgeauth-pop", identity.pop))
        if age is not None:
            fields.append(("x-edgeauth-age", str(age)))
    return fields


def _admission(status: int, fields: list[tuple[str, str]]) -> Message:
    # RFC 9110, 8.6: a 204 must not have a Content-Length.
    length = [] if status == HTTPStatus.NO_CONTENT else [("content-length", "0")]
    return _start(status, length + fields)


def _refusal(status: int, reason: str | None) -> tuple[Message, Message]:
    answer = denial("GET")  # the server leaves the body out for HEAD
    fields = list(answer.headers)
    if status == HTTPStatus.UNAUTHORIZED:
        fields.append(("www-authenticate", "Edge"))  # RFC 9110, 15.5.2: a 401 must have one
    if reason is not None:
        fields += _fields(reason)
    return _start(status, fields), {"type": "http.response.body", "body": answer.body}


def _start(status: int, fields: list[tuple[str, str]]) -> Message:
    headers = [(name.encode(), value.encode()) for name, value in fields]
    return {"type": "http.response.start", "status": status, "headers": headers}
