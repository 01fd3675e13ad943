"""A proxy with its shipped configuration, the service that it asks, and an application."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, NamedTuple

import edgeauth
from support.proxies import NGINX_REAL_IP, Kind, Proxy, proxying
from support.service import SECRET, Service, question, serving, short_folder
from support.upstream import telling_application

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.wire import Answer

GUARD = f"""
secret = "{SECRET}"
exempt = ["GET /healthz"]
"""

# The CDN's addresses, for the variant that checks them.
EDGE = '{"addresses": ["192.0.2.0/24"], "ipv6_addresses": []}'
FROM_EDGE = ("X-Forwarded-For", "192.0.2.7")


class Gate(NamedTuple):
    """A proxy, the service that it asks, and requests through both."""

    proxy: Proxy
    service: Service

    def ask(self, *fields: tuple[str, str], method: str = "GET", target: str = "/page") -> Answer:
        """One request from the edge's address."""
        sent = question(*fields, *self.source, method=method, target=target)
        (answer,) = self.proxy.send(sent, method)
        return answer

    @property
    def source(self) -> tuple[tuple[str, str], ...]:
        # Only one variant looks at it. To the others it would be a claim of the client.
        return (FROM_EDGE,) if self.proxy.kind is NGINX_REAL_IP else ()

    @property
    def header(self) -> str:
        return self.proxy.kind.header

    def signed(self, *, age: int = 0, secret: str = SECRET) -> tuple[str, str]:
        """A credential as the edge makes it."""
        value = edgeauth.sign(secret, pop="LHR", timestamp=int(time.time()) - age)
        return self.header, value


@contextlib.contextmanager
def gate(kind: Kind, guard: str = GUARD, application: int | None = None) -> Iterator[Gate]:
    """Run all of it until the block ends; *application* is the port of another one."""
    running = telling_application() if application is None else contextlib.nullcontext(application)
    with short_folder() as folder, running as upstream:
        if not kind.settings:
            guard = f'{guard}header = "{kind.header}"\n'
        if kind is NGINX_REAL_IP:
            (folder / "edge.json").write_text(EDGE)
            guard += f'addresses = "{folder}/edge.json"\n'
        with (
            serving(guard, f'proxy = "{kind.proxy}"', folder=folder, tcp=kind.tcp) as service,
            proxying(kind, folder, service.address, upstream) as proxy,
        ):
            yield Gate(proxy, service)
