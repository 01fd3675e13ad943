"""Keys and key rings."""

from __future__ import annotations

import hmac
import json
import math
import os
from pathlib import Path

import pytest

from edgeauth import ConfigurationError, Key, KeyRing
from edgeauth.key_files import parse
from edgeauth.keys import bare_secret, key_of, secrets_alone
from edgeauth.settings.parts import read_bare_secret

SECRET = "an-example-secret-of-32-bytes-ok"
WYCHEPROOF = Path(__file__).parents[1] / "vectors" / "wycheproof-hmac-sha256.json"
OLDER = "the-secret-before-that-one-12345"


@pytest.mark.parametrize("length", [16, 63, 64, 65, 1024])
def test_a_mac_is_hmac_sha256_for_secrets_on_both_sides_of_the_block_size(length):
    secret = bytes(33 + number % 90 for number in range(length))
    message = b"1700000000,LHR"
    assert Key("a", secret).mac(message) == hmac.digest(secret, message, "sha256")


def wycheproof():
    document = json.loads(WYCHEPROOF.read_text("utf-8"))
    for group in document["testGroups"]:
        for case in group["tests"]:
            yield pytest.param(group["tagSize"] // 8, case, id=f"{case['tcId']}")


@pytest.mark.parametrize(("length", "case"), list(wycheproof()))
def test_a_ring_agrees_with_each_case_of_wycheproof(length, case):
    ring = KeyRing([Key("wycheproof", bytes.fromhex(case["key"]))])
    mac = ring.signing_key().mac(bytes.fromhex(case["msg"]))[:length]
    assert (mac == bytes.fromhex(case["tag"])) == (case["result"] == "valid")


def test_a_mac_leaves_the_key_as_it_was():
    key = Key("a", SECRET)
    assert key.mac(b"one") != key.mac(b"two")
    assert key.mac(b"one") == key.mac(b"one")


def test_a_text_secret_stands_for_its_utf8_bytes():
    assert Key("a", "geheimnis-mit-ümlaut").mac(b"x") == Key(
        "a", "geheimnis-mit-ümlaut".encode()
    ).mac(b"x")


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{!r}".format])
def test_a_secret_is_never_shown(show):
    key = Key("2026-11", SECRET)
    assert SECRET not in show(key)
    assert SECRET not in show(KeyRing([key]))
    assert "2026-11" in show(KeyRing([key]))


@pytest.mark.parametrize("secret", ["", "fifteen-bytes-x", b"x" * 15, "x" * 1025])
def test_a_secret_of_the_wrong_length_is_refused_without_being_shown(secret):
    with pytest.raises(ConfigurationError, match=r"must have 16 to 1024") as caught:
        Key("a", secret)
    assert not secret or (secret if isinstance(secret, str) else secret.decode()) not in str(
        caught.value
    )


@pytest.mark.parametrize("secret", [SECRET + "\n", SECRET + "\r\n", " " + SECRET, SECRET + "\t"])
def test_white_space_around_a_secret_is_refused(secret):
    with pytest.raises(ConfigurationError, match="stray newline") as caught:
        Key("a", secret)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("end", [b"\n", b"\r", b" "])
def test_a_secret_of_bytes_may_end_with_any_byte(end):
    secret = SECRET.encode() + end
    assert Key("a", secret).mac(b"x") == hmac.digest(secret, b"x", "sha256")


@pytest.mark.parametrize(("least", "length"), [(1, 1), (15, 15), (0, 1), (-5, 1)])
def test_a_published_secret_may_be_as_short_as_the_caller_says_and_never_empty(least, length):
    assert Key("a", b"x" * length, min_bytes=least).secret == b"x" * length
    with pytest.raises(ConfigurationError, match=f"must have {length} to 1024"):
        Key("a", b"x" * (length - 1), min_bytes=least)


@pytest.mark.parametrize(
    ("secret", "kind"), [(None, "NoneType"), (12345678901234567, "int"), ([SECRET], "list")]
)
def test_a_secret_that_is_no_text_is_refused(secret, kind):
    with pytest.raises(ConfigurationError, match=f"key 'a' must be str or bytes, not {kind}$"):
        Key("a", secret)


def test_a_secret_with_a_lone_surrogate_is_refused_without_being_shown():
    with pytest.raises(ConfigurationError, match="not valid text") as caught:
        Key("a", SECRET + "\ud800")
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("key_id", ["x", "AZaz09._-", "x" * 64])
def test_a_key_id_is_of_plain_letters(key_id):
    assert Key(key_id, SECRET).id == key_id


@pytest.mark.parametrize("key_id", ["", "a b", "a\n", "ü", "x" * 65, 'a"', None, 7])
def test_a_key_id_that_would_not_be_safe_in_a_log_is_refused(key_id):
    with pytest.raises(ConfigurationError, match="key id"):
        Key(key_id, SECRET)


def test_a_key_without_dates_is_always_valid():
    for key in (Key("a", SECRET), Key("a", SECRET, -math.inf, math.inf)):
        assert key.valid_at(-math.inf)
        assert key.valid_at(math.inf)
        assert not key.dated


@pytest.mark.parametrize(("now", "valid"), [(99, False), (100, True), (200, True), (200.5, False)])
def test_the_dates_of_a_key_are_inclusive(now, valid):
    key = Key("a", SECRET, not_before=100, not_after=200)
    assert key.valid_at(now) is valid
    assert key.dated


def test_one_date_makes_a_key_dated_and_both_may_be_the_same():
    assert Key("a", SECRET, not_before=100).dated
    assert Key("a", SECRET, not_after=100).dated
    assert Key("a", SECRET, not_before=100, not_after=100).valid_at(100)


@pytest.mark.parametrize(("first", "last"), [(200, 100), (math.nan, 100), (100, math.nan)])
def test_dates_that_admit_no_time_are_refused(first, last):
    with pytest.raises(ConfigurationError, match="not_before"):
        Key("a", SECRET, not_before=first, not_after=last)


def test_the_last_key_of_a_ring_signs():
    ring = KeyRing([Key("old", OLDER), Key("new", SECRET)])
    assert ring.signing_key(now=0).id == "new"
    assert ring.signing_key().id == "new"
    assert [key.id for key in ring] == ["old", "new"]
    assert len(ring) == 2


def test_a_key_that_is_not_valid_yet_does_not_sign():
    ring = KeyRing([Key("old", OLDER), Key("new", SECRET, not_before=100)])
    assert ring.signing_key(now=99).id == "old"
    assert ring.signing_key(now=100).id == "new"


def test_a_ring_without_a_valid_key_signs_nothing():
    with pytest.raises(ConfigurationError, match="no key is valid now"):
        KeyRing([Key("old", OLDER, not_after=1)]).signing_key(now=2)


def test_bare_secrets_are_named_by_their_place():
    assert [key.id for key in KeyRing([OLDER, SECRET.encode()])] == ["key-1", "key-2"]


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ([], "no key"),
        (SECRET, "not a single one"),
        (SECRET.encode(), "not a single one"),
        (Key("a", SECRET), "not a single one"),
        ([Key("a", SECRET), Key("a", OLDER)], "same id"),
        ([Key("a", SECRET), Key("b", SECRET)], "same secret"),
    ],
)
def test_a_ring_that_cannot_be_meant_is_refused(keys, why):
    with pytest.raises(ConfigurationError, match=why) as caught:
        KeyRing(keys)
    assert SECRET not in str(caught.value)


