"""What the doctor says of servers under which a look-alike is believed."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from support import server_facts

from edgeauth import EdgeAuthScheme, Settings
from edgeauth.ops.cli import main
from edgeauth.ops.doctor.server_checks import FOLDING, TARGETLESS, check_server, check_target
from edgeauth.schemes.message_signatures import MessageSignatureScheme

SECRET = "0f83b1a2c94d57e6a8b0c1d2e3f40516"
PROXIED = {"addresses": "fastly", "trusted_proxies": ["127.0.0.1"]}


def found(server, *, is_wsgi=True, **options):
    settings = Settings(secret=SECRET, **{**PROXIED, **options})
    return check_server(settings, server, is_wsgi=is_wsgi)


@pytest.mark.parametrize("server", ["cheroot", "uWSGI", "Tornado", "wsgiref"])
def test_a_server_that_makes_one_of_look_alikes_needs_a_proxy_that_drops_them(server):
    (finding,) = found(server)

    assert (finding.id, finding.severity) == ("look-alike-fields", "warning")
    assert f"under {server} " in finding.seen
    assert "--server" not in finding.advice


@pytest.mark.parametrize("server", ["gunicorn", "waitress", "gevent", "another"])
def test_any_other_server_is_no_trouble(server):
    assert found(server) == []


def test_where_no_claimed_address_is_read_a_look_alike_is_no_trouble():
    assert found("cheroot", addresses=None) == []
    assert found("cheroot", trusted_proxies=[]) == []
    assert found("cheroot", is_wsgi=False) == []


def test_a_server_that_nobody_names_is_looked_for_among_the_installed(monkeypatch):
    finder = "edgeauth.ops.doctor.server_checks.find_spec"
    monkeypatch.setattr(finder, lambda name: name in {"tornado", "granian"} or None)
    (finding,) = found(None)
    assert "under granian or tornado, which is installed here, " in finding.seen
    assert "--server gunicorn" in finding.advice

    monkeypatch.setattr(finder, lambda _name: None)
    assert found(None) == []


def test_the_doctor_knows_the_servers_of_the_table():
    told = {name.removesuffix("-wsgi") for name in server_facts.FACTS if server_facts.folds(name)}

    # uWSGI's package has another name than uWSGI; under a2wsgi the gate reads the ASGI scope.
    assert told | {"pyuwsgi"} == FOLDING


def test_the_command_takes_the_name_of_the_server(monkeypatch):
    monkeypatch.chdir("/")
    environ = {
        "EDGEAUTH_SECRET": SECRET,
        "EDGEAUTH_ADDRESSES": "fastly",
        "EDGEAUTH_TRUSTED_PROXIES": "127.0.0.1",
    }

    def asked(*options):
        app = ("--app", "support.fact_apps:wsgi")
        done = CliRunner().invoke(main, ["doctor", "--json", *app, *options], env=environ)
        return {finding["id"] for finding in json.loads(done.stdout)["findings"]}

    assert "look-alike-fields" in asked("--server", "cheroot")
    assert "look-alike-fields" not in asked("--server", "gunicorn")


def target_found(server, *, is_wsgi=True, **options):
    return check_target([MessageSignatureScheme([SECRET], **options)], server, is_wsgi=is_wsgi)


@pytest.mark.parametrize("server", sorted(TARGETLESS))
def test_a_server_that_hides_the_target_cannot_serve_a_scheme_that_needs_it(server):
    (finding,) = target_found(server)
    assert (finding.id, finding.severity) == ("target-untold", "error")
    assert finding.seen.startswith(f"{server} does not tell")


def test_where_the_target_is_told_or_not_signed_nothing_is_found():
    assert target_found("gunicorn") == []
    assert target_found("tornado", is_wsgi=False) == []
    assert target_found("tornado", components=("@method", "@authority")) == []
    assert check_target([EdgeAuthScheme([SECRET])], "tornado", is_wsgi=True) == []


def test_of_servers_that_nobody_names_those_that_hide_the_target_are_a_warning(monkeypatch):
    finder = "edgeauth.ops.doctor.server_checks.find_spec"
    monkeypatch.setattr(finder, lambda name: name in {"tornado", "gunicorn"} or None)
    (finding,) = target_found(None)
    assert finding.severity == "warning"
    assert "under tornado, which is installed here, " in finding.seen
    monkeypatch.setattr(finder, lambda _name: None)
    assert target_found(None) == []


def test_the_doctor_knows_which_servers_of_the_table_hide_the_target():
    hidden = {
        name.removesuffix("-wsgi")
        for name, facts in server_facts.FACTS.items()
        if facts.target == "no"
    }
    assert hidden == TARGETLESS


def test_a_look_alike_of_what_a_proxy_says_is_one_whatever_addresses_are():
    settings = Settings(
        scheme="client-certificate", fingerprints=("ab" * 20,), trusted_proxies=("127.0.0.1",)
    )

    (finding,) = check_server(settings, "cheroot", is_wsgi=True)
    assert "what the proxy says" in finding.seen
    assert check_server(settings, "gunicorn", is_wsgi=True) == []
