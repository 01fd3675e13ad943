"""The fixtures that users get, in runs of pytest like theirs."""

from __future__ import annotations

import pytest
from support.vectors import OLDER_SECRET, SECRET

import edgeauth

pytest_plugins = ["pytester"]

PRINTS = """
def test_prints(edge_auth_headers):
    print(edge_auth_headers)
"""


@pytest.fixture
def headers(pytester):
    """Runs a test of a user and returns the headers that it got."""

    def run(source=PRINTS):
        pytester.makepyfile(source)
        result = pytester.runpytest_inprocess("-s", "-W", "error")
        result.assert_outcomes(passed=1)
        line = next(line for line in result.outlines if "{" in line)
        return eval(line[line.index("{") : line.index("}") + 1])  # noqa: S307 - of the test above

    return run


def test_a_run_that_asks_for_nothing_needs_no_settings(pytester):
    pytester.makepyfile("def test_of_a_user(): pass")
    pytester.runpytest_inprocess("-W", "error").assert_outcomes(passed=1)


def test_headers_are_signed_with_the_secret_of_the_environment(headers, monkeypatch):
    monkeypatch.setenv("EDGEAUTH_SECRET", SECRET)
    found = headers()
    assert list(found) == ["Edge-Auth"]
    assert edgeauth.verify(found["Edge-Auth"], [SECRET]).pop == "XXX"


def test_the_newest_key_of_a_secrets_file_signs(headers, monkeypatch, tmp_path):
    file = tmp_path / "secrets"
    file.write_text(f"old:{OLDER_SECRET}\nnew:{SECRET}\n")
    monkeypatch.setenv("EDGEAUTH_SECRETS_FILE", str(file))
    assert edgeauth.verify(headers()["Edge-Auth"], [SECRET])


def test_the_gate_of_the_same_environment_admits_the_headers(headers, monkeypatch):
    monkeypatch.setenv("EDGEAUTH_SECRET", SECRET)
    monkeypatch.setenv("EDGEAUTH_HEADER", "X-Edge")
    monkeypatch.setenv("EDGEAUTH_POPS", "LHR,AMS")
    found = headers()
    assert list(found) == ["X-Edge"]
    assert edgeauth.verify(found["X-Edge"], [SECRET], pops=["LHR", "AMS"])


def test_the_headers_are_those_of_the_scheme(headers, monkeypatch):
    monkeypatch.setenv("EDGEAUTH_SECRET", SECRET)
    monkeypatch.setenv("EDGEAUTH_SCHEME", "shared-secret")
    assert headers() == {"Edge-Auth": SECRET}


def test_the_options_of_pytest_may_name_a_file_of_settings(headers, pytester):
    pytester.makefile(".toml", site=f'secret = "{SECRET}"\nheader = "X-Edge"\npops = ["AMS"]\n')
    pytester.makeini("[pytest]\nedgeauth_config = site.toml\n")
    assert edgeauth.verify(headers()["X-Edge"], [SECRET], pops=["AMS"])


def test_a_file_of_settings_that_cannot_be_read_is_named(pytester):
    pytester.makeini("[pytest]\nedgeauth_config = none.toml\n")
    pytester.makepyfile(PRINTS)
    result = pytester.runpytest_inprocess("-W", "error")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*edge_auth_headers cannot sign:*none.toml*"])


def test_a_fixture_of_the_user_gives_the_settings(headers):
    found = headers(f"""
import pytest
from edgeauth.settings import Settings

@pytest.fixture
def edge_auth_settings():
    return Settings.from_mapping({{"secret": {SECRET!r}, "scheme": "shared-secret"}})

{PRINTS}
""")
    assert found == {"Edge-Auth": SECRET}


def test_a_fixture_of_the_user_gives_the_secret(headers):
    found = headers(f"""
import pytest

@pytest.fixture
def edge_auth_secret():
    return {OLDER_SECRET!r}

{PRINTS}
""")
    assert edgeauth.verify(found["Edge-Auth"], [OLDER_SECRET])


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({}, "no secret: set EDGEAUTH_SECRET"),
        ({"EDGEAUTH_SECRET": "short"}, "16"),
        ({"EDGEAUTH_SECRET": SECRET, "EDGEAUTH_HEADER": "X Edge"}, "header field name"),
    ],
)
def test_a_test_that_cannot_sign_says_what_to_set_without_a_trace_back(
    pytester, monkeypatch, variables, told
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    pytester.makepyfile(PRINTS)
    result = pytester.runpytest_inprocess("-W", "error")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*edge_auth_headers cannot sign:*{told}*edge_auth_secret*"])
    assert "Traceback" not in result.stdout.str()
    assert "pytest_plugin.py" not in result.stdout.str()


SIGNED = """
from edgeauth import Guard
from edgeauth.asgi import EdgeAuthMiddleware
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient


def page(request):
    return PlainTextResponse("page")


def client():
    app = Starlette(routes=[Route("/a/b", page, methods=["GET", "POST"])])
    return TestClient(EdgeAuthMiddleware(app, Guard.from_settings()))


def test_one_request(edge_auth_sign):
    headers = edge_auth_sign("POST", "/a/b?x=1")
    assert client().post("/a/b?x=1", headers=headers).text == "page"
    assert client().post("/a/b?x=2", headers=headers).status_code == 403


def test_all_requests(edge_auth):
    asks = client()
    asks.auth = edge_auth
    for query in ("x=1", "x=2"):
        assert asks.get(f"/a/b?{query}").text == "page"
"""


def test_where_requests_are_signed_a_fixture_signs_each(pytester, monkeypatch):
    monkeypatch.setenv("EDGEAUTH_SECRET", SECRET)
    monkeypatch.setenv("EDGEAUTH_SCHEME", "message-signatures")
    # That of the URLs of TestClient.
    monkeypatch.setenv("EDGEAUTH_URL_SCHEME", "http")
    pytester.makepyfile(SIGNED)
    pytester.runpytest_inprocess("-W", "error").assert_outcomes(passed=2)


def test_headers_for_any_request_are_refused_where_each_is_signed(pytester, monkeypatch):
    monkeypatch.setenv("EDGEAUTH_SECRET", SECRET)
    monkeypatch.setenv("EDGEAUTH_SCHEME", "message-signatures")
    pytester.makepyfile(PRINTS)
    result = pytester.runpytest_inprocess("-W", "error")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*signs one request*ask for edge_auth_sign or edge_auth*"])


@pytest.mark.parametrize("fixture", ["edge_auth_sign", "edge_auth"])
def test_a_test_whose_requests_nothing_signs_says_so_without_a_trace_back(
    pytester, monkeypatch, fixture
):
    monkeypatch.setenv("EDGEAUTH_SECRET", SECRET)
    monkeypatch.setenv("EDGEAUTH_HEADER", "X Edge")
    pytester.makepyfile(f"def test_of_a_user({fixture}): pass")
    result = pytester.runpytest_inprocess("-W", "error")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*cannot sign:*header field name*"])
    assert "Traceback" not in result.stdout.str()