def test_a_secrets_file_holds_one_key_a_line_oldest_first(tmp_path):
    file = tmp_path / "secrets"
    file.write_bytes(
        b"\xef\xbb\xbf# rotated in November\n\n2025 : "
        + OLDER.encode()
        + b"\r\n2026:with:colons:in:it:ok\n"
    )
    ring = KeyRing.from_file(file)
    assert [key.id for key in ring] == ["2025", "2026"]
    assert [key.secret for key in ring] == [OLDER.encode(), b"with:colons:in:it:ok"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no key"),
        (b"# only a comment\n", "no key"),
        (b"x:" + SECRET.encode() + b"\n" + OLDER.encode(), "secrets', line 2: expected id:secret"),
        (b"a:short", "line 1: the secret of key 'a' has 5 bytes"),
        (b":" + SECRET.encode(), "line 1: a key id"),
        (b"a:" + SECRET.encode() + b"\xff", "secrets' is not UTF-8"),
        (b"#" * ((1 << 20) + 1), "secrets' is over 1048576 bytes"),
    ],
)
def test_a_secrets_file_that_cannot_be_used_is_refused_without_being_shown(tmp_path, content, why):
    file = tmp_path / "secrets"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=why) as caught:
        KeyRing.from_file(file)
    assert SECRET not in str(caught.value)
    assert OLDER not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "why"), [("absent", "No such file"), ("nul\0", "not a usable path")]
)
def test_a_secrets_file_that_cannot_be_read_is_named(tmp_path, name, why):
    with pytest.raises(ConfigurationError) as caught:
        KeyRing.from_file(f"{tmp_path}/{name}")
    assert f"secrets_file {f'{tmp_path}/{name}'!r} cannot be read: {why}" in str(caught.value)


