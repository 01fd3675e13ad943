"""``edgeauth verify``."""

from __future__ import annotations

import io
import json
import os
import sys

import pytest
from support.vectors import OLDER_SECRET, SECRET, Row, rows

import edgeauth as package
from edgeauth.ops.cli import main

ENV = {"EDGEAUTH_SECRET": SECRET}
AT = ("--at", "1700000000")
VALUE = package.sign(SECRET, pop="LHR", timestamp=1_700_000_000)
SHARED = {**ENV, "EDGEAUTH_SCHEME": "shared-secret"}


def test_an_accepted_value_is_exit_status_0_and_shown_field_by_field(edgeauth):
    result = edgeauth("verify", VALUE, *AT, env=ENV)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "ACCEPTED  signed with key default\n"
        "\n"
        "  ok    timestamp  1700000000         2023-11-14 22:13:20 UTC, 0 s ago\n"
        "  ok    POP        LHR                any is accepted\n"
        "  ok    signature  0x9bf356d5...9917  made by key default\n"
    )


def test_a_refused_value_is_exit_status_1_with_the_reason_and_what_explains_it(edgeauth):
    result = edgeauth("verify", VALUE, "--at", "1700000072", env=ENV)
    assert (result.exit_code, result.stderr) == (1, "")
    verdict, _, *rest = result.stdout.splitlines()
    assert verdict == "REFUSED  expired: age 72 s is past max_age 60 s"
    assert rest[0].startswith("  FAIL  timestamp  1700000000 ")
    assert rest[3:5] == [
        "",
        "Too old by 12 s: signed 72 s ago, and max_age is 60 s. If it was fresh, the clock here",
    ]


@pytest.mark.parametrize("args", [(), ("-",)])
@pytest.mark.parametrize("given", [VALUE, f"{VALUE}\n", f"edge-auth: {VALUE}\r\n"])
def test_the_value_comes_from_standard_input(edgeauth, args, given):
    assert edgeauth("verify", *args, *AT, env=ENV, input=given).exit_code == 0


@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("form", [("--pop", "LHR"), ("--two-field",)])
def test_sign_and_verify_agree_in_every_form_and_encoding(edgeauth, form, encoding):
    env = {**ENV, "EDGEAUTH_REQUIRE_POP": "false"}
    signed = edgeauth("sign", *form, "--encoding", encoding, env=env)
    assert edgeauth("verify", env=env, input=signed.stdout).exit_code == 0
    tampered = signed.stdout.replace(": 1", ": 2")
    assert edgeauth("verify", env=env, input=tampered).exit_code == 1


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.id)
def test_the_verdict_is_that_of_the_scheme_for_what_http_would_hand_over(
    edgeauth, tmp_path, row: Row
):
    (tmp_path / "secrets").write_text(
        "\n".join(f"key-{place}:{secret}" for place, secret in enumerate(row.secrets))
    )
    env = {"EDGEAUTH_SECRETS_FILE": "secrets"}
    for name, value in row.options.items():
        env[f"EDGEAUTH_{name.upper()}"] = ",".join(value) if name == "pops" else str(value)
    result = edgeauth("verify", "--json", "--at", str(row.now), env=env, input=row.raw)
    document = json.loads(result.stdout)
    judged = outcome(row)
    assert (result.exit_code, document["reason"]) == (0 if judged[0] == "ok" else 1, judged[0])
    if judged[0] == "ok":
        assert (document["reason"], document["timestamp"], document["pop"]) == judged


def outcome(row: Row) -> tuple[object, ...]:
    value = row.raw.strip(b" \t\r\n")
    try:
        identity = package.verify(value, row.secrets, now=row.now, **row.options)
    except package.VerificationError as error:
        return (error.reason,)
    return ("ok", identity.timestamp, identity.pop)


PASTED = [
    "> Edge-Auth: {}",
    "> edge-auth: {}\r",
    "< Edge-Auth: {}",
    "* Edge-Auth: {}",
    "EDGE-AUTH:{}",
    "-H 'Edge-Auth: {}'",
    "curl -sv -H 'Accept: */*' -H 'Edge-Auth: {}' http://127.0.0.1/",
    'curl --globoff --header "edge-auth: {}" http://127.0.0.1/',
    '"edge-auth": "{}",',
    "{{'Host': 'a', 'Edge-Auth': '{}'}}",
    '{{"headers": {{"edge-auth":"{}", "x": 1}}}}',
    'GET / 200 edge-auth="{}" ms=3',
    "GET / 200 edge-auth={} ms=3",
    "edge-auth={}",
    "* [HTTP/2] [1] [edge-auth: {}]",
    "> GET / HTTP/1.1\r\n> Host: a\r\n> Edge-Auth: {}\r\n> Accept: */*\r\n>\r\n< HTTP/1.1 403\r",
]


@pytest.mark.parametrize("line", PASTED)
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_a_line_is_taken_as_it_is_copied(edgeauth, line, encoding):
    value = package.sign(SECRET, pop="LHR", timestamp=1_700_000_000, encoding=encoding)
    pasted = line.format(value)
    assert edgeauth("verify", *AT, env=ENV, input=pasted).exit_code == 0
    if not line.startswith("-"):
        assert edgeauth("verify", pasted, *AT, env=ENV).exit_code == 0


