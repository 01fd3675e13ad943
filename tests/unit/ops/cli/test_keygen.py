"""``edgeauth keygen``."""

from __future__ import annotations

import errno
import os
import re

import pytest

from edgeauth import ConfigurationError, Key, KeyRing
from edgeauth.ops.private_key import write_private_key
from edgeauth.private_keys import PrivateKey


def test_standard_output_has_the_secret_alone_and_standard_error_says_where_it_goes(edgeauth):
    result = edgeauth("keygen")
    assert re.fullmatch(r"[0-9a-f]{64}\n", result.stdout)
    assert all(word in result.stderr for word in ("EDGEAUTH_SECRET", "EDGEAUTH_SECRETS_FILE"))
    assert all(word in result.stderr for word in ("dictionary", "secret store"))
    assert result.stdout.strip() not in result.stderr


def test_a_secret_makes_a_key_and_is_never_the_same(edgeauth):
    secrets = {edgeauth("keygen").stdout.strip() for _ in range(3)}
    assert len({Key("default", secret).secret for secret in secrets}) == 3


def test_it_needs_no_settings_and_wrong_ones_do_not_stop_it(edgeauth):
    assert edgeauth("keygen", env={"EDGEAUTH_SECRT": "x"}).exit_code == 0


PAIR = ("keygen", "--type", "ed25519")


def test_a_pair_is_a_private_key_in_a_file_and_the_line_of_the_public_one(edgeauth, tmp_path):
    result = edgeauth(*PAIR, "--id", "edge-1", "--out", "edge.key")
    file = tmp_path / "edge.key"
    pem = file.read_text("ascii")

    assert file.stat().st_mode & 0o777 == 0o600
    [key] = KeyRing.from_text(result.stdout, "here")
    assert (key.id, key.text) == ("edge-1", PrivateKey("edge-1", pem).public.text)
    assert "PRIVATE" not in result.stdout + result.stderr
    assert all(line not in result.stdout + result.stderr for line in pem.splitlines())
    assert "'edge.key', readable by you alone" in result.stderr
    assert "EDGEAUTH_SECRETS_FILE" in result.stderr


def test_a_private_key_goes_to_standard_output_where_it_is_asked_to(edgeauth, tmp_path):
    result = edgeauth(*PAIR, "--out", "-")
    [line] = re.findall(r"^ +(\d{4}-\d\d-\d\d: ed25519:.*)$", result.stderr, re.MULTILINE)
    [key] = KeyRing.from_text(line, "here")
    assert key.text == PrivateKey("k", result.stdout).public.text
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_not_replaced(edgeauth, tmp_path):
    (tmp_path / "edge.key").write_text("the key of now")
    result = edgeauth(*PAIR, "--out", "edge.key")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "is there already" in result.stderr
    assert (tmp_path / "edge.key").read_text() == "the key of now"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--type", "ed25519"), "--out FILE"),
        (("--type", "ed25519", "--out", "absent/edge.key"), "cannot be made"),
        (("--type", "ed25519", "--out", "k", "--id", "a b"), "a key id must be"),
        (("--type", "rsa"), "'rsa' is not one of"),
        (("--out", "k"), "give --type ed25519"),
        (("--id", "k"), "give --type ed25519"),
    ],
)
def test_what_makes_no_pair_is_refused_and_leaves_no_file(edgeauth, tmp_path, args, words):
    result = edgeauth("keygen", *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_does_not_stay(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        write_private_key(str(tmp_path / "edge.key"), b"x")
    assert list(tmp_path.iterdir()) == []