def test_a_secrets_file_may_have_a_mebibyte(tmp_path):
    file = tmp_path / "secrets"
    line = f"a:{SECRET}\n".encode()
    file.write_bytes(line + b"#" * ((1 << 20) - len(line)))
    assert [key.id for key in KeyRing.from_file(file)] == ["a"]


@pytest.mark.parametrize(
    "read", [KeyRing.from_file, lambda path: read_bare_secret(path, "pass_secret_file")]
)
def test_of_a_file_that_no_memory_holds_no_more_is_read_than_tells_that(tmp_path, read):
    file = tmp_path / "endless"
    file.touch()
    os.truncate(file, 1 << 40)
    with pytest.raises(ConfigurationError, match=r"is over 1048576 bytes|is longer than a secret"):
        read(file)


@pytest.mark.parametrize("around", ["{}", "\ufeff{}", "{}\n", "{}\r\n", "\ufeff{}\r\n"])
@pytest.mark.parametrize("secret", [SECRET, "x" * 1024, "\r" + SECRET])
def test_a_file_of_one_secret_has_nothing_else_but_a_mark_and_a_line_end(tmp_path, around, secret):
    file = tmp_path / "secret"
    file.write_bytes(around.format(secret).encode())
    assert read_bare_secret(file, "pass_secret_file") == secret


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty; edgeauth keygen"),
        (b"\r\n", "is empty; edgeauth keygen"),
        (b"\xef\xbb\xbf", "is empty; edgeauth keygen"),
        (b"\n" + SECRET.encode(), "has several lines"),
        (SECRET.encode() + b"\n\n", "has several lines"),
        (SECRET.encode() + b"\xff", "is not UTF-8 text"),
        (b"x" * 1030, "is longer than a secret, 1024 bytes"),
        (b"x" * 5000, "is longer than a secret, 1024 bytes"),
    ],
)
def test_a_file_that_holds_not_one_secret_is_refused_by_name(tmp_path, content, why):
    file = tmp_path / "secret"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=why) as caught:
        read_bare_secret(file, "pass_secret_file")
    assert str(caught.value).startswith(f"pass_secret_file {str(file)!r} ")
    assert SECRET not in str(caught.value)


def test_the_bytes_of_a_file_of_one_secret_may_be_as_many_as_a_secret_and_what_is_around_it():
    assert bare_secret(b"x" * 1029, "here") == "x" * 1029


@pytest.mark.parametrize(
    ("name", "why"), [("absent", "No such file"), ("nul\0", "not a usable path")]
)
def test_a_file_of_one_secret_that_cannot_be_read_is_named(tmp_path, name, why):
    with pytest.raises(ConfigurationError) as caught:
        read_bare_secret(f"{tmp_path}/{name}", "pass_secret_file")
    assert f"pass_secret_file {f'{tmp_path}/{name}'!r} cannot be read: {why}" in str(caught.value)


