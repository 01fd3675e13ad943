"""The adapters, each behind whatever a server hands over, and what came of a request there.

The applications are those of ``conformance/origins``. Each environment variable that they
need is set here, so import this before them.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

os.environ.setdefault("CONFORMANCE_DECISIONS", os.devnull)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "conformance.origins.django_site")

from conformance.origins import asgi_app, django_entry, flask_app, judge, judged_service, wsgi_app
from support.vectors import SECRET

from differential.drive import by_asgi, by_wsgi
from edgeauth.service.app import DecisionApp
from edgeauth.service.counters import Counters
from edgeauth.service.state import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from differential.drive import Run
    from differential.parsers import Arrival
    from edgeauth import Verdict


@dataclass(frozen=True)
class Seen:
    """What came of one request behind one adapter.

    Attributes:
        status: of the answer.
        verdict: the guard's.
        sight: what the application told of it; None if it was not reached.
    """

    status: int
    verdict: Verdict | None
    sight: dict[str, Any] | None = None


def _run(run: Run) -> Callable[[Arrival], Seen]:
    def seen(arrival: Arrival) -> Seen:
        answered = run(arrival, b"")
        return _seen(answered.status, answered.content)

    return seen


def _seen(status: int, content: bytes) -> Seen:
    sight = json.loads(content) if status == 200 and content else None
    return Seen(status, judge.JudgedGuard.latest, sight)


def _service() -> Callable[[Arrival], Seen]:
    # judged_service has put the judged guard into State.
    assert judged_service.state.State is State
    app = DecisionApp(State.load(1, None, {"EDGEAUTH_SECRET": SECRET}, {}), Counters(1).workers[0])

    def run(arrival: Arrival) -> Seen:
        answer = app.answer(dict(arrival.scope or {}))
        return Seen(answer.status, judge.JudgedGuard.latest)

    return run


ASGI_GATES: dict[str, Callable[[Arrival], Seen]] = {
    "asgi": _run(by_asgi(asgi_app.app)),
    "django-asgi": _run(by_asgi(django_entry.asgi, threads=True)),
}
WSGI_GATES: dict[str, Callable[[Arrival], Seen]] = {
    "wsgi": _run(by_wsgi(wsgi_app.app)),
    "django-wsgi": _run(by_wsgi(django_entry.wsgi)),
    "flask": _run(by_wsgi(flask_app.app)),
}
SERVICE = _service()


def gates_of(arrival: Arrival) -> dict[str, Callable[[Arrival], Seen]]:
    """The adapters that take what the server hands over."""
    return ASGI_GATES if arrival.scope is not None else WSGI_GATES


def run(gate: Callable[[Arrival], Seen], arrival: Arrival) -> Seen:
    """What comes of *arrival* behind *gate*. Whatever it raises is a finding."""
    judge.JudgedGuard.latest = None
    return gate(arrival)
