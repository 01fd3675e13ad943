"""Requests over sockets to every server, with the gates of all kinds behind it."""

from __future__ import annotations

import re
import time
from random import Random
from typing import TYPE_CHECKING

from support.servers import SERVERS
from support.service import short_folder

from differential.kinds.grammar import make
from differential.kinds.judge import Came, wrong_with
from differential.kinds.table import KINDS, SAW
from differential.routes.grammar import Asked
from differential.routes.run import OPTIONS, Seen, ask, raised_by_the_gate

if TYPE_CHECKING:
    from support.wire import Address

    from differential.kinds.grammar import Case

_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")
_SAW = re.compile(rb"(?i)\r\n" + SAW.encode() + rb": *([^\r]*)\r\n")


def look_at(name: str, cases: int, seed: str, kinds: list[str]) -> Seen:
    """Send *cases* requests of the grammar, to gates of *kinds*, to one server."""
    seen, began, server = Seen(name), time.monotonic(), SERVERS[name]
    app = f"differential.kinds.by_{server.kind}:app"
    options = OPTIONS.get(name, ())
    with short_folder() as folder, server.serving(app, folder, options=options) as running:
        for number in range(cases):
            case = make(Random(f"{seed}-{number}"), kinds[number % len(kinds)])
            came = _ask(running.address, case)
            wrong = list(wrong_with(case, came, name))
            if came.saw is not None and "replay" in KINDS[case.kind].settings:
                second = _ask(running.address, case)
                if second.saw is not None:
                    wrong.append("was let in a second time")
            seen.told["let in" if came.saw is not None else str(came.status)] += 1
            seen.broken += ((case.raw, f"{name}: it {sentence}") for sentence in wrong)
        if running.process.poll() is not None:
            seen.broken.append((b"", f"{name}: the server ended"))
        log = running.log.read_text(errors="replace")
        seen.broken += ((b"", f"{name}: {sentence}") for sentence in raised_by_the_gate(log))
    seen.seconds = time.monotonic() - began
    return seen


def _ask(address: Address, case: Case) -> Came:
    received = ask(address, Asked(case.raw, case.kind, wanted="an answer" if case.plain else None))
    status, saw = _STATUS.match(received), _SAW.search(received)
    return Came(status and int(status[1]), saw and saw[1].decode("latin-1"))