@pytest.mark.parametrize(
    ("dates", "not_before", "not_after"),
    [
        ("[not_before=2026-12-01T00:00:00Z]", 1796083200, math.inf),
        ("[not_after=1796083200]", -math.inf, 1796083200),
        (" [ not_after=2026-12-02T01:00+01:00  not_before=1796083200 ] ", 1796083200, 1796169600),
    ],
)
def test_a_line_of_a_secrets_file_may_date_its_key(tmp_path, dates, not_before, not_after):
    file = tmp_path / "secrets"
    file.write_text(f"a{dates}: {SECRET}\n")
    (key,) = KeyRing.from_file(file)
    assert (key.id, key.secret.decode()) == ("a", SECRET)
    assert (key.not_before, key.not_after) == (not_before, not_after)


def test_brackets_in_a_secret_are_no_dates(tmp_path):
    file = tmp_path / "secrets"
    file.write_text("a:x[not_after=1796083200]: the rest\nb:[not_before=1796083200]:\n")
    keys = KeyRing.from_file(file)
    assert [key.secret for key in keys] == [
        b"x[not_after=1796083200]: the rest",
        b"[not_before=1796083200]:",
    ]
    assert not any(key.dated for key in keys)


@pytest.mark.parametrize(
    ("dates", "why"),
    [
        ("[]", "brackets are empty"),
        ("[not_afer=1796083200]", "between the brackets stand not_before=TIME"),
        ("[1796083200]", "between the brackets"),
        ("[not_after=1796083200 not_after=1796083201]", "each once"),
        ("[not_after=1796083200,not_before=1796083201]", "not_after must be a time"),
        ("[not_after=2026-12-01T00:00:00]", "with its offset"),
        ("[not_after=2026-12-01]", "with its offset"),
        ("[not_after=20261201]", "with its offset"),
        ("[not_after=1796083200000]", "ten digits"),
        ("[not_after=1796083200=1796083200]", "not_after must be a time"),
        ("[not_after=soon]", "2026-12-01T00:00:00Z"),
        ("[not_after=]", "2026-12-01T00:00:00Z"),
        ("[not_before=1796083201 not_after=1796083200]", "must not be later"),
        ("[not_after=1796083200", "expected id:secret"),
        ("not_after=1796083200]", "a key id"),
        ("[not_after=1796083200] b", "expected id:secret"),
    ],
)
def test_dates_that_may_be_mistyped_are_refused_without_the_secret(tmp_path, dates, why):
    file = tmp_path / "secrets"
    file.write_text(f"a{dates}:{SECRET}\n")
    with pytest.raises(ConfigurationError, match=f"line 1: .*{why}") as caught:
        KeyRing.from_file(file)
    assert SECRET not in str(caught.value)


def test_a_directory_holds_one_key_a_file_and_numbers_in_names_count_as_numbers(tmp_path):
    names = ["key-10", "key-9", "2026-12", "key-9.1", "2026-2", "key"]
    for name in names:
        (tmp_path / name).write_text(f"the-secret-of-{name}-is-this\n")
    (tmp_path / "key").write_bytes(b"\xef\xbb\xbfthe-secret-of-key-is-this\r\n")
    (tmp_path / ".key-11.swp").write_text("an editor's")
    (tmp_path / "..data").symlink_to(tmp_path)
    ring = KeyRing.from_directory(tmp_path)
    assert [key.id for key in ring] == ["2026-2", "2026-12", "key", "key-9", "key-9.1", "key-10"]
    assert all(key.secret.decode() == f"the-secret-of-{key.id}-is-this" for key in ring)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a~", SECRET.encode(), "file 'a~': a key id must be"),
        ("a", b"", "file 'a': the secret of key 'a' has 0 bytes"),
        ("a", SECRET.encode() + b"\n\n", "file 'a': .*stray newline"),
        ("a", b"x:" + SECRET.encode() + b"\xff", "file 'a' is not UTF-8"),
        ("a", b"#" * ((1 << 20) + 1), "file 'a' is over 1048576 bytes"),
        (".a", SECRET.encode(), "no key"),
    ],
)
def test_a_directory_with_anything_but_keys_is_refused_without_being_shown(
    tmp_path, name, content, why
):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError, match=why) as caught:
        KeyRing.from_directory(tmp_path)
    assert SECRET not in str(caught.value)
    assert "file '" not in why or f"secrets_dir {str(tmp_path)!r}, file '" in str(caught.value)


