"""``python -m differential.through_proxies``: raw requests through each shipped configuration.

Behind each proxy is an application that shows what arrived, byte by byte. Whatever is not
signed either reached the route that an exemption names or was refused; nothing that arrived has
a field that a CGI-like application would take for another one, a trailer, or a claim of the
client about the decision.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random, SystemRandom
from typing import TYPE_CHECKING

from support.proxies import CADDY, ENVOY, HAPROXY, INGRESS_NGINX, NGINX, TRAEFIK, Kind, proxying
from support.raw_origin import Arrival, Origin, raw_origin
from support.service import SECRET, serving, short_folder
from support.wire import Stream, connect

from differential.proxied_grammar import EXEMPT, HANDSHAKE, LIE, Case, make_case

if TYPE_CHECKING:
    from collections.abc import Iterable

    from support.proxies import Proxy

KINDS = (NGINX, INGRESS_NGINX, CADDY, ENVOY, HAPROXY, TRAEFIK)
GUARD = f'secret = "{SECRET}"\nexempt = ["GET {EXEMPT}", "WEBSOCKET {HANDSHAKE}"]\n'
_ANSWER_SECONDS = 5


@dataclass
class Findings:
    """What came of the requests through one proxy.

    Attributes:
        broken: a sentence for each promise that was broken.
        told: how many reached the application, and by what; how many got which answer.
    """

    broken: list[str] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)


def main() -> None:
    parser = argparse.ArgumentParser(prog="differential.through_proxies")
    parser.add_argument("--cases", type=int, default=2000, help="through all proxies together")
    parser.add_argument("--seed", type=int, help="repeats a run, which prints it")
    given = parser.parse_args()
    seed = SystemRandom().randrange(10**6) if given.seed is None else given.seed
    print(f"seed {seed}")
    broken = 0
    for place, kind in enumerate(KINDS):
        cases = given.cases // len(KINDS) + (place < given.cases % len(KINDS))
        findings = run(kind, cases, seed)
        counts = ", ".join(f"{text} {count}" for text, count in sorted(findings.told.items()))
        print(f"{kind.name}: {counts}")
        for sentence in findings.broken:
            print(f"  {sentence}")
        broken += len(findings.broken)
    sys.exit(bool(broken))


def run(kind: Kind, cases: int, seed: int) -> Findings:
    """Send *cases* requests through a proxy of *kind*, and judge what arrived."""
    sent: dict[str, Case] = {}
    findings = Findings()
    with short_folder() as folder, raw_origin() as origin, contextlib.ExitStack() as stack:
        service = stack.enter_context(
            serving(GUARD, f'proxy = "{kind.proxy}"', folder=folder, tcp=kind.tcp)
        )
        proxy = stack.enter_context(proxying(kind, folder, service.address, origin.port))
        for number in range(cases):
            random = Random(f"{seed}-{number}")
            case = make_case(random, str(number), secret=SECRET, now=int(time.time()))
            sent[case.name] = case
            findings.told[_answer(proxy, case)] += 1
    # Both have ended, so nothing can arrive any more.
    judge(origin, sent, findings)
    return findings


def judge(origin: Origin, sent: dict[str, Case], findings: Findings) -> None:
    """Look at all that arrived."""
    for arrival in origin.arrivals:
        case = sent.get(next(iter(arrival.values("X-Case")), ""))
        by = "signed" if case is not None and case.signed else "exempt"
        findings.told[f"arrived {by}"] += 1
        raw = None if case is None else case.raw
        findings.broken += [
            f"{sentence}\n    sent {raw!r}\n    came {arrival}"
            for sentence in wrongs(arrival, signed=by == "signed")
        ]


def wrongs(arrival: Arrival, *, signed: bool) -> Iterable[str]:
    """What must not have arrived, or not so."""
    if arrival.trailers:
        yield "a trailer arrived"
    for name, value in arrival.fields:
        if "_" in name:
            yield f"{name} arrived, which is another field to a CGI-like application"
        if name.lower() in {"edge-auth", "edge-auth-pass"}:
            yield f"{name} arrived"
        if name.lower().startswith("x-edgeauth-") and value == LIE:
            yield f"{name} of the client arrived"
    if not signed and not _is_exempt(arrival):
        yield "nobody signed it, and no exemption names it"


def _is_exempt(arrival: Arrival) -> bool:
    if arrival.method != "GET":
        return False
    path = re.sub(r"^https?://[^/?#]*", "", arrival.target.partition("?")[0], flags=re.IGNORECASE)
    parts = [bool(arrival.values(f"Sec-WebSocket-{part}")) for part in ("Key", "Version")]
    if path == HANDSHAKE:
        return arrival.upgrades and all(parts)
    return path == EXEMPT and not any(parts) and not arrival.values("Upgrade")


def _answer(proxy: Proxy, case: Case) -> str:
    """The status of the first answer, or that there was none."""
    try:
        with connect(("127.0.0.1", proxy.port), seconds=_ANSWER_SECONDS) as client:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                client.sendall(case.raw)
            return str(Stream(client).answer(case.method).status)
    except TimeoutError:
        return "silence"
    except (EOFError, OSError):
        return "closed"


if __name__ == "__main__":
    main()
