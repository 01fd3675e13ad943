"""What must hold of one raw request, at every server and behind every adapter.

- Behind each adapter: the verdict is the oracle's about what the server handed over; an
  accepted request reaches the application without its credential and with everything else,
  a refused one gets the denial; nothing raises.
- Between servers: of a request in strict form, whoever hands it over has one verdict about
  it. What a server does to it by itself is in ``reading.as_handed_by``, and nothing else.
- Whatever the form: what is admitted has, in the bytes themselves, what admits it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.origins.mount import MOUNT
from support.oracle import ADMITTING, Handed, Identity, Rules, Ruling, rule

from differential import gates, reading
from differential.parsers import FAILS, PARSERS, Arrival, Parsed
from differential.rules import rules_of

if TYPE_CHECKING:
    from collections.abc import Callable

_DENIED = 403


@dataclass
class Findings:
    """What was found about the requests so far.

    Attributes:
        broken: a sentence for each promise that the last request broke.
        own: how often each server answered, or failed, without asking the gate.
        decided: how often each reason was given behind each adapter.
        strict: how many requests were in strict form.
    """

    broken: list[str] = field(default_factory=list)
    own: Counter[tuple[str, str]] = field(default_factory=Counter)
    decided: Counter[tuple[str, str]] = field(default_factory=Counter)
    strict: int = 0
    _asked: set[tuple[str, str]] = field(default_factory=set)

    def look_at(self, raw: bytes) -> None:
        """Compare what comes of *raw* everywhere."""
        self.broken.clear()
        self._asked.clear()
        strict = reading.strictly(raw)
        self.strict += strict is not None
        asked = reading.for_service(raw)
        parsed = {server: self._parse(server, parse, raw) for server, parse in PARSERS.items()}
        if asked is not None:
            parsed["service"] = self._parse("service", PARSERS["uvicorn-httptools"], asked)
        for server, arrival in parsed.items():
            if isinstance(arrival, Arrival):
                self._at(server, arrival, asked or b"" if server == "service" else raw, strict)
            else:
                self.own[server, arrival] += 1

    def _parse(self, server: str, parse: Callable[[bytes], Parsed], raw: bytes) -> Parsed:
        try:
            return parse(raw)
        except Exception as error:  # noqa: BLE001 - a server's own fault, to be counted
            return f"{FAILS}: {type(error).__name__}"

    def _at(self, server: str, arrival: Arrival, raw: bytes, strict: Handed | None) -> None:
        """Compare what *server* hands over with the bytes, and ask every adapter about it."""
        try:
            rules = rules_of(reading.judges(arrival))
        except LookupError:
            self.own[server, "damaged the rules of the test"] += 1
            return
        if server == "service":
            handed, at = reading.asked_of_service(arrival), {"service": gates.SERVICE}
        else:
            handed, at = reading.handed_over(arrival), gates.gates_of(arrival)
        expected = rule(handed, rules)
        if not reading.could_be(expected.reason, reading.as_sent(raw), rules):
            self.broken.append(f"{server} hands over an admission that is not in the bytes")
        if strict is not None:
            said = rule(reading.as_handed_by(server, reading.as_sent(raw), strict), rules)
            if said != expected:
                self.broken.append(f"{server} hands over what is {expected}; the bytes say {said}")
        for name, gate in at.items():
            # Servers mostly agree, and the same input has the same answer.
            if (name, key := _key(arrival)) not in self._asked:
                self._asked.add((name, key))
                place = f"{name} behind {server}"
                try:
                    seen = gates.run(gate, arrival)
                except Exception as error:  # noqa: BLE001 - nothing may raise
                    self.broken.append(f"{place} raised {error!r}")
                    continue
                self.decided[name, "nothing" if seen.verdict is None else seen.verdict.reason] += 1
                wrong = _wrong(seen, expected, rules, _statuses(name, arrival))
                if seen.sight is not None:
                    wrong += _wrong_sight(seen.sight, arrival, handed, expected)
                self.broken += [f"{place} {sentence}" for sentence in wrong]


def _wrong(seen: gates.Seen, expected: Ruling, rules: Rules, admitted: set[int]) -> list[str]:
    """What is wrong with a decision and its answer, in sentences."""
    verdict, enters = seen.verdict, rules.lets_in(expected)
    if verdict is None:
        return [f"answered {seen.status} without a decision"]
    found = []
    identity = Identity.of(verdict.identity)
    if Ruling(verdict.reason, identity, verdict.holder) != expected:
        found.append(f"decided {verdict}, the oracle {expected}")
    enforced = rules.mode == "enforce" or expected.reason in ADMITTING
    if (verdict.allowed, verdict.enforced) != (enters, enforced):
        found.append(f"decided {verdict}, which is not as {rules.mode} wants it")
    if seen.status not in (admitted if enters else {_DENIED}):
        found.append(f"answered {seen.status} to {expected.reason}")
    return found


def _statuses(name: str, arrival: Arrival) -> set[int]:
    """How an admitted request is answered."""
    if name == "service":
        return {204}
    # Django routes no path that does not begin with a slash.
    return {200, 404} if "django" in name and not _path(arrival).startswith("/") else {200}


def _wrong_sight(
    sight: dict[str, Any], arrival: Arrival, handed: Handed, expected: Ruling
) -> list[str]:
    """What is wrong with what the application saw, in sentences."""
    found = []
    shown, sent = set(sight["fields"]), _fields(arrival)
    if shown & _CREDENTIALS - sent:
        found.append("shows the credential to the application")
    seen, wanted = ({_plain(name) for name in names} - _UNCOUNTED for names in (shown, sent))
    if seen != wanted:
        found.append(f"shows {seen - wanted} to the application and hides {wanted - seen}")
    if expected.reason == "exempt" and sight["path"] != handed.path:
        found.append(f"took {handed.path!r} for exempt, and {sight['path']!r} is routed")
    return found


# Not among the variables of headers, and added or taken by servers.
_UNCOUNTED = {"content-type", "content-length"}
_STRIPPED = {"edge-auth", "edge-auth-pass"}
_OF_SERVER = {"RAW_URI", "REQUEST_URI", "REMOTE_HOST", "SERVER_SOFTWARE"}
_CREDENTIALS = _STRIPPED | {"http_edge_auth", "http_edge_auth_pass"}


def _fields(arrival: Arrival) -> set[str]:
    """The fields that an application must see: all but the credentials."""
    if arrival.scope is not None:
        return {name.decode("latin-1") for name, _ in arrival.scope["headers"]} - _STRIPPED
    variables = {name for name in arrival.environ or {} if name.startswith("HTTP_")}
    return {_plain(name) for name in variables} - _STRIPPED


def _key(arrival: Arrival) -> str:
    """All of *arrival* that an adapter or an application looks at, as a text."""
    if arrival.scope is not None:
        return repr([arrival.scope[name] for name in ("method", "path", "raw_path", "headers")])
    variables = sorted((arrival.environ or {}).items())
    return repr([pair for pair in variables if pair[0].isupper() and pair[0] not in _OF_SERVER])


def _path(arrival: Arrival) -> str:
    if arrival.scope is None:
        return (arrival.environ or {})["PATH_INFO"]
    path: str = arrival.scope["path"]
    return path.removeprefix(MOUNT)


def _plain(name: str) -> str:
    return name.lower().removeprefix("http_").replace("_", "-")
