"""Tokens over sockets: each row is decided by real servers, and by nginx and the service, as in the
core; and the signers of the peers are believed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from support.processes import HOST, free_port, running, wait_until
from support.proxies import NGINX, proxying
from support.servers import SERVERS
from support.service import serving, short_folder
from support.signed_token import rows
from support.token_keys import SECRET, jwks, signed
from support.upstream import telling_application
from support.wire import answers, converse

TESTS = Path(__file__).parents[1]
ROWS = rows()
PATH = f"{TESTS / 'row_kind'}:{TESTS}"


def sent(row, *more):
    fields = [*row.fields, ("X-Row", row.name.encode()), ("Connection", b"close"), *more]
    lines = [name.encode() + b": " + value for name, value in fields]
    start = row.request["method"].encode() + b" " + row.target + b" HTTP/1.1"
    return b"\r\n".join([start, *lines, b"", b""])


def status(address, row):
    (answer,) = answers(converse(address, sent(row)), (row.request["method"],))
    return answer.status


@pytest.fixture(scope="module", params=["uvicorn-httptools", "gunicorn"])
def server(request):
    one = SERVERS[request.param]
    with (
        short_folder() as folder,
        one.serving(f"support.token_apps:{one.kind}", folder, env={"PYTHONPATH": PATH}) as started,
    ):
        yield started.address


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_server_decides_a_row_as_the_core_does(server, row):
    found = status(server, row)
    assert (found == 200) == row.accept
    assert found in {200, 400, 403}


@pytest.fixture(scope="module")
def nginx():
    # The field that names the row must be handed on too: its settings look at any field.
    kind = replace(NGINX, settings=ANY_FIELD)
    guard = f'scheme = "token-rows"\nsecret = "{SECRET}"'
    with (
        short_folder() as folder,
        telling_application() as upstream,
        serving(guard, 'proxy = "nginx"', folder=folder, environ={"PYTHONPATH": PATH}) as service,
        proxying(kind, folder, service.address, upstream) as proxy,
    ):
        yield (HOST, proxy.port)


ANY_FIELD = (
    ("EDGEAUTH_SCHEME", "message-signatures"),
    ("EDGEAUTH_COMPONENTS", "@method,x-row,x-nf-sign,cf-access-jwt-assertion"),
    ("EDGEAUTH_SECRET", SECRET),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_nginx_and_the_service_decide_a_row_as_the_core_does(nginx, row):
    found = status(nginx, row)
    assert (found == 200) == row.accept
    assert found in {200, 400, 403}


# --- the app as it runs: PyJWT signs, the key set changes


@pytest.mark.parametrize("name", ["uvicorn-httptools", "gunicorn"])
def test_what_pyjwt_signs_is_let_in_and_a_key_set_that_changes_is_followed(name, tmp_path):
    key_set = tmp_path / "jwks.json"
    key_set.write_text(json.dumps(jwks("ES256", "one")))
    one = SERVERS[name]
    env = {
        "EDGEAUTH_SCHEME": "signed-token",
        "EDGEAUTH_PRESET": "google-iap",
        "EDGEAUTH_AUDIENCE": AUDIENCE,
        "EDGEAUTH_JWKS": str(key_set),
        "EDGEAUTH_WATCH_INTERVAL": "0.1",
    }
    with (
        short_folder() as folder,
        one.serving(f"support.told_claims:{one.kind}", folder, env=env) as started,
    ):
        answer = asked(started.address, "one")
        assert answer.status == 200
        assert json.loads(answer.body) == {"sub": "accounts.google.com:1", "email": "a@example.com"}
        assert asked(started.address, "two").status == 403
        assert asked(started.address, "one", aud="/projects/2/apps/b").status == 403
        assert asked(started.address, None).status == 403
        key_set.write_text(json.dumps(jwks("ES256", "two")))
        wait_until(lambda: asked(started.address, "two").status == 200)
        assert asked(started.address, "one").status == 403


AUDIENCE = "/projects/1/apps/a"


def asked(address, name, aud=AUDIENCE):
    now = int(time.time())
    said = {"iss": "https://cloud.google.com/iap", "aud": aud, "iat": now, "exp": now + 600}
    said |= {"sub": "accounts.google.com:1", "email": "a@example.com"}
    lines = ["GET / HTTP/1.1", "Host: a.example", "Connection: close"]
    if name is not None:
        lines.append(f"X-Goog-IAP-JWT-Assertion: {signed('ES256', said, name=name).decode()}")
    (answer,) = answers(converse(address, "\r\n".join([*lines, "", ""]).encode()), ("GET",))
    return answer


def test_the_stand_in_for_the_edge_and_the_probe_know_tokens(tmp_path):
    env = {
        "EDGEAUTH_SCHEME": "signed-token",
        "EDGEAUTH_PRESET": "netlify",
        "EDGEAUTH_SECRET": SECRET,
        "EDGEAUTH_CLAIMS": "site_url=https://a.example",
    }
    one, port = SERVERS["uvicorn-httptools"], free_port()
    command = [sys.executable, "-m", "edgeauth"]
    with (
        short_folder() as folder,
        one.serving("support.told_claims:asgi", folder, env=env) as origin,
        running(
            [*command, "edge", "--upstream", url(origin.address), "--port", str(port)],
            address=(HOST, port),
            log=tmp_path / "edge.log",
            env=env,
        ),
    ):
        forged = b"GET / HTTP/1.1\r\nHost: a\r\nX-Nf-Sign: a.b.c\r\nConnection: close\r\n\r\n"
        (answer,) = answers(converse((HOST, port), forged), ("GET",))
        assert json.loads(answer.body) == {
            "site_url": "https://a.example",
            "deploy_context": "production",
        }
        (past_it,) = answers(converse(origin.address, forged), ("GET",))
        assert past_it.status == 403
        probed = subprocess.run(
            [*command, "probe", "--rate", "100", url(origin.address) + "/"],
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            check=False,
        )
    assert probed.returncode == 0, probed.stdout + probed.stderr
    assert "PASS" in probed.stdout
    assert "0 fail" in probed.stdout


def url(address):
    return f"http://{address[0]}:{address[1]}"
