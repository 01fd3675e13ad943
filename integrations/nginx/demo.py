"""``make demo-nginx``: nginx, the service and a static site, asked in all the ways.

Prints a table and exits 0 if every request got what it should.
"""

from __future__ import annotations

import secrets
import sys
import time
from typing import NamedTuple

from support.processes import HOST, free_port, running, stop
from support.proxies import NGINX, proxying
from support.service import question, serving, short_folder

import edgeauth

SECRET = secrets.token_hex()
GUARD = f'secret = "{SECRET}"\nexempt = ["GET /healthz"]'


HANDSHAKE = (
    ("Upgrade", "websocket"),
    ("Connection", "upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
)


class Row(NamedTuple):
    """One request, and the status that the client must get."""

    what: str
    target: str
    fields: tuple[tuple[str, str], ...]
    expected: int


def signed(*, age: int = 0, secret: str = SECRET) -> tuple[str, str]:
    """The header as the edge writes it."""
    return "Edge-Auth", edgeauth.sign(secret, pop="LHR", timestamp=int(time.time()) - age)


def rows() -> list[Row]:
    """What is asked while the service runs."""
    name, value = signed()
    return [
        Row("through the edge, signed", "/", (signed(),), 200),
        Row("past the edge, no header", "/", (), 403),
        Row("signed with another secret", "/", (signed(secret="another-secret-of-16"),), 403),
        Row("signed two minutes ago", "/", (signed(age=120),), 403),
        Row("signed, then changed", "/", ((name, value.replace("LHR", "CDG")),), 403),
        Row("two headers", "/", (signed(), signed()), 403),
        Row("health check, exempt", "/healthz", (), 200),
        Row("its look-alike", "/%68ealthz", (), 403),
        Row("claims to be exempt", "/", (("X-Original-URI", "/healthz"),), 403),
        Row("WebSocket, exempt for GET", "/healthz", HANDSHAKE, 403),
    ]


def main() -> int:
    """Run the demo; the exit status."""
    with short_folder() as folder:
        site = folder / "site"
        site.mkdir()
        (site / "index.html").write_text("<h1>Hello from behind the edge</h1>\n")
        (site / "healthz").write_text("ok\n")
        port = free_port()
        server = [sys.executable, "-m", "http.server", str(port), "--bind", HOST, "-d", site]
        with (
            running(server, address=(HOST, port), log=folder / "site.log"),
            serving(GUARD, folder=folder) as service,
            proxying(NGINX, folder, service.address, port) as nginx,
        ):
            print(f"client -> nginx {HOST}:{nginx.port} -> site {HOST}:{port}")
            print(f"            \\-> edgeauth {service.address}\n")

            def ask(row: Row) -> bool:
                (answer,) = nginx.send(question(*row.fields, target=row.target))
                right = answer.status == row.expected
                mark = "ok" if right else f"WRONG, should be {row.expected}"
                print(f"{row.what:28} GET {row.target:12} {answer.status}  {mark}")
                return right

            results = [ask(row) for row in rows()]
            stop(service.process)
            results.append(ask(Row("signed, service stopped", "/", (signed(),), 500)))
    print(f"\n{sum(results)} of {len(results)} as they should be")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
