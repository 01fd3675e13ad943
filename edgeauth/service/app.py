"""The decision as a raw ASGI application."""

from __future__ import annotations

from http import HTTPStatus
from time import perf_counter, time
from typing import TYPE_CHECKING, NamedTuple

from edgeauth.errors import EdgeAuthError
from edgeauth.guard import denial
from edgeauth.service.board import HOLDER, REASONS, Slot, age_place, decision_place
from edgeauth.service.original import KINDS, AskedRequest, unbelieved

if TYPE_CHECKING:
    from edgeauth.asgi import Message, Receive, Scope, Send
    from edgeauth.identity import EdgeIdentity
    from edgeauth.service.state import State

# One POP signs all requests of a second alike, so few answers are in use at any time.
_REMEMBER = 1024

_NO_BODY: Message = {"type": "http.response.body", "body": b""}

_PLACES = {
    (reason, allowed): (decision_place(reason, allowed=allowed),)
    for reason in REASONS
    for allowed in (False, True)
}


class _Admission(NamedTuple):
    """The answer to all requests with one identity while it has one age.

    Attributes:
        age: whole seconds, or None if the credential carries no time.
        start: the first message; the second is the same for all.
        places: where it is counted.
    """

    age: int | None
    start: Message
    places: tuple[int, ...]


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
        self._believes_unix = self._proxies.trusts(None)
        self._kind = KINDS[state.service.proxy]
        self._admissions: dict[EdgeIdentity, _Admission] = {}
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
        client = scope["client"]
        believed = self._believes_unix if client is None else self._proxies.trusts(client[0])
        request = AskedRequest(scope, self._kind.read if believed else unbelieved)
        now = time()
        allowed, reason, identity, _, holder = self._guard.check(request, now=now)
        if identity is not None:
            _, start, places = self._admit(identity, int(now))
            body = _NO_BODY
        elif holder is not None:
            start, body = self._passes[reason], _NO_BODY
            places = (*_PLACES[reason, True], self._slot.signer_place(HOLDER + holder, ""))
        elif allowed:
            start, places, body = self._passes[reason], _PLACES[reason, True], _NO_BODY
        else:
            start, body = self._refusals[reason]
            places = _PLACES[reason, False]
        # Before the answer, so that whoever has it finds it counted.
        self._slot.count(perf_counter() - started, *places)
        await send(start)
        await send(body)

    def _admit(self, identity: EdgeIdentity, second: int) -> _Admission:
        age = None if identity.timestamp is None else second - identity.timestamp
        admission = self._admissions.get(identity)
        if admission is not None and admission.age == age:
            return admission
        if len(self._admissions) >= _REMEMBER:
            self._admissions.clear()
        signer = self._slot.signer_place(identity.key_id, identity.pop or "")
        admission = self._admissions[identity] = _Admission(
            age,
            _admission(self._kind.admission, _fields("ok", identity, age)),
            (*_PLACES["ok", True], signer, *(() if age is None else (age_place(age),))),
        )
        return admission


def _fields(
    reason: str, identity: EdgeIdentity | None = None, age: int | None = None
) -> list[tuple[bytes, bytes]]:
    """What the proxy logs and hands on: ids and numbers, all of them authentic."""
    fields = [(b"x-edgeauth-reason", reason.encode())]
    if identity is not None:
        fields.append((b"x-edgeauth-key", identity.key_id.encode()))
        if identity.pop is not None:
            fields.append((b"x-edgeauth-pop", identity.pop.encode()))
        if age is not None:
            fields.append((b"x-edgeauth-age", b"%d" % age))
    return fields


def _admission(status: int, fields: list[tuple[bytes, bytes]]) -> Message:
    # RFC 9110, 8.6: a 204 must not have a Content-Length.
    length = [] if status == HTTPStatus.NO_CONTENT else [(b"content-length", b"0")]
    return _start(status, length + fields)


def _refusal(status: int, reason: str | None) -> tuple[Message, Message]:
    answer = denial("GET")  # the server leaves the body out for HEAD
    fields = [(name.encode(), value.encode()) for name, value in answer.headers]
    if status == HTTPStatus.UNAUTHORIZED:
        fields.append((b"www-authenticate", b"Edge"))  # RFC 9110, 15.5.2: a 401 must have one
    if reason is not None:
        fields += _fields(reason)
    return _start(status, fields), {"type": "http.response.body", "body": answer.body}


def _start(status: int, fields: list[tuple[bytes, bytes]]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": fields}
