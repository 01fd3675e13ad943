"""Requests through the servers' own parsers to every adapter, and to the decision service."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from differential import reading
from differential.drive import by_asgi, by_wsgi
from differential.kinds import by_asgi as asgi_apps
from differential.kinds import by_wsgi as wsgi_apps
from differential.kinds.judge import Came, wrong_with
from differential.kinds.table import KINDS, SAW
from differential.kinds.telling import HANDED, of_environ, of_scope, told
from differential.parsers import PARSERS, Arrival
from edgeauth import Guard
from edgeauth.replay import memory
from edgeauth.service.app import DecisionApp
from edgeauth.service.counters import Counters
from edgeauth.service.state import State

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator

    from differential.drive import Run
    from differential.kinds.grammar import Case
    from differential.parsers import Parsed

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)\r\n")


def _gates(kind: str) -> dict[str, Run]:
    gates = {
        name: by_asgi(app, threads="django" in name) for name, app in asgi_apps.APPS[kind].items()
    }
    return gates | {name: by_wsgi(app) for name, app in wsgi_apps.APPS[kind].items()}


_GATES = {kind: _gates(kind) for kind in KINDS}


def _service(kind: str) -> Callable[[Arrival], int]:
    state = State.load(1, None, {"EDGEAUTH_SECRET": "of-nobody-since-the-guard-is-another"}, {})
    guard = Guard.from_settings(KINDS[kind].settings)
    of_kind = SimpleNamespace(
        build_guard=lambda: guard, build_proxies=state.build_proxies, service=state.service
    )
    app = DecisionApp(of_kind, Counters(1).workers[0])
    return lambda arrival: app.answer(dict(arrival.scope or {})).status


_SERVICES = {name: _service(name) for name, kind in KINDS.items() if kind.service}


def forget() -> None:
    """Let each once-only credential be good again."""
    for store in list(memory._stores):
        store.__init__()


@dataclass
class Looked:
    """What was found about requests.

    Attributes:
        broken: a sentence for each promise that the last request broke.
        decided: how often the gates of each kind let in, and refused, what a server handed over.
    """

    decided: Counter[tuple[str, str, str]]
    broken: list[str] = field(default_factory=list)

    def look_at(self, case: Case) -> None:
        """Ask all about *case*."""
        self.broken.clear()
        for server, parse in PARSERS.items():
            arrival: Parsed | None = None
            with contextlib.suppress(Exception):  # a server's own fault
                arrival = parse(case.raw)
            if not isinstance(arrival, Arrival) or not arrival.whole:
                if case.plain:
                    self.broken += self._judged(case, Came(None), server, "parser")
                continue
            for gate, run in _GATES[case.kind].items():
                if ("asgi" in gate) == (arrival.scope is not None):
                    self._ask(case, arrival, server, gate, run)
        if case.kind in _SERVICES:
            self._ask_service(case)

    def _ask(self, case: Case, arrival: Arrival, server: str, gate: str, run: Run) -> None:
        length = _LENGTH.search(case.raw)
        body = case.raw.partition(b"\r\n\r\n")[2][: int(length[1]) if length else 0]
        if arrival.scope is not None:
            arrival = Arrival(scope={**arrival.scope, HANDED: of_scope(arrival.scope)})
        else:
            environ = arrival.environ or {}
            arrival = Arrival(environ={**environ, HANDED: of_environ(environ)})
        forget()
        for again in (False, True):
            try:
                answered = run(arrival, body)
            except Exception as error:  # noqa: BLE001 - nothing may raise
                self.broken.append(f"{gate} behind {server} raised {error!r}")
                return
            came = Came(answered.status, answered.fields.get(SAW.lower()))
            self.broken += self._judged(case, came, server, gate, again=again)
            if came.saw is None or "replay" not in KINDS[case.kind].settings:
                return

    def _ask_service(self, case: Case) -> None:
        asked = reading.for_service(case.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
        arrival = None if asked is None else PARSERS["uvicorn-httptools"](asked)
        if not isinstance(arrival, Arrival):
            return
        # What has a body may be refused: nobody sees it here.
        case = replace(case, plain=case.plain and not _LENGTH.search(case.raw))
        forget()
        for again in (False, True):
            status = _SERVICES[case.kind](arrival)
            saw = _asked_about(dict(arrival.scope or {})) if status == 204 else None
            self.broken += self._judged(case, Came(status, saw), "service", "service", again=again)
            if saw is None or "replay" not in KINDS[case.kind].settings:
                return

    def _judged(
        self, case: Case, came: Came, server: str, gate: str, *, again: bool = False
    ) -> Iterator[str]:
        if again:
            if came.saw is not None:
                yield f"{gate} behind {server} let it in a second time"
            return
        self.decided[case.kind, gate, "in" if came.saw is not None else str(came.status)] += 1
        for sentence in wrong_with(case, came, server):
            yield f"{gate} behind {server}: it {sentence}"


def _asked_about(scope: dict[str, Any]) -> str:
    """What would be handed over of the request that nginx asks about."""
    fields = dict(scope["headers"])
    path, _, query = fields[b"x-original-uri"].partition(b"?")
    method = fields[b"x-original-method"].decode("latin-1")
    handed = of_scope({**scope, "method": method, "raw_path": path, "query_string": query})
    routed = unquote_to_bytes(path).decode("utf-8", "replace")
    return told({**handed, "routed": routed}, (), None)
