"""``--json``: every command that prints a result has it, and the object is the one it says."""

from __future__ import annotations

import json

import pytest
from command_tables import all_commands
from support.canned import canned
from support.list_server import answer, list_server
from support.processes import HOST
from support.token_keys import jwks

from edgeauth.ops.cli.help import json_members

COMMANDS = dict(all_commands())
SECRET = "9bd1c6f0a7e84e25b3f7c1d09e5a4826"
ENV = {"EDGEAUTH_SECRET": SECRET}
IN_FILE = {"EDGEAUTH_SECRETS_FILE": "keys"}

# They print a file for another program, run until they are stopped, or print text for people.
WITHOUT = {"addresses export", "snippet", "serve", "edge", "help"}

LIST = {
    "addresses": ["23.235.32.0/20", "151.101.0.0/16", "199.232.0.0/16"],
    "ipv6_addresses": ["2a04:4e40::/32"],
}
LESS = {**LIST, "addresses": ["23.235.32.0/20", "151.101.0.0/16", "146.75.0.0/17"]}
DECISION = (
    '{"time":1700000000,"allowed":true,"reason":"ok","enforced":true,"method":"GET","path":"/",'
    '"peer":"127.0.0.1","scheme":"edge-auth","key":"old","pop":"LHR","age":1}\n'
)


@pytest.fixture
def told(edgeauth, tmp_path):
    """``told("verify", "x")``: the exit status and the object."""
    (tmp_path / "keys").write_text(f"old:{SECRET}\n")
    (tmp_path / "both").write_text(f"old:{SECRET}\nnew:{SECRET[::-1]}\n")
    (tmp_path / "list.json").write_text(json.dumps({**LIST, "as_of": "2026-10-01"}))
    (tmp_path / "less.json").write_text(json.dumps(LESS))
    (tmp_path / "decisions").write_text(DECISION * 3)

    def run(*args, **options):
        result = edgeauth(*args, "--json", **options)
        return result.exit_code, json.loads(result.stdout)

    return run


def members(name):
    return set(json_members(COMMANDS[name]))


def test_every_command_that_prints_a_result_has_it():
    assert {name for name in COMMANDS if not json_members(COMMANDS[name])} == WITHOUT


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - WITHOUT))
def test_the_help_names_the_members(edgeauth, name):
    shown = " ".join(edgeauth(*name.split(), "--help").stdout.split())
    assert (
        f"Print one JSON object, for programs: {', '.join(json_members(COMMANDS[name]))}." in shown
    )


@pytest.mark.parametrize(
    ("args", "env", "status"),
    [
        ("keygen", {}, 0),
        ("keygen --type ed25519 --out private.pem", {}, 0),
        ("keygen --type ed25519 --out -", {}, 0),
        ("addresses show", {}, 0),
        ("addresses check 151.101.1.1", {}, 0),
        ("addresses check 192.0.2.1", {}, 1),
        ("addresses diff --file list.json less.json", {}, 1),
        ("addresses diff --file list.json list.json", {}, 0),
        ("report decisions", {}, 0),
        ("keys status", IN_FILE, 0),
        ("keys status --secrets-file both --log decisions", {}, 1),
        ("keys rotate begin", IN_FILE, 0),
        ("keys rotate begin --force --secrets-file none", {}, 0),
        ("keys rotate finish --force --secrets-file both", {}, 0),
        ("check-config", ENV, 0),
        ("check-config", {**IN_FILE, "EDGEAUTH_ADDRESSES": "list.json"}, 0),
        ("pass issue --for ada", {"EDGEAUTH_PASS_SECRET": SECRET}, 0),
        ("doctor", ENV, 1),
    ],
    ids=str,
)
def test_the_object_has_the_members_that_the_command_names(told, args, env, status):
    ended, document = told(*args.split(), env=env)
    name = next(one for one in COMMANDS if args.startswith(one))

    assert (ended, set(document)) == (status, members(name))


def test_the_members_of_sign_are_the_fields(told):
    status, document = told("sign", env=ENV)
    assert (status, list(document)) == (0, ["Edge-Auth"])


@pytest.mark.parametrize("several", [False, True])
def test_verify_has_the_schemes_only_where_there_are_several(told, tmp_path, several):
    scheme = f'[[schemes]]\nsecret = "{SECRET}"\n'
    (tmp_path / "edgeauth.toml").write_text(scheme * (1 + several))
    status, document = told("verify", "x", "--config", "edgeauth.toml")

    absent = set() if several else {"schemes"}
    assert (status, set(document)) == (1, members("verify") - absent)


