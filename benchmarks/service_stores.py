"""Message signatures through nginx: the service with each replay store, with one worker and two."""

from __future__ import annotations

import contextlib
import os
import statistics
from typing import TYPE_CHECKING, Any

from support.processes import HOST, free_port, running
from support.proxies import nginx_binary
from support.redis import redis_server
from support.service import SECRET, Service, serving, short_folder

from edgeauth import Key
from edgeauth.schemes.message_signatures import MessageSigner

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from pathlib import Path

SIGNER = MessageSigner(Key("default", SECRET))

_STORES = (("memory", 1), ("sqlite", 1), ("sqlite", 2), ("redis", 1), ("redis", 2))

_NGINX = """
worker_processes 1;
error_log @FOLDER@/error.log warn;
pid @FOLDER@/nginx.pid;
events { worker_connections 4096; }
http {
    access_log off;
    keepalive_requests 1000000;
    upstream asked { server unix:@FOLDER@/edgeauth.sock; keepalive 64; keepalive_requests 1000000; }
    server {
        listen 127.0.0.1:@PORT@;
        location / { auth_request /_ask; root @FOLDER@; }
        location = /_ask {
            internal;
            proxy_pass http://asked;
            proxy_http_version 1.1;
            proxy_pass_request_body off;
            proxy_pass_request_headers off;
            proxy_set_header Connection "";
            proxy_set_header Content-Length "";
            proxy_set_header Host $http_host;
            proxy_set_header Signature-Input $http_signature_input;
            proxy_set_header Signature $http_signature;
            proxy_set_header X-Original-Method $request_method;
            proxy_set_header X-Original-URI $request_uri;
            proxy_set_header X-Request-ID $request_id;
            proxy_set_header X-Forwarded-For $remote_addr;
        }
    }
}
"""


def signed_fields() -> dict[str, str]:
    """What an edge signs for one request of now."""
    return SIGNER.sign("GET", "/index.html", "origin.example")


@contextlib.contextmanager
def signed_service(folder: Path, store: str = "memory", workers: int = 1) -> Iterator[Service]:
    """The service for message signatures, each good once."""
    folder.mkdir(exist_ok=True)
    guard = f'scheme = "message-signatures"\nsecret = "{SECRET}"\nreplay = "{store}"'
    with serving(guard, f"workers = {workers}", folder=folder) as service:
        yield service


def stores_and_workers(
    options: argparse.Namespace,
    make: Callable[[int], Any],
    measure: Callable[[Any, str, Path, argparse.Namespace], None],
) -> list[str]:
    """Measure all in turn, once a round; the lines of the report."""
    with contextlib.ExitStack() as stack:
        settings = {"memory": "memory"}
        folder = stack.enter_context(short_folder())
        settings["sqlite"] = f"sqlite:{folder}/seen.db"
        redis = stack.enter_context(short_folder())
        settings["redis"] = stack.enter_context(redis_server(redis)).url
        variants = {
            (store, workers): make(stack.enter_context(_through_nginx(settings[store], workers)))
            for store, workers in _STORES
        }
        for _ in range(options.rounds):
            for variant in variants.values():
                measure(variant, "signed", folder, options)
    lines = ["Message signatures, each good once:", "", "| store | workers | requests per second |"]
    lines += ["|---|---|---|"]
    for (store, workers), variant in variants.items():
        rates = variant.rates["signed"]
        lines.append(f"| {store} | {workers} | {statistics.median(rates):,.0f} |")
    for store in ("sqlite", "redis"):
        one, two = (variants[store, workers].rates["signed"] for workers in (1, 2))
        brings = statistics.median(b / a for a, b in zip(one, two, strict=True))
        lines.append(f"\n- two workers instead of one, {store}: {brings:.2f}")
    return lines


@contextlib.contextmanager
def _through_nginx(store: str, workers: int) -> Iterator[int]:
    with short_folder() as folder, signed_service(folder, store, workers):
        (folder / "index.html").write_text("x" * 512)
        port = free_port()
        config = folder / "nginx.conf"
        config.write_text(_NGINX.replace("@FOLDER@", str(folder)).replace("@PORT@", str(port)))
        user = "user root;" if os.geteuid() == 0 else ""
        argv = [nginx_binary(), "-p", folder, "-c", config, "-g", f"daemon off; {user}"]
        with running(argv, address=(HOST, port), log=folder / "nginx.log"):
            yield port
