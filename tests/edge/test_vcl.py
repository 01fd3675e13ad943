"""The VCL, run by falco's simulator, in front of a guarded origin."""

from __future__ import annotations

import httpx
import pytest
from support.origin import origin_with
from support.snippets import snippet
from support.vcl import VCL, generated, pop, service, unit_test
from support.vectors import SECRET, signed
from websockets.sync.client import connect

import edgeauth

MAIN = (VCL / "main.vcl").read_text()
SHARED_SECRET = MAIN.replace('"edgeauth"', '"shared_secret"')
RESTARTING = MAIN.replace(
    "#FASTLY deliver", "#FASTLY deliver\n  if (req.restarts == 0 && req.http.Again) { restart; }"
)
# falco does not carry out an upgrade, so this shows the request that would leave.
UPGRADING = MAIN.replace("return(upgrade);", "error 200;").replace(
    "#FASTLY deliver", "#FASTLY deliver\n  set resp.http.Left-With = req.http.Edge-Auth;"
)

OWN = {
    "valid": edgeauth.sign(SECRET, pop="LHR"),
    "stale": edgeauth.sign(SECRET, pop="LHR", timestamp=1_700_000_000),
    "junk": "let me in",
}


@pytest.fixture(scope="module")
def edge(origin, tmp_path_factory):
    folder = tmp_path_factory.mktemp("falco")
    with pop(folder, service(RESTARTING, port=origin.port, secret=SECRET)) as started:
        yield started