def test_probe(told):
    with canned(b"HTTP/1.1 403 Forbidden\r\n\r\n") as server:
        status, document = told("probe", f"http://{HOST}:{server.port}/", "--rate", "100")
    assert (status, set(document)) == (0, members("probe"))


def test_an_update_of_the_addresses_names_what_changed(told):
    with list_server(answer(LESS)) as server:
        status, document = told("addresses", "update", "--file", "list.json", "--url", server.url)
        again = told("addresses", "update", "--file", "list.json", "--url", server.url)[1]
    networks = told("addresses", "show", "--file", "list.json")[1]["networks"]
    leaving = told("addresses", "check", "199.232.0.1", "--file", "list.json")[1]

    assert (status, set(document)) == (0, members("addresses update"))
    assert (document["file"], document["changed"], document["count"]) == ("list.json", True, 4)
    assert document["added"] == ["146.75.0.0/17"]
    ((left, until),) = (one.values() for one in document["removed"])
    assert {one["network"]: one["until"] for one in networks if one["until"]} == {left: until}
    assert (leaving["listed"], leaving["network"], leaving["until"]) == (True, left, until)
    assert (left, len(until)) == ("199.232.0.0/16", 10)
    assert (again["changed"], again["removed"], again["added"], again["ended"]) == (
        *(False, [], [], []),
    )


def test_an_update_of_a_key_set_names_what_changed(told):
    with list_server(answer(jwks("RS256", "one", "two"))) as server:
        status, document = told("jwks", "update", server.url, "jwks.json")
        again = told("jwks", "update", server.url, "jwks.json")[1]

    assert (status, set(document)) == (0, members("jwks update"))
    assert document == {
        "file": "jwks.json",
        "changed": True,
        "keys": ["one", "two"],
        "removed": [],
        "added": ["one", "two"],
    }
    assert again == {**document, "changed": False, "added": []}


def test_a_rotation_can_be_driven_by_a_program(told, tmp_path):
    _, begun = told("keys", "rotate", "begin", "--id", "next", env=IN_FILE)
    last = (tmp_path / "keys").read_text().splitlines()[-1]
    assert last == f"next:{begun['secret']}"
    assert (begun["accepted_before"], begun["file"]) == (["old"], "keys")

    status, state = told("keys", "status", env=IN_FILE)
    assert (status, state["safe"], [key["id"] for key in state["keys"]]) == (
        *(1, False, ["old", "next"]),
    )
    _, finished = told("keys", "rotate", "finish", "--force", env=IN_FILE)
    assert (finished["kept"], finished["dropped"]) == ("next", ["old"])
    assert finished["wait_seconds"] == begun["wait_seconds"] > 0


def test_the_settings_are_told_with_their_source_and_no_secret_is(edgeauth):
    env = {**ENV, "EDGEAUTH_MAX_AGE": "30", "EDGEAUTH_POPS": "LHR,FRA"}
    result = edgeauth("check-config", "--json", env=env)
    document = json.loads(result.stdout)
    found = {one.pop("name"): one for one in document["settings"]}

    assert SECRET not in result.stdout
    assert found["secret"] == {"value": None, "set": True, "source": "environment"}
    assert found["secrets_file"] == {"value": None, "set": False, "source": "default"}
    assert found["max_age"] == {"value": 30, "set": True, "source": "environment"}
    assert found["pops"]["value"] == ["LHR", "FRA"]
    assert document["schemes"] == [{"kind": "edge-auth", "keys": ["default"]}]
    assert (document["addresses"], document["mode"]) == (None, "enforce")


def test_the_password_of_a_store_is_in_no_object(edgeauth, tmp_path):
    (tmp_path / "edgeauth.toml").write_text(
        f'scheme = "message-signatures"\nsecret = "{SECRET}"\n'
        'replay = "redis://:the-password-of-redis@127.0.0.1"\n'
    )
    result = edgeauth("check-config", "--json", "--config", "edgeauth.toml")
    assert result.exit_code == 0
    assert "the-password-of-redis" not in result.output


def test_a_pass_is_one_object_or_a_curl_command(edgeauth):
    env = {"EDGEAUTH_PASS_SECRET": SECRET}
    result = edgeauth("pass", "issue", "--for", "ada", "--json", "--curl", "http://a/", env=env)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--json and --curl: give one of them" in result.stderr


def test_without_a_result_standard_output_is_empty(edgeauth, tmp_path):
    (tmp_path / "list.json").write_text(json.dumps(LIST))
    with list_server(answer("not to be had", status="500 Oh")) as server:
        args = ("addresses", "update", "--file", "list.json", "--url", server.url, "--json")
        result = edgeauth(*args)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: ")
