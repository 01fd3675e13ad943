"""Front Door ids and client certificates, with every command and behind real servers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.gate import Gate
from support.processes import HOST, free_port, running
from support.proxies import NGINX, proxying
from support.servers import SERVERS
from support.service import serving, short_folder
from support.upstream import telling_application
from support.wire import answers, converse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ID = "0a1b2c3d-1111-4000-8000-0123456789ab"
PRINT = "ab" * 20
FRONT_DOOR = {"EDGEAUTH_CDN": "azure-front-door", "EDGEAUTH_FRONT_DOOR_IDS": ID}
CERTIFICATE = {"EDGEAUTH_SCHEME": "client-certificate", "EDGEAUTH_FINGERPRINTS": PRINT}
# What a server refuses by itself, with a gate or without one.
HERE, ELSEWHERE = "127.0.0.0/8", "198.51.100.0/24"


def edgeauth(*words: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edgeauth", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **env},
    )


def settings(folder: Path, kind: str, network: str) -> dict[str, str]:
    """The variables of an app that takes its edge for one in *network*."""
    if kind == "client-certificate":
        return {**CERTIFICATE, "EDGEAUTH_TRUSTED_PROXIES": network}
    file = folder / "edge.txt"
    file.write_text(f"{network}\n")
    return {**FRONT_DOOR, "EDGEAUTH_ADDRESSES": str(file)}


@pytest.fixture(params=["uvicorn-h11", "gunicorn"])
def server(request) -> str:
    return request.param


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as path:
        yield path


def served(server: str, folder: Path, env: dict[str, str]):
    app = f"support.settings_apps:{SERVERS[server].kind}_app"
    return SERVERS[server].serving(app, folder, env=env)


def status(port: int, *fields: str) -> int:
    lines = ["GET / HTTP/1.1", "Host: shop.example", "Connection: close", *fields, "", ""]
    [answer] = answers(converse((HOST, port), "\r\n".join(lines).encode()), ["GET"])
    return answer.status


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("azure-front-door", [f"X-Azure-FDID: {ID}"]),
        (
            "client-certificate",
            [f"X-SSL-Client-Fingerprint: {PRINT}", "X-SSL-Client-Verify: SUCCESS"],
        ),
    ],
)
def test_what_the_edge_sends_counts_from_where_the_edge_is_alone(server, folder, kind, fields):
    with served(server, folder, settings(folder, kind, HERE)) as running_:
        port = running_.address[1]
        assert status(port, *fields) == 200
        assert status(port) == 403
        assert status(port, *fields, *fields) == 403
        assert status(port, *(f"{field}0" for field in fields)) == 403
    with served(server, folder, settings(folder, kind, ELSEWHERE)) as running_:
        assert status(running_.address[1], *fields) == 403


@pytest.mark.parametrize(
    ("kind", "row"),
    [("azure-front-door", "id-from-elsewhere"), ("client-certificate", "certificate-written")],
)
def test_the_probe_finds_a_gate_that_believes_the_field_alone(folder, kind, row):
    env = settings(folder, kind, ELSEWHERE)
    with served("gunicorn", folder, env) as running_:
        done = edgeauth(
            "probe", f"http://{HOST}:{running_.address[1]}/", "--json", "--rate=100", env=env
        )
    document = json.loads(done.stdout)
    rows = {one["id"]: one for one in document["rows"]}
    assert (done.returncode, document["failed"]) == (0, 0), done.stdout
    assert rows[row]["outcome"] == "pass"
    assert rows["signed"]["outcome"] == "not tried"

    # Whoever probes stands where the gate expects the edge: as if it looked at no address.
    env = settings(folder, kind, HERE)
    with served("gunicorn", folder, env) as running_:
        done = edgeauth(
            "probe", f"http://{HOST}:{running_.address[1]}/", "--json", "--rate=100", env=env
        )
    failed = {one["id"] for one in json.loads(done.stdout)["rows"] if one["outcome"] == "fail"}
    assert done.returncode == 1
    assert row in failed
    assert failed <= {row, "as-front-door"}


@pytest.mark.parametrize("kind", ["azure-front-door", "client-certificate"])
def test_the_edge_stand_in_signs_and_the_commands_agree(folder, kind):
    env = settings(folder, kind, HERE)
    checked = edgeauth("check-config", env=env)
    assert checked.returncode == 0, checked.stderr
    signed = edgeauth("sign", env=env)
    assert signed.returncode == 0, signed.stderr
    verified = subprocess.run(
        [sys.executable, "-m", "edgeauth", "verify"],
        input=signed.stdout,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **env},
    )
    assert verified.returncode == 0, verified.stdout
    port = free_port()
    with served("gunicorn", folder, env) as running_:
        upstream = f"http://{HOST}:{running_.address[1]}"
        words = ["edge", "--upstream", upstream, "--port", str(port)]
        with running(
            [sys.executable, "-m", "edgeauth", *words],
            address=(HOST, port),
            log=folder / "edge.log",
            env=env,
        ):
            assert status(port) == 200
            assert status(port, "X-Azure-FDID: 1", "X-SSL-Client-Verify: NONE") == 200


def test_the_service_refuses_to_believe_what_a_proxy_hands_on():
    env = {**CERTIFICATE, "EDGEAUTH_TRUSTED_PROXIES": HERE, "EDGEAUTH_SERVICE_LISTEN": f"{HOST}:1"}
    done = edgeauth("serve", env=env)

    assert done.returncode != 0
    assert "hands on what a client wrote" in done.stderr


def test_the_doctor_finds_a_server_that_hides_the_proxy():
    env = {**CERTIFICATE, "EDGEAUTH_TRUSTED_PROXIES": HERE}
    found = json.loads(edgeauth("doctor", "--json", env=env).stdout)["findings"]
    assert "proxy-hidden" in {one["id"] for one in found}

    env |= {"UVICORN_PROXY_HEADERS": "off"}
    found = json.loads(edgeauth("doctor", "--json", env=env).stdout)["findings"]
    assert "proxy-hidden" not in {one["id"] for one in found}


@pytest.mark.parametrize(("network", "expected"), [(HERE, 200), (ELSEWHERE, 403)])
def test_nginx_and_the_service_let_in_who_comes_from_the_edge_alone(folder, network, expected):
    env = settings(folder, "azure-front-door", network)
    guard = (
        f'cdn = "azure-front-door"\nfront_door_ids = ["{ID}"]\n'
        f'addresses = "{env["EDGEAUTH_ADDRESSES"]}"\n'
    )
    kind = replace(NGINX, settings=tuple(FRONT_DOOR.items()))
    # nginx is on loopback here, and so is who asks it: the service would take both for proxies.
    only_nginx = 'proxy_addresses = ["unix"]\nproxy = "nginx"'
    with (
        telling_application() as upstream,
        serving(guard, only_nginx, folder=folder) as service,
        proxying(kind, folder, service.address, upstream) as proxy,
    ):
        gate = Gate(proxy, service)
        assert gate.ask(("X-Azure-FDID", ID)).status == expected
        assert gate.ask(("X-Azure-FDID", ID.replace("0a", "0b"))).status == 403
        assert gate.ask().status == 403