def test_a_directory_in_a_directory_of_keys_is_refused(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(ConfigurationError, match="file 'a' cannot be read: Is a directory"):
        KeyRing.from_directory(tmp_path)


def test_a_link_to_nowhere_in_a_directory_of_keys_is_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    with pytest.raises(ConfigurationError) as caught:
        KeyRing.from_directory(tmp_path)
    assert str(caught.value) == (
        f"secrets_dir {str(tmp_path)!r}, file 'a' cannot be read: No such file or directory"
    )


@pytest.mark.parametrize(
    ("name", "why"), [("absent", "No such file"), ("nul\0", "not a usable path")]
)
def test_a_directory_of_keys_that_cannot_be_read_is_named(tmp_path, name, why):
    with pytest.raises(ConfigurationError) as caught:
        KeyRing.from_directory(f"{tmp_path}/{name}")
    assert f"secrets_dir {f'{tmp_path}/{name}'!r} cannot be read: {why}" in str(caught.value)


def test_a_pipe_in_a_directory_of_secrets_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a")
    with pytest.raises(ConfigurationError, match="file 'a' is a pipe"):
        KeyRing.from_directory(tmp_path)


def test_what_was_read_of_a_file_keeps_its_secret_out_of_its_repr():
    (entry,) = parse(f"2026:{SECRET}", "a text")
    assert entry.secret == SECRET
    assert repr(entry) == "<Entry a text, line 1>"
    assert [key.id for key in KeyRing.from_text(f"2026:{SECRET}\n", "a text")] == ["2026"]


PUBLIC = "ed25519:JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs="


def test_a_line_of_a_secrets_file_may_hold_a_public_key_with_its_dates():
    text = f"edge-1 [not_before=1796083200 not_after=1796083201]: {PUBLIC}\nown: {SECRET}\n"
    public, secret = ring = KeyRing.from_text(text, "a text")

    assert (public.id, public.text) == ("edge-1", PUBLIC)
    assert (public.not_before, public.not_after) == (1796083200, 1796083201)
    # Whoever signs, or compares with a secret, never meets it.
    assert ring.newest_first == (secret,)
    assert ring.signing_key() is secret


def test_a_ring_of_public_keys_alone_signs_nothing_and_names_them():
    ring = KeyRing([key_of("edge-1", PUBLIC)])
    with pytest.raises(ConfigurationError, match=r"public ones \(edge-1\), which sign nothing"):
        ring.signing_key()


def test_a_scheme_that_compares_with_a_secret_takes_no_public_key():
    secret, public = Key("own", SECRET), key_of("edge-1", PUBLIC)
    ring = KeyRing([secret])

    assert secrets_alone(ring, "a-kind") is ring
    assert [key.id for key in secrets_alone([secret, OLDER], "a-kind")] == ["own", "key-2"]
    for keys in ([secret, public], KeyRing([secret, public])):
        with pytest.raises(ConfigurationError, match=r"key 'edge-1' is a public key, .* 'a-kind'"):
            secrets_alone(keys, "a-kind")


@pytest.mark.parametrize("kind", [str, str.encode])
def test_the_text_of_a_public_key_is_no_secret(kind):
    with pytest.raises(ConfigurationError, match="the secret of key 'a' is a key of a pair"):
        Key("a", kind(PUBLIC))


def test_an_error_in_a_text_of_secrets_names_the_text_and_the_line():
    with pytest.raises(ConfigurationError, match=r"^a text, line 2: expected id:secret"):
        KeyRing.from_text(f"a:{SECRET}\nb", "a text")
