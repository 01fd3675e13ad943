"""Fields that a client can write decide nothing behind a proxy, and reach no application as
others than they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.gate import GUARD, Gate, gate
from support.proxies import HAPROXY, INGRESS_NGINX, KINDS, NGINX, NGINX_REAL_IP, Kind, Places
from support.raw_origin import Origin, raw_origin
from support.service import question

from edgeauth.ops.probe.spoofable import names, spoofs

if TYPE_CHECKING:
    from collections.abc import Iterator

# The applications' own fields that matter, as a CGI-like one knows them.
_OURS = ("X-EdgeAuth-Pop", "X-EdgeAuth-Reason", "X-EdgeAuth-Key", "X-EdgeAuth-Age")
_OURS += ("Edge-Auth", "Edge-Auth-Pass", "X-Forwarded-For", "Transfer-Encoding")


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.name)
def seen(request: pytest.FixtureRequest) -> Iterator[tuple[Gate, Origin]]:
    with raw_origin() as origin, gate(request.param, application=origin.port) as running:
        yield running, origin


@pytest.mark.parametrize("spoof", spoofs("GET", "/healthz"), ids=lambda spoof: spoof.id)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_field_of_a_client_makes_a_request_the_exempt_one(
    seen: tuple[Gate, Origin], spoof, method: str
):
    through, origin = seen
    before = len(origin.arrivals)

    for fields in (spoof.fields, spoof.fields * 2):
        answer = through.ask(*fields, method=method, target=spoof.path or "/secret")
        # Caddy and Envoy take an odd field for no HTTP.
        assert answer.status in {400, 403}
    assert origin.arrivals[before:] == []


@pytest.mark.parametrize("name", names())
def test_no_single_field_of_a_client_makes_a_request_the_exempt_one(
    seen: tuple[Gate, Origin], name: str
):
    through, origin = seen
    before = len(origin.arrivals)

    for value in ("/healthz", "http://origin.example/healthz", "GET", "websocket", ""):
        assert through.ask((name, value), target="/secret").status in {400, 403}
    assert origin.arrivals[before:] == []


def test_a_client_keeps_no_field_from_the_question_by_naming_it_in_connection(
    seen: tuple[Gate, Origin],
):
    through, origin = seen
    before = len(origin.arrivals)
    listed = ", ".join([*names(), "Edge-Auth"])
    sent = question(("Connection", listed), *through.source, target="/secret", close=False)

    (answer,) = through.proxy.send(sent.replace(b"Connection: ", b"Connection: close, "))

    assert answer.status in {400, 403}
    assert origin.arrivals[before:] == []


def test_no_look_alike_of_a_field_arrives(seen: tuple[Gate, Origin]):
    through, origin = seen
    twins = {
        (spelt, "LIE")
        for name in _OURS
        for spelt in (name.replace("-", "_"), name.replace("-", "_", 1), name.upper())
        if "_" in spelt
    }

    answer = through.ask(through.signed(), *sorted(twins))

    assert answer.status == 200
    assert [
        name for name, value in origin.arrivals[-1].fields if "_" in name or value == "LIE"
    ] == []


@pytest.mark.parametrize("more", [(), (("TE", "trailers"),)], ids=["", "TE"])
@pytest.mark.parametrize("target", ["/", "/page"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_trailer_arrives(
    seen: tuple[Gate, Origin], method: str, target: str, more: tuple[tuple[str, str], ...]
):
    through, origin = seen
    trailers = ("X-Forwarded-For", "X-EdgeAuth-Pop", "X-T")
    head = question(
        through.signed(),
        *through.source,
        ("Transfer-Encoding", "chunked"),
        ("Trailer", ", ".join(trailers)),
        *more,
        method=method,
        target=target,
    )
    before = len(origin.arrivals)
    body = b"5\r\nhello\r\n0\r\n" + b"".join(b"%s: LIE\r\n" % name.encode() for name in trailers)

    (answer,) = through.proxy.send(head + body + b"\r\n", method)

    if through.proxy.kind is HAPROXY:
        # Before 3.2 it can only refuse what may have one.
        assert (answer.status, origin.arrivals[before:]) == (411, [])
        return
    (arrival,) = origin.arrivals[before:]
    assert (answer.status, arrival.body, arrival.trailers) == (200, "hello", ())
    assert "LIE" not in [value for _, value in arrival.fields]


def test_haproxy_refuses_a_body_without_a_length_only_to_who_may_come_in():
    with raw_origin() as origin, gate(HAPROXY, application=origin.port) as running:
        head = question(("Transfer-Encoding", "chunked"), method="POST")
        (answer,) = running.proxy.send(head + b"0\r\n\r\n", "POST")

    assert answer.status == 403


@pytest.mark.parametrize(
    "host",
    [
        *["a/healthz", "a/healthz?", "/healthz", "a?/healthz", "a#/healthz", "a\\healthz", "a/"],
        *["http://a/healthz?", "[::1]/healthz?", "a:80/healthz?", "a@b/healthz", "a/healthz#"],
    ],
)
def test_no_host_is_read_as_the_exempt_path(seen: tuple[Gate, Origin], host: str):
    through, origin = seen
    before = len(origin.arrivals)

    for target in ("/secret", "/", "?/healthz", "http://b/secret"):
        sent = question(*through.source, target=target).replace(b"origin.example", host.encode())
        assert through.proxy.send(sent)[0].status in {400, 403, 404}
    assert origin.arrivals[before:] == []


@pytest.mark.parametrize("target", ["/healthz", "/healthz?x=http://a/secret", "http://b/healthz"])
@pytest.mark.parametrize("host", ["origin.example", "origin.example:8080", "[::1]:80", "192.0.2.1"])
def test_the_exempt_path_is_known_by_any_usual_host(
    seen: tuple[Gate, Origin], host: str, target: str
):
    through, origin = seen
    sent = question(*through.source, target=target).replace(b"origin.example", host.encode())

    (answer,) = through.proxy.send(sent)

    # HAProxy wants the authority of an absolute form to be that of Host.
    refuses = through.proxy.kind is HAPROXY and target.startswith("http:")
    assert answer.status == (400 if refuses else 200)
    assert refuses or origin.arrivals[-1].target.endswith(target.removeprefix("http://b"))


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind is not NGINX_REAL_IP], ids=lambda kind: kind.name
)
def test_a_claimed_address_does_not_pass_the_address_check(kind: Kind, tmp_path: Path):
    (tmp_path / "edge.json").write_text('{"addresses": ["198.51.100.0/24"], "ipv6_addresses": []}')
    (tmp_path / "here.json").write_text(
        '{"addresses": ["0.0.0.0/1", "128.0.0.0/1"], "ipv6_addresses": []}'
    )
    claims = (
        ("X-Forwarded-For", "198.51.100.7"),
        ("X_Forwarded_For", "198.51.100.7"),
        ("X-Real-IP", "198.51.100.7"),
        ("Forwarded", "for=198.51.100.7"),
        ("X-Envoy-External-Address", "198.51.100.7"),
    )
    with gate(kind, f'{GUARD}addresses = "{tmp_path}/edge.json"\n') as running:
        for fields in [(), claims, claims[:1], claims[1:2], claims[:1] * 2]:
            assert running.ask(running.signed(), *fields).status == 403
    with gate(kind, f'{GUARD}addresses = "{tmp_path}/here.json"\n') as running:
        assert running.ask(running.signed()).status == 200


_ADDED = """
        location /later {{ proxy_pass http://app; {more} }}
        location = /open {{ auth_request off; proxy_pass http://app; }}
        location / {{"""


@pytest.mark.parametrize("kind", [NGINX, NGINX_REAL_IP], ids=lambda kind: kind.name)
@pytest.mark.parametrize("more", ["", "proxy_set_header X-A b;"])
def test_a_location_that_is_added_to_nginx_is_closed_until_it_is_opened_by_name(
    kind: Kind, more: str
):
    def prepare(places: Places) -> list[str | Path]:
        argv = kind.prepare(places)
        config = Path(argv[argv.index("-c") + 1])
        text = config.read_text()
        assert text.count("        location / {") == 1
        config.write_text(text.replace("        location / {", _ADDED.format(more=more)))
        return argv

    with (
        raw_origin() as origin,
        gate(replace(kind, prepare=prepare), application=origin.port) as on,
    ):
        source = ("X-Forwarded-For", "192.0.2.7")
        lie = ("X-EdgeAuth-Pop", "LIE")
        assert [on.ask(source, target=path).status for path in ("/later", "/later/x")] == [403, 403]
        assert on.ask(on.signed(), source, lie, target="/later").status == 200
        assert on.ask(source, target="/open").status == 200
    signed, opened = origin.arrivals
    # A location with a field of its own has to repeat the others, as the file says.
    assert more or not signed.values("Edge-Auth")
    assert more or signed.values("X-EdgeAuth-Pop") != ["LIE"]
    assert opened.target == "/open"


def test_the_directives_of_ingress_nginx_need_no_snippet():
    text = Path(__file__).parents[2].joinpath("integrations/nginx/ingress-nginx.yaml").read_text()

    assert "snippet:" not in text
    assert INGRESS_NGINX.proxy == "ingress-nginx"
