"""Uploads that nobody signed, through nginx with its defaults, to two origins."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import pytest
from support.processes import HOST, free_port, running
from support.proxies import nginx_binary
from support.wire import answers, converse

from bodies.servers import SERVERS, signed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# nginx takes this much by its default, and no more.
LARGEST = 1024 * 1024


@contextlib.contextmanager
def nginx(folder: Path, origins: list[int], setting: str, *, keeps: bool) -> Iterator[int]:
    """nginx in front of *origins*, all by its defaults but *setting*; gives its port.

    Without *keeps* each request has a connection of its own.
    """
    port = free_port()
    user = "user root;" if os.geteuid() == 0 else ""
    upstream = " ".join(f"server {HOST}:{origin};" for origin in origins)
    temporary = " ".join(
        f"{name}_temp_path {folder}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"{user} worker_processes 1; daemon off; pid {folder}/nginx.pid;\n"
        f"error_log {folder}/error.log info;\n"
        "events {}\n"
        f"http {{ access_log off; {temporary} {setting}\n"
        f"upstream origins {{ {upstream} {'' if keeps else 'keepalive 0;'} }}\n"
        f"server {{ listen {HOST}:{port}; location / {{ proxy_pass http://origins; }} }} }}\n"
    )
    argv = [nginx_binary(), "-p", folder, "-c", folder / "nginx.conf"]
    with running(argv, address=(HOST, port), log=folder / "nginx.out", cwd=folder):
        yield port


@contextlib.contextmanager
def two_origins(server, folder, setting=""):
    with (
        server.serving(folder, "one") as one,
        server.serving(folder, "two") as two,
        nginx(folder, [one, two], setting, keeps=server.keeps_connections) as port,
    ):
        yield port


@pytest.fixture(scope="module", params=SERVERS, ids=lambda server: server.name)
def buffered(request, tmp_path_factory):
    with two_origins(request.param, tmp_path_factory.mktemp("buffered")) as port:
        yield port


@pytest.fixture(scope="module", params=SERVERS, ids=lambda server: server.name)
def passed_on(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("passed-on")
    setting = "proxy_request_buffering off; proxy_http_version 1.1;"
    with two_origins(request.param, folder, setting) as port:
        yield port


def upload(port, framing, body):
    head = ["POST / HTTP/1.1", f"Host: {HOST}", "Connection: close", framing, "", ""]
    (answer,) = answers(converse((HOST, port), "\r\n".join(head).encode() + body), ["POST"])
    return answer.status


def statuses_of_uploads(port, size, *, chunked=False):
    """Of eight unsigned uploads of *size* bytes, each followed by two signed requests."""
    body, framing = b"x" * size, f"Content-Length: {size}"
    if chunked:
        body, framing = b"%x\r\n%b\r\n0\r\n\r\n" % (size, body), "Transfer-Encoding: chunked"
    return [(upload(port, framing, body), signed(port), signed(port)) for _ in range(8)]


@pytest.mark.parametrize("size", [200_000, 900_000, LARGEST])
def test_an_unsigned_upload_is_denied_and_no_origin_is_taken_out(buffered, size):
    assert statuses_of_uploads(buffered, size) == [(403, 200, 200)] * 8


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_nor_is_it_where_nginx_passes_the_body_on_as_it_comes(passed_on, chunked):
    assert statuses_of_uploads(passed_on, LARGEST, chunked=chunked) == [(403, 200, 200)] * 8
