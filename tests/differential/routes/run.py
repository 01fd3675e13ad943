"""``PYTHONPATH=tests python -m differential.routes.run``: the route matrix, over sockets.

A request that reaches what it must not is printed and written to .fuzz/differential;
``--server NAME FILE ...`` sends it again.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import socket
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random, SystemRandom
from typing import TYPE_CHECKING

from support.oracle import make_pass, make_value
from support.servers import SERVERS
from support.service import short_folder
from support.wire import connect

from differential.found import FOUND
from differential.routes.grammar import PASS, SIGNED, Asked, make
from differential.routes.judge import wrong_with
from differential.routes.table import PASS_METHOD, PASS_PATH, PASS_SECRET, ROOT, SAW, SECRET

if TYPE_CHECKING:
    from support.wire import Address

# By itself it takes X-Forwarded-For away, and the gates are to read it.
OPTIONS = {"waitress": ("--no-clear-untrusted-proxy-headers",)}

# They are told of a mount point that a proxy took away, and put it before each path.
_STRIPPED = {"uvicorn-h11", "uvicorn-httptools", "a2wsgi"}

# How long a server may think before it is told that nothing more comes, and then again.
_PATIENCE = 0.7
_TRACEBACK = re.compile(r"Traceback \(most recent call last\):\n((?:[ |].*\n)+)(\S.*)")


@dataclass
class Seen:
    """What came of the requests to one server.

    Attributes:
        server: its name.
        broken: each request that did what it must not, and a sentence about it.
        told: how often each answer was given.
        seconds: how long it took.
    """

    server: str
    broken: list[tuple[bytes, str]] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    seconds: float = 0


def ask(address: Address, asked: Asked) -> bytes:
    """What comes back for *asked* on a new connection, however it ends."""
    now = int(time.time())
    value = make_value(SECRET.encode(), b"%d,LHR" % now)
    by_pass = {"id": "0123456789abcdef", "for": "a stranger", "iat": now, "exp": now + 60}
    by_pass |= {"methods": [PASS_METHOD], "paths": [PASS_PATH]}
    sent = asked.raw.replace(SIGNED, value)
    sent = sent.replace(PASS, make_pass(PASS_SECRET.encode(), by_pass))
    received = bytearray()
    with contextlib.suppress(OSError), connect(address) as client:
        client.sendall(sent)
        client.settimeout(10 if asked.wanted else _PATIENCE)
        told = False
        while True:
            try:
                part = client.recv(65536)
            except TimeoutError:
                if told:
                    break
                part = None
            if part == b"":
                break
            received += part or b""
            if part is None or (not told and _is_whole(received)):
                # A server that waits for more, or keeps the connection, ends it now.
                client.shutdown(socket.SHUT_WR)
                client.settimeout(_PATIENCE)
                told = True
    return bytes(received)


def _is_whole(received: bytes) -> bool:
    """Whether the first answer is there: all of it, or as much of a WebSocket as there will be."""
    head, end, body = received.partition(b"\r\n\r\n")
    if not end:
        return False
    if head.startswith(b"HTTP/1.1 101"):
        return SAW.encode() in body
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return length is not None and len(body) >= int(length[1])


def look_at(name: str, cases: int, seed: str, requests: list[bytes] | None = None) -> Seen:
    """Send *cases* requests of the grammar, or *requests*, to one server; and then with a root."""
    seen, began, server = Seen(name), time.monotonic(), SERVERS[name]
    roots = ["", ROOT] if server.root else [""]
    for root in roots:
        with (
            short_folder() as folder,
            server.serving(
                f"differential.routes.{server.kind}_apps:app",
                folder,
                options=OPTIONS.get(name, ()),
                root=root,
            ) as running,
        ):
            if requests is None:
                numbers = range(roots.index(root), cases, len(roots))
                before = None if not root else "" if name in _STRIPPED else root
                many = (make(Random(f"{seed}-{number}"), server.kind, before) for number in numbers)
            else:
                many = (_again(raw) for raw in requests)
            for asked in many:
                received = ask(running.address, asked)
                sentence = wrong_with(asked, received, name)
                told = re.match(rb"HTTP/1\.[01] ([0-9]{3})", received)
                seen.told["closed" if told is None else told[1].decode()] += 1
                if sentence is not None:
                    where = f"{name}{f' under {root}' if root else ''}"
                    seen.broken.append((asked.raw, f"{where}: {sentence}\n    {received[:300]!r}"))
            if running.process.poll() is not None:
                seen.broken.append((b"", f"{name}: the server ended"))
            text = running.log.read_text(errors="replace")
            seen.broken += ((b"", f"{name}: {sentence}") for sentence in raised_by_the_gate(text))
    seen.seconds = time.monotonic() - began
    return seen


def raised_by_the_gate(log: str) -> list[str]:
    """What the package raised by itself, whoever was asked after it."""
    found = []
    for frames, error in _TRACEBACK.findall(log):
        last = frames.rpartition('File "')[2].partition('"')[0]
        if "/edgeauth/" in last:
            found.append(f"{error}\n{frames[-1000:]}")
    return found


def _again(raw: bytes) -> Asked:
    gate = re.search(rb"Route-Gate: \w+/(\w+)", raw)
    return Asked(raw, gate[1].decode() if gate else "plain")


def main() -> None:
    parser = argparse.ArgumentParser(prog="differential.routes.run")
    parser.add_argument("--cases", type=int, default=10_000, help="for all servers together")
    parser.add_argument("--seed", type=int, help="repeats a run, which prints it")
    parser.add_argument("--server", action="append", choices=SERVERS, help="all, unless named")
    parser.add_argument("--at-once", type=int, default=4, help="servers at a time")
    parser.add_argument("--show", type=int, default=3, help="findings of each server to print")
    parser.add_argument("files", nargs="*", type=Path, help="requests to send instead")
    given = parser.parse_args()
    seed = SystemRandom().randrange(10**6) if given.seed is None else given.seed
    print(f"seed {seed}")
    names = given.server or list(SERVERS)
    requests = [path.read_bytes() for path in given.files] or None
    each = -(-given.cases // len(names))
    sent = broken = 0
    with ThreadPoolExecutor(given.at_once) as pool:
        for seen in pool.map(lambda name: look_at(name, each, f"{seed}-{name}", requests), names):
            counts = ", ".join(f"{what} {count}" for what, count in sorted(seen.told.items()))
            print(f"{seen.server}: {counts}; {seen.seconds:.0f} s", flush=True)
            sent += seen.told.total()
            broken += len(seen.broken)
            for number, (raw, sentence) in enumerate(seen.broken):
                if number < given.show:
                    path = FOUND / f"route-{seed}-{seen.server}-{number}"
                    FOUND.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(raw)
                    print(f"  {sentence}\n    {path}\n    {raw!r}")
    print(f"{sent} requests, {broken} of them did what they must not")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
