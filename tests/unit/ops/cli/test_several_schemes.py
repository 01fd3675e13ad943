"""The commands where settings have several schemes."""

from __future__ import annotations

import json

import pytest
from support.canned import canned
from support.processes import HOST
from support.vectors import OLDER_SECRET, SECRET

import edgeauth as package
from edgeauth.ops.cli.report import _bound
from edgeauth.settings import Settings

AT = ("--at", "1700000000")
BOTH = f"""
[[schemes]]
secret = "{SECRET}"
header = "X-First"

[[schemes]]
secret = "{OLDER_SECRET}"
pops = ["FRA"]
"""
WITH_A_SECRET = f"""
[[schemes]]
secret = "{SECRET}"

[[schemes]]
scheme = "shared-secret"
secret = "{OLDER_SECRET}"
header = "X-Origin-Key"
"""


@pytest.fixture
def several(edgeauth, tmp_path):
    def run(config, *arguments, **more):
        (tmp_path / "edgeauth.toml").write_text(config)
        return edgeauth(*arguments, "--config", "edgeauth.toml", **more)

    return run


def test_verify_says_what_each_scheme_says_of_its_own_field(several):
    value = package.sign(OLDER_SECRET, pop="LHR", timestamp=1_700_000_000)
    result = several(BOTH, "verify", f"Edge-Auth: {value}", *AT)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[:5] == [
        "REFUSED  pop: POP LHR is not one of pops",
        "",
        "edge-auth:",
        "REFUSED  missing: no X-First header",
        "",
    ]
    assert lines[5:7] == ["edge-auth:", "REFUSED  pop: POP LHR is not one of pops"]
    assert "POP LHR is not one of pops, which are FRA." in lines


def test_verify_accepts_what_any_scheme_accepts_and_a_bare_value_is_tried_with_each(several):
    value = package.sign(OLDER_SECRET, pop="FRA", timestamp=1_700_000_000)
    result = several(BOTH, "verify", value, "--json", *AT)
    told = json.loads(result.stdout)
    assert (result.exit_code, told["accepted"], told["pop"]) == (0, True, "FRA")
    assert [one["reason"] for one in told["schemes"]] == ["bad-signature", "ok"]
    assert told["schemes"][0]["fields"]
    assert "schemes" not in told["schemes"][0]


def test_verify_takes_no_argument_where_one_of_the_schemes_is_a_secret(several):
    result = several(WITH_A_SECRET, "verify", "anything")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "the scheme is shared-secret" in result.stderr
    assert several(WITH_A_SECRET, "verify", input=f"X-Origin-Key: {OLDER_SECRET}").exit_code == 0


def test_sign_signs_for_the_first_or_for_the_kind_that_is_named(several):
    assert several(BOTH, "sign").stdout.startswith("X-First: ")
    assert several(WITH_A_SECRET, "sign", "--scheme", "edge-auth").stdout.startswith("Edge-Auth: ")
    assert "is not printed" in several(WITH_A_SECRET, "sign", "--scheme", "shared-secret").stderr
    unknown = several(BOTH, "sign", "--scheme", "shared-secret")
    assert (unknown.exit_code, unknown.stdout) == (2, "")
    assert "they have edge-auth" in unknown.stderr


def test_a_probe_tries_the_rows_of_each_scheme_under_its_kind(several):
    with canned(b"HTTP/1.1 403 Forbidden\r\n\r\n") as server:
        url = f"http://{HOST}:{server.port}/"
        result = several(WITH_A_SECRET, "probe", url, "--rate", "100", "--json")
    rows = {row["id"]: row for row in json.loads(result.stdout)["rows"]}
    assert rows["edge-auth signed"]["outcome"] == "fail"
    assert rows["edge-auth stale"]["title"] == "edge-auth: signed 90 s ago"
    assert rows["shared-secret signed"]["outcome"] == "not tried"
    assert rows["junk"]["outcome"] == rows["shared-secret forged"]["outcome"] == "pass"
    junk = next(head for head in server.heads if b"junk" in head)
    assert b"Edge-Auth: junk" in junk
    assert b"X-Origin-Key: junk" in junk
    assert OLDER_SECRET.encode() not in b"".join(server.heads)


def test_a_snippet_is_that_of_the_first_scheme_which_has_one(several):
    only_vcl = WITH_A_SECRET.replace(f'secret = "{SECRET}"', f'secret = "{SECRET}"\nheader = "X-A"')
    assert "X-A" in several(only_vcl, "snippet", "vcl").stdout
    assert "X-A" in several(only_vcl, "snippet", "compute-js").stdout


def test_ages_are_reported_against_the_widest_window_or_the_usual_one():
    schemes = [{"secret": SECRET, "max_age": 20}, {"secret": OLDER_SECRET, "max_age": 30}]
    assert _bound(Settings.from_mapping({"schemes": schemes}), "max_age", 60) == 30
    none = Settings.from_mapping({"secret": SECRET, "scheme": "shared-secret"})
    assert _bound(none, "max_age", 60) == 60


def test_the_keys_of_one_of_the_schemes_are_looked_at_by_their_file(several, tmp_path):
    (tmp_path / "keys").write_text(f"one: {SECRET}\ntwo: {OLDER_SECRET}\n")
    result = several(BOTH, "keys", "status", "--secrets-file", "keys")
    assert (result.exit_code, result.stderr) == (1, "")
    assert [line.split()[:2] for line in result.stdout.splitlines()[:2]] == [
        ["one", "old"],
        ["two", "newest"],
    ]
