"""The JavaScript that all edges share signs byte for byte what the origin expects."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import edge_tools
from support.odd_requests import odd_requests
from support.workerd import JAVASCRIPT

from edgeauth.schemes.message_signatures.arguments import required
from edgeauth.schemes.message_signatures.base import Base

SEED = 20261127


@dataclass
class Received:
    """A request as the origin sees it."""

    method: str
    target: bytes
    host: bytes
    fields: list[tuple[str, str]]
    handshake = False

    def header(self, name):
        found = [value.encode() for field, value in self.fields if field == name.lower()]
        return [self.host] if name == "Host" else found


def node(script: Path, *arguments: str | Path, lines: list[object]) -> list[object]:
    """What a script prints for *lines*, both of JSON."""
    given = "".join(json.dumps(line) + "\n" for line in lines)
    argv = [edge_tools.node(), script, *arguments]
    done = subprocess.run(argv, input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_the_bases_of_a_thousand_odd_requests_are_those_of_the_origin(scheme):
    requests = odd_requests(1000, SEED, rare=True)
    rows = []
    for number, one in enumerate(requests):
        by_url = {"url": f"{scheme}://{one.host}{one.target}"}
        by_parts = {"authority": one.host, "target": one.target}
        row = {
            **(by_url if number % 2 else by_parts),
            "method": one.method,
            "fields": one.fields,
            "components": one.signed,
            "scheme": scheme,
            "key": {"id": "edge-1"},
            "created": 1_700_000_000 + number,
            "nonce": f"n-{number}" if number % 3 else None,
        }
        tag = [None, "edge", 'a "quoted\\" tag'][number % 5 % 3]
        rows.append(row if tag is None else {**row, "tag": tag})
    found = node(Path(__file__).parent / "bases.mjs", JAVASCRIPT, lines=rows)
    assert len(found) == len(rows)
    for row, one, pair in zip(rows, requests, found, strict=True):
        base = Base(required(one.signed))
        received = Received(one.method, one.target.encode(), one.host.encode(), one.fields)
        expected = base.of(received, _signed(row), scheme).decode()
        assert pair == [expected, expected]


def base_of(**request) -> str:
    """What the core says of one request."""
    row = {
        "method": "GET",
        "fields": [],
        "key": {"id": "a"},
        "created": 1,
        "nonce": None,
        **request,
    }
    [[found, again]] = node(Path(__file__).parent / "bases.mjs", JAVASCRIPT, lines=[row])
    assert found == again
    return found


@pytest.mark.parametrize(
    ("url", "path", "query"),
    [
        ("https://shop.example", "/", "?"),
        ("https://shop.example?a", "/", "?a"),
        ("HTTPS://shop.example/a?b?c#d?e", "/a", "?b?c"),
    ],
)
def test_a_url_without_a_path_or_with_a_fragment_is_signed_as_it_is_sent(url, path, query):
    lines = base_of(url=url, components=["@path", "@query"]).splitlines()
    assert lines[:2] == [f'"@path": {path}', f'"@query": {query}']


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"url": "/a"}, "the url must be absolute"),
        ({"url": "https://user@shop.example/"}, "name no user"),
        ({"authority": "shop.example"}, "neither url nor authority and target"),
        ({"target": "/"}, "neither url nor authority and target"),
        ({"url": "https://a/\u00fc"}, "@path is not printable ASCII"),
        ({"url": 'https://a/\n"x-a": b'}, "@path is not printable ASCII"),
        ({"url": "https://a/", "tag": "\u00fc"}, "a parameter is not printable ASCII"),
        ({"url": "https://a/", "components": ["x-a"]}, "x-a cannot be signed: it is not there"),
        ({"url": "https://a/", "components": ["@status"]}, "@status cannot be signed"),
    ],
)
def test_what_cannot_be_signed_is_an_error(request_, message):
    assert base_of(**request_).startswith("refused: ")
    assert message in base_of(**request_)


def _signed(row) -> bytes:
    """The parameters as the origin writes them when it has read them."""
    names = " ".join(f'"{name}"' for name in row["components"])
    text = f'({names});created={row["created"]};keyid="edge-1"'
    if row["nonce"] is not None:
        text += f';nonce="{row["nonce"]}"'
    if "tag" in row:
        text += ';tag="{}"'.format(row["tag"].replace("\\", "\\\\").replace('"', '\\"'))
    return text.encode()
