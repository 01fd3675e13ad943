"""The same requests over sockets: every server with an adapter behind it.

What a server hands over is known from its parser in this process, so what must come of a
request over its socket is known too. A server may still refuse it by itself; it may decide
nothing else.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeGuard

from conformance.origins.mount import MOUNT
from conformance.targets import Outcome, Program, Target
from support.oracle import rule
from support.service import serving

from differential import reading
from differential.parsers import PARSERS, REFUSED, WAITS, Arrival, Parsed
from differential.rules import rules_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.wire import Answer

_LAUNCHER = "from conformance.origins.judged_service import main; main()"


class ServiceTarget(Target):
    """The decision service, which admits with 204."""

    def _outcome(self, reply: Answer, method: str, decided: Iterator[str]) -> Outcome:
        reason = reply.headers.get("x-edgeauth-reason")
        if reason is None:
            assert reply.status == 403
            return Outcome("refused")
        assert reason == next(decided, "undecided")
        assert reply.status in {204, 403}
        return Outcome(f"{200 if reply.status == 204 else 403} {reason}")


@dataclass(frozen=True)
class Service:
    """``edgeauth serve``, asked as nginx asks."""

    server: str = "service"

    @contextlib.contextmanager
    def serving(self, folder: Path) -> Iterator[Target]:
        decisions = folder / "decisions"
        decisions.touch()
        environ = {"PYTHONPATH": "tests", "CONFORMANCE_DECISIONS": str(decisions)}
        with serving(folder=folder, tcp=True, launcher=_LAUNCHER, environ=environ) as service:
            yield ServiceTarget(service.address, self.server, service.log, decisions)


# X-Forwarded-For is to reach the adapters, and nobody else is to make something of it.
_UVICORN = ("--no-proxy-headers",)
_ORIGINS = "conformance.origins"
PROGRAMS: dict[str, Program | Service] = {
    "asgi behind uvicorn-h11": Program("uvicorn-h11", f"{_ORIGINS}.asgi_app:app", _UVICORN),
    "asgi behind uvicorn-httptools": Program(
        "uvicorn-httptools", f"{_ORIGINS}.asgi_app:app", _UVICORN
    ),
    "django-asgi behind uvicorn-httptools": Program(
        "uvicorn-httptools", f"{_ORIGINS}.django_entry:asgi", _UVICORN
    ),
    "asgi behind hypercorn": Program("hypercorn", f"{_ORIGINS}.asgi_app:app"),
    "wsgi behind gunicorn": Program("gunicorn", f"{_ORIGINS}.wsgi_app:app"),
    "django-wsgi behind gunicorn": Program("gunicorn", f"{_ORIGINS}.django_entry:wsgi"),
    "flask behind gunicorn": Program("gunicorn", f"{_ORIGINS}.flask_app:app"),
    "wsgi behind waitress": Program(
        "waitress", f"{_ORIGINS}.wsgi_app:app", ("--no-clear-untrusted-proxy-headers",)
    ),
    "service": Service(),
}


@dataclass
class Served:
    """What came of requests at one running program.

    Attributes:
        target: the program.
        broken: a sentence for each promise that was broken.
        own: how often the server refused what its parser takes.
        told: how often each reason was given.
    """

    target: Target
    broken: list[str] = field(default_factory=list)
    own: int = 0
    told: Counter[str] = field(default_factory=Counter)

    def send(self, raw: bytes) -> None:
        """Send *raw*, unless nobody can say what must come of it, and compare what comes back."""
        sent = reading.for_service(raw) if self.target.server == "service" else raw
        question = None if sent is None else self._question(sent)
        if sent is None or question is None:
            return
        wanted, method = question
        try:
            texts = [outcome.text for outcome in self.target.exchange(sent, (method,))]
        except Exception as error:  # noqa: BLE001 - a hang, a trace-back in the log, anything
            texts = [repr(error)]
        self.told[texts[0]] += 1
        if texts in (["refused"], ["closed"]):
            self.own += wanted != "refused"
        elif texts != [wanted]:
            self.broken.append(f"{sent!r}\n  got {texts}; its answer would be {wanted}")

    def _question(self, sent: bytes) -> tuple[str, str] | None:
        """What must come of *sent*, and its method.

        None for what leaves the server waiting for more, or the connection open, and for
        what goes on after the request, where a server may find fault before it answers.
        """
        asked = self.target.server == "service"
        parser = PARSERS["uvicorn-httptools" if asked else self.target.server]
        arrival = _parsed(parser, sent)
        if arrival == REFUSED:
            return REFUSED, "GET"
        if not _is_whole(arrival) or _is_whole(_parsed(parser, sent[:-1])):
            return None
        try:
            rules = rules_of(reading.judges(arrival))
        except LookupError:
            return None
        handed = (reading.asked_of_service if asked else reading.handed_over)(arrival)
        expected = rule(handed, rules)
        enters, method = rules.lets_in(expected), _method(arrival)
        if not reading.says_close(arrival) or (enters and _is_no_page(arrival, method)):
            return None
        if self.target.server == "waitress" and "HTTP_EXPECT" in (arrival.environ or {}):
            # waitress 3.0.2 says to go on with a body that there is not, and waits for it.
            return None
        return f"{200 if enters else 403} {expected.reason}", method


def _is_whole(parsed: Parsed) -> TypeGuard[Arrival]:
    return isinstance(parsed, Arrival) and parsed.whole


def _is_no_page(arrival: Arrival, method: str) -> bool:
    """Whether an application cannot answer: a tunnel (h11 takes no body), or a path of no form."""
    path = "/" if arrival.scope is None else arrival.scope["path"].removeprefix(MOUNT)
    return method == "CONNECT" or not path.startswith("/")


def _parsed(parser: object, raw: bytes) -> Parsed:
    try:
        parsed: Parsed = parser(raw)  # type: ignore[operator]
    except Exception:  # noqa: BLE001 - the server's own fault; no answer to compare
        return WAITS
    return parsed


def _method(arrival: Arrival) -> str:
    if arrival.scope is not None:
        return str(arrival.scope["method"])
    return str((arrival.environ or {})["REQUEST_METHOD"])