def credentials(seen, header="edge-auth") -> list[str]:
    return [value for name, value in seen["headers"] if name == header]


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        pytest.param("GET", "/miss", {}, id="a GET that misses"),
        pytest.param("POST", "/pass", {}, id="a POST that passes"),
        pytest.param("GET", "/again", {"Again": "yes"}, id="a restart"),
    ],
)
def test_the_origin_accepts(edge, method, path, headers):
    answer = httpx.request(method, edge.url + path, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["pop"] == "FALCO"
    assert answer.json()["method"] == method


def test_the_same_request_past_the_edge_is_refused(edge, origin):
    assert httpx.get(f"{edge.url}/direct").status_code == 200
    assert httpx.get(f"{origin.url}/direct").status_code == 403


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("own", OWN)
def test_the_origin_sees_only_the_credential_of_the_edge(edge, method, own):
    headers = [("Edge-Auth", OWN[own]), ("edge-auth", OWN["junk"])]
    answer = httpx.request(method, f"{edge.url}/own-{own}", headers=headers)
    assert answer.json()["pop"] == "FALCO"
    assert len(credentials(answer.json())) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_pass_ends_at_the_edge(edge, method):
    answer = httpx.request(method, f"{edge.url}/with-a-pass", headers={"Edge-Auth-Pass": "a.b"})
    assert answer.status_code == 200
    assert credentials(answer.json(), "edge-auth-pass") == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_snippets_sign_as_the_custom_vcl_does(origin, tmp_path, method):
    with pop(tmp_path, service(generated(), port=origin.port, secret=SECRET)) as started:
        answer = httpx.request(method, started.url, headers={"Edge-Auth": OWN["junk"]})
    assert answer.json()["pop"] == "FALCO"
    assert len(credentials(answer.json())) == 1


@pytest.mark.parametrize("scheme", ["edge-auth", "shared-secret"])
def test_what_is_printed_under_other_names_signs_with_them(tmp_path, scheme):
    options = ["--header", "X-Origin-Key", "--dictionary", "keys"]
    settings = {"EDGEAUTH_SCHEME": scheme}
    text = MAIN.replace('include "edgeauth";', snippet("vcl", *options, **settings))
    with (
        origin_with(tmp_path, EDGEAUTH_HEADER="X-Origin-Key", **settings) as origin,
        pop(tmp_path, service(text, port=origin.port, secret=SECRET, dictionary="keys")) as started,
    ):
        for method in ("GET", "POST"):
            answer = httpx.request(method, started.url, headers={"X-Origin-Key": OWN["junk"]})
            assert answer.status_code == 200, answer.text
            assert len(credentials(answer.json(), "x-origin-key")) == 1
            assert httpx.request(method, origin.url).status_code == 403


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_pop_that_fetches_from_a_shield_sends_no_credential(origin, tmp_path, method):
    text = service(MAIN, port=origin.port, secret=SECRET)
    with pop(tmp_path, text, overrides="req.backend.is_origin: false") as first:
        headers = {"Edge-Auth": OWN["valid"]}
        answer = httpx.request(method, f"{first.url}/hop-{method}", headers=headers)
    assert answer.status_code == 403
    assert f"path='/hop-{method}' peer='127.0.0.1' detail='no Edge-Auth" in origin.log.read_text()


def test_a_shield_signs_whatever_the_first_pop_sent(edge):
    answer = httpx.get(f"{edge.url}/shielded", headers={"Edge-Auth": OWN["valid"]})
    assert answer.json()["pop"] == "FALCO"


def test_the_origin_accepts_an_upgrade(origin, tmp_path):
    with pop(tmp_path, service(UPGRADING, port=origin.port, secret=SECRET)) as started:
        headers = {"Upgrade": "websocket", "Edge-Auth": OWN["junk"]}
        value = httpx.get(started.url, headers=headers).headers["Left-With"]
    assert edgeauth.verify(value, [SECRET]).pop == "FALCO"
    address = origin.url.replace("http", "ws")
    with connect(address, additional_headers={"Edge-Auth": value}) as socket:
        socket.send("through the edge")
        assert socket.recv() == "through the edge"


def test_an_upgrade_by_way_of_a_shield_carries_no_credential(origin, tmp_path):
    text = service(UPGRADING, port=origin.port, secret=SECRET)
    with pop(tmp_path, text, overrides="req.backend.is_shield: true") as first:
        headers = {"Upgrade": "websocket", "Edge-Auth": OWN["valid"]}
        assert not httpx.get(first.url, headers=headers).headers.get("Left-With")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_shared_secret_variant_overwrites_what_the_client_sent(tmp_path, method):
    with origin_with(tmp_path, EDGEAUTH_SCHEME="shared-secret") as origin:
        text = service(SHARED_SECRET, port=origin.port, secret=SECRET)
        with pop(tmp_path, text) as started:
            answer = httpx.request(method, started.url, headers={"Edge-Auth": OWN["junk"]})
        assert credentials(answer.json()) == [SECRET]
        assert httpx.request(method, origin.url).status_code == 403


@pytest.mark.parametrize("secret", [None, ""], ids=["no item", "an empty item"])
def test_a_missing_secret_is_refused_at_the_origin_and_logged_by_both(origin, tmp_path, secret):
    text = service(MAIN, port=origin.port, secret=secret)
    with pop(tmp_path, text, report=True) as started:
        report = httpx.get(f"{started.url}/unsigned").json()
    assert report["client_response"]["status_code"] == 403
    said = " ".join(entry["message"] for entry in report["logs"])
    assert "no item secret in dictionary edge_auth" in said
    assert "is the secret set at the edge?" in origin.log.read_text()


@pytest.mark.parametrize("main", [MAIN, SHARED_SECRET], ids=["edgeauth", "shared_secret"])
def test_nothing_is_logged_of_a_request_that_is_signed(origin, tmp_path, main):
    with pop(tmp_path, service(main, port=origin.port, secret=SECRET), report=True) as started:
        assert httpx.get(started.url).json()["logs"] == []


@pytest.mark.parametrize("row", signed(), ids=lambda row: row.id)
def test_the_rows_of_the_vectors_come_out_byte_for_byte(row, tmp_path):
    value = edgeauth.sign(row.secret, timestamp=row.timestamp, pop=row.pop)
    (tmp_path / "main.vcl").write_text(service(MAIN, secret=row.secret))
    (tmp_path / "main.test.vcl").write_text(
        "// @scope: miss\n"
        "sub test_row {\n"
        f"  testing.fixed_time({row.timestamp});\n"
        f'  testing.inject_variable("server.datacenter", "{row.pop}");\n'
        '  set bereq.http.Edge-Auth = "an older one";\n'
        '  testing.call_subroutine("vcl_miss");\n'
        f'  assert.equal(bereq.http.Edge-Auth, "{value}");\n'
        "}\n"
    )
    assert "1 passed, 0 failed" in unit_test(tmp_path / "main.vcl")
