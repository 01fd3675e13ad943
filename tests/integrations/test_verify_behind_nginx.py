"""``edgeauth verify`` names what a real nginx between edge and origin did to a signed request."""

from __future__ import annotations

import json
import os

import pytest
from click.testing import CliRunner
from support.processes import HOST, free_port, running
from support.proxies import nginx_binary
from support.raw_origin import raw_origin
from support.signed_requests import SECRET
from support.wire import converse

from edgeauth.ops.cli import main

ENV = {"EDGEAUTH_SECRET": SECRET, "EDGEAUTH_SCHEME": "message-signatures"}

_CONF = """
error_log {folder}/error.log; pid {folder}/pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{ listen {host}:{port}; {rules} }}
}}
"""

# What is found of each: the proxy's rules, what is signed, code and line.
CASES = {
    "Host rewritten": (
        "location / { proxy_pass UP; proxy_set_header X-Forwarded-Host $http_host; }",
        ("GET", "/a?q=1"),
        "host-rewritten",
        '"@authority"',
    ),
    "port lost": (
        "location / { proxy_pass UP; proxy_set_header Host $host; }",
        ("GET", "/a?q=1"),
        "host-port",
        '"@authority"',
    ),
    "path decoded": (
        "location / { proxy_pass UP/; proxy_set_header Host $http_host; }",
        ("GET", "/a%7Eb?q=1"),
        "path-encoding",
        '"@path"',
    ),
    "slashes merged": (
        "location / { proxy_pass UP/; proxy_set_header Host $http_host; }",
        ("GET", "/a%2Fb?q=1"),
        "path-encoding",
        '"@path"',
    ),
    "prefix stripped": (
        (
            "location /shop/ { proxy_pass UP/; proxy_set_header Host $http_host;"
            " proxy_set_header X-Forwarded-Prefix /shop; }"
        ),
        ("GET", "/shop/a?q=1"),
        "prefix-stripped",
        '"@path"',
    ),
    "query dropped": (
        (
            "location / { proxy_pass UP$uri; proxy_set_header Host $http_host;"
            " proxy_set_header X-Original-URI $request_uri; }"
        ),
        ("GET", "/a?q=1"),
        "target-rewritten",
        '"@query"',
    ),
    "method changed": (
        "location / { proxy_pass UP; proxy_set_header Host $http_host; proxy_method GET; }",
        ("HEAD", "/a?q=1"),
        "method",
        '"@method"',
    ),
}


def edgeauth(*words, given=None):
    return CliRunner().invoke(main, words, env=ENV, input=given)


@pytest.mark.parametrize(("rules", "asked", "code", "line"), CASES.values(), ids=list(CASES))
def test_what_nginx_did_is_named(rules, asked, code, line, tmp_path):
    method, target = asked
    port = free_port()
    authority = f"shop.example:{port}"
    with raw_origin() as origin:
        config = tmp_path / "nginx.conf"
        places = {"folder": tmp_path, "host": HOST, "port": port}
        up = f"http://{HOST}:{origin.port}"
        config.write_text(_CONF.format(rules=rules.replace("UP", up), **places))
        user = " user root;" if os.geteuid() == 0 else ""
        argv = [nginx_binary(), "-p", tmp_path, "-c", config, "-g", f"daemon off;{user}"]
        with running(argv, address=(HOST, port), log=tmp_path / "said.log"):
            signed = edgeauth(
                "sign", "--method", method, "--url", f"https://{authority}{target}"
            ).stdout.replace("\n", "\r\n")
            head = f"{method} {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n"
            converse((HOST, port), f"{head}{signed}\r\n".encode())
    [arrival] = origin.arrivals
    lines = [f"{arrival.method} {arrival.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in arrival.fields]
    result = edgeauth("verify", "--json", given="\n".join(lines))
    document = json.loads(result.stdout)
    assert (result.exit_code, document["reason"]) == (1, "bad-signature")
    assert [finding["code"] for finding in document["findings"]] == [code]
    assert [one["name"] for one in document["fields"] if not one["ok"]] == [line, "signature"]
