"""The same requests over sockets: every server with an adapter behind it.

What a server hands over is known from its parser in this process, so what must come of a
request over its socket is known too. A server may still refuse it by itself; it may decide
nothing else.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from conformance.targets import Outcome, Program, Target, gunicorn, hypercorn, uvicorn, waitress
from support.oracle import rule
from support.service import serving

from differential import reading
from differential.parsers import PARSERS, WAITS, Arrival, Parsed
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


def _with(program: Program, *options: str) -> Program:
    module, *rest = program.arguments
    return replace(program, arguments=(module, *options, *rest))


# X-Forwarded-For is to reach the adapters, and nobody else is to make something of it.
_UVICORN = "--no-proxy-headers"
PROGRAMS: dict[str, Program | Service] = {
    "asgi behind uvicorn-h11": _with(
        uvicorn("conformance.origins.asgi_app:app", parser="h11"), _UVICORN
    ),
    "asgi behind uvicorn-httptools": _with(uvicorn("conformance.origins.asgi_app:app"), _UVICORN),
    "django-asgi behind uvicorn-httptools": _with(
        uvicorn("conformance.origins.django_entry:asgi"), _UVICORN
    ),
    "asgi behind hypercorn": hypercorn("conformance.origins.asgi_app:app"),
    "wsgi behind gunicorn": gunicorn("conformance.origins.wsgi_app:app"),
    "django-wsgi behind gunicorn": gunicorn("conformance.origins.django_entry:wsgi()"),
    "flask behind gunicorn": gunicorn("conformance.origins.flask_app:app"),
    "wsgi behind waitress": _with(
        waitress("conformance.origins.wsgi_app:app"), "--no-clear-untrusted-proxy-headers"
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
        """Send *raw* and compare what comes back.

        Not sent: what leaves the server waiting for more, or the connection open, and what
        goes on after the request, where a server may find fault before it answers.
        """
        sent = reading.for_service(raw) if self.target.server == "service" else raw
        if sent is None:
            return
        parser = PARSERS[
            "uvicorn-httptools" if self.target.server == "service" else self.target.server
        ]
        parsed = _parsed(parser, sent)
        if isinstance(parsed, Arrival):
            if not _is_a_question(parsed) or _is_whole(_parsed(parser, sent[:-1])):
                return
            handed = (reading.asked_of_service if sent is not raw else reading.handed_over)(parsed)
            rules = rules_of(reading.judges(parsed))
            expected = rule(handed, rules)
            status = 200 if rules.lets_in(expected) else 403
            wanted, method = f"{status} {expected.reason}", _method(parsed)
        elif parsed == "refused":
            wanted, method = "refused", "GET"
        else:
            return
        try:
            outcomes = self.target.exchange(sent, (method,))
        except TimeoutError:
            self.broken.append(f"{sent!r}\n  hangs; its answer would be {wanted}")
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            self.broken.append(f"{sent!r}\n  {error!r}; its answer would be {wanted}")
            return
        texts = [outcome.text for outcome in outcomes]
        self.told[texts[0]] += 1
        if texts in (["refused"], ["closed"]):
            self.own += wanted != "refused"
        elif texts != [wanted]:
            self.broken.append(f"{sent!r}\n  got {texts}; its answer would be {wanted}")


def _is_whole(parsed: Parsed) -> bool:
    return isinstance(parsed, Arrival) and parsed.whole


def _is_a_question(arrival: Arrival) -> bool:
    """Whether the server has all of it, and closes after its answer."""
    try:
        rules_of(reading.judges(arrival))
    except LookupError:
        return False
    return arrival.whole and reading.says_close(arrival)


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