def test_json_has_the_members_that_the_help_names(edgeauth):
    result = edgeauth("verify", VALUE, "--json", "--at", "1700000072", env=ENV)
    document = json.loads(result.stdout)
    fields, findings = document.pop("fields"), document.pop("findings")
    assert document == {
        "accepted": False,
        "reason": "expired",
        "message": "age 72 s is past max_age 60 s",
        "at": 1700000072,
        "timestamp": 1700000000,
        "age": 72,
        "pop": "LHR",
        "key_id": "default",
    }
    assert [(field["name"], field["ok"]) for field in fields] == [
        ("timestamp", False),
        ("POP", True),
        ("signature", True),
    ]
    assert set(fields[0]) == {"name", "seen", "ok", "note"}
    assert [finding["code"] for finding in findings] == ["too-old"]
    explained = edgeauth("help", "json").stdout
    assert all(key in explained for key in (*document, "fields", "findings", *fields[0]))


def test_json_says_nothing_of_an_unauthentic_sender(edgeauth):
    result = edgeauth("verify", VALUE + "0", "--json", *AT, env=ENV)
    document = json.loads(result.stdout)
    assert [document[key] for key in ("timestamp", "age", "pop", "key_id")] == [None] * 4


def test_json_of_an_accepted_value_has_the_sender_and_no_message(edgeauth):
    document = json.loads(edgeauth("verify", VALUE, "--json", *AT, env=ENV).stdout)
    assert (document["accepted"], document["reason"], document["message"]) == (True, "ok", None)
    assert (document["age"], document["pop"], document["key_id"]) == (0, "LHR", "default")


def test_a_key_that_is_not_the_newest_is_named(edgeauth, tmp_path):
    (tmp_path / "secrets").write_text(f"2025:{OLDER_SECRET}\n2026:{SECRET}\n")
    value = package.sign(OLDER_SECRET, pop="LHR", timestamp=1_700_000_000)
    result = edgeauth("verify", value, *AT, "--secrets-file", "secrets")
    assert result.exit_code == 0
    assert "ACCEPTED  signed with key 2025\n" in result.stdout
    assert "older key 2025; the newest is 2026" in result.stdout


@pytest.mark.parametrize(
    ("given", "status", "reason"),
    [
        (SECRET, 0, "ok"),
        (f"Edge-Auth: {SECRET}\n", 0, "ok"),
        ("not-the-secret-at-all", 1, "bad-signature"),
        ("", 1, "bad-signature"),
    ],
)
def test_a_shared_secret_is_judged_and_not_shown(edgeauth, given, status, reason):
    as_text = edgeauth("verify", env=SHARED, input=given)
    as_json = edgeauth("verify", "--json", env=SHARED, input=given)
    document = json.loads(as_json.stdout)
    assert (as_text.exit_code, as_json.exit_code) == (status, status)
    assert (document["reason"], document["fields"], document["findings"]) == (reason, [], [])
    assert SECRET not in as_text.output + as_json.output
    assert "not-the-secret" not in as_text.output + as_json.output


def test_a_shared_secret_is_not_taken_as_an_argument(edgeauth):
    result = edgeauth("verify", SECRET, env=SHARED)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "standard input" in result.stderr
    assert SECRET not in result.stderr


@pytest.mark.parametrize(("no_color", "coloured"), [(None, True), ("1", False), ("", True)])
def test_no_color_wins_over_everything(edgeauth, no_color, coloured):
    result = edgeauth("verify", "x", env={**ENV, "NO_COLOR": no_color}, color=True)
    assert ("\x1b[" in result.stdout) is coloured


def test_standard_input_cannot_give_the_secret_and_the_value(edgeauth):
    result = edgeauth("verify", "--secret-file", "-", input=SECRET)
    assert result.exit_code == 2
    assert "not both" in result.stderr
    assert edgeauth("verify", VALUE, *AT, "--secret-file", "-", input=SECRET).exit_code == 0


def test_more_input_than_headers_can_have_is_wrong_usage(edgeauth):
    result = edgeauth("verify", env=ENV, input=VALUE + "\n" * 70_000)
    assert result.exit_code == 2
    assert "over 65536 bytes" in result.stderr


@pytest.mark.parametrize("value", ["\x1b[2J,\x07,\r\x9b", "\udcff\udc80,,", "é,€,\u202e", "\0"])
@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_what_was_received_is_printed_as_plain_ascii(edgeauth, value, as_json):
    result = edgeauth("verify", *as_json, env=ENV, input=os.fsencode(value))
    assert result.exit_code == 1
    assert result.stdout.isascii()
    assert result.stdout.replace("\n", "").isprintable()


def test_the_bytes_of_an_argument_are_judged_as_they_are(edgeauth):
    result = edgeauth("verify", "1700000000,\udcff,0x", env=ENV)
    assert result.exit_code == 1
    assert r"\xff" in result.stdout


def test_a_secret_sent_as_the_value_is_not_shown(edgeauth):
    result = edgeauth("verify", f"1700000000,LHR,{SECRET}", env=ENV)
    assert result.exit_code == 1
    assert SECRET not in result.output
    assert "(not shown)" in result.stdout


def test_somebody_at_a_terminal_is_told_what_to_do(edgeauth, monkeypatch, capsys):
    assert edgeauth("verify", env=ENV, input="").stderr == ""
    ours, theirs = os.openpty()
    monkeypatch.setenv("EDGEAUTH_SECRET", SECRET)
    os.write(ours, f"{VALUE}\n\x04".encode())
    with (
        io.TextIOWrapper(open(theirs, "rb")) as terminal,  # noqa: PTH123 - a descriptor, no path
        monkeypatch.context() as patch,
    ):
        patch.setattr(sys, "stdin", terminal)
        with pytest.raises(SystemExit) as ended:
            main(["verify", *AT])
    os.close(ours)
    assert ended.value.code == 0
    assert capsys.readouterr().err == "Paste the header, then press Enter and Ctrl-D.\n"
