"""``edgeauth sign`` where the request is signed: by a secret, and by a private key in a file."""

from __future__ import annotations

import hashlib
import json
import shlex
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from http_message_signatures import HTTPMessageVerifier, InvalidSignature, MappingKeyResolver
from http_message_signatures.algorithms import ED25519, HMAC_SHA256
from support.requests import PlainRequest
from support.signature_peer import Message

from edgeauth import ConfigurationError, Settings
from edgeauth.keys import KeyRing
from edgeauth.ops.private_key import new_pair, read_private_key
from edgeauth.public_keys import PublicKey
from edgeauth.schemes.message_signatures import MessageSignatureScheme

SECRET = "kV3x9Qw7ZtB2mN8rLp4sHd6yUc1aFg5e"
AT = 1_760_000_000
URL = "https://shop.example/pay?x=1"
KIND = {"EDGEAUTH_SCHEME": "message-signatures"}
ENV = {**KIND, "EDGEAUTH_SECRET": SECRET, "EDGEAUTH_TAG": "edge"}


class Peer(HTTPMessageVerifier):
    """The peer, without the clock of the machine."""

    def validate_created_and_expires(self, sig_input, max_age=None):
        assert sig_input.params["created"] == AT


@pytest.fixture
def pair(edgeauth, tmp_path):
    """The file of a private key, and the origin's file of keys."""
    made = edgeauth("keygen", "--type", "ed25519", "--id", "edge-1", "--out", "edge.key")
    assert made.exit_code == 0
    (tmp_path / "keys").write_text(made.stdout, "utf-8")
    return str(tmp_path / "edge.key"), str(tmp_path / "keys")


def fields_in(text):
    return [tuple(line.split(": ", 1)) for line in text.splitlines()]


def request(method, fields, *, target="/pay?x=1", host="shop.example", more=()):
    sent = [("Host", host), *more, *fields]
    return PlainRequest(
        method=method,
        path=target.partition("?")[0],
        target=target.encode(),
        host=host.encode(),
        fields=[(name, value.encode()) for name, value in sent],
    )


def test_the_lines_are_accepted_by_the_gate_of_the_same_settings_and_by_the_peer(edgeauth):
    done = edgeauth("sign", "--method", "POST", "--url", URL, "--at", str(AT), env=ENV)
    assert (done.exit_code, done.stderr) == (0, "")
    sent = request("POST", fields_in(done.stdout))

    scheme = Settings.from_environ(ENV).build_scheme()
    assert scheme.verify(sent, now=AT).key_id == "default"
    keys = MappingKeyResolver(public_keys={"default": SECRET.encode()}, private_keys={})
    Peer(signature_algorithm=HMAC_SHA256, key_resolver=keys).verify(Message(sent))


def test_a_private_key_signs_for_the_public_one_in_the_settings(edgeauth, pair):
    private, public = pair
    env = {**KIND, "EDGEAUTH_SECRETS_FILE": public}
    done = edgeauth("sign", "--url", URL, "--key-file", private, "--at", str(AT), env=env)
    sent = request("GET", fields_in(done.stdout))

    assert Settings.from_environ(env).build_scheme().verify(sent, now=AT).key_id == "edge-1"
    [key] = KeyRing.from_file(public)
    keys = MappingKeyResolver(public_keys={"edge-1": key.pem}, private_keys={})
    peer = Peer(signature_algorithm=ED25519, key_resolver=keys)
    peer.verify(Message(sent))
    with pytest.raises(InvalidSignature):
        peer.verify(Message(request("PUT", fields_in(done.stdout))))


def test_without_the_public_key_in_the_settings_its_id_is_an_option(edgeauth, pair):
    private, public = pair
    args = ("sign", "--url", URL, "--key-file", private, "--at", str(AT))
    for env in (KIND, {**KIND, "EDGEAUTH_SECRET": SECRET}):
        refused = edgeauth(*args, env=env)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert "give --key-id" in refused.stderr
        done = edgeauth(*args, "--key-id", "edge-1", env=env)
        sent = request("GET", fields_in(done.stdout))
        scheme = MessageSignatureScheme(KeyRing.from_file(public))
        assert scheme.verify(sent, now=AT).key_id == "edge-1"


def test_an_id_that_is_asked_for_counts_and_another_pair_does_not(pair, tmp_path):
    private, public = pair
    other = tmp_path / "other"
    other.write_text(f"edge-0: {new_pair('edge-0')[1].text}\n", "utf-8")
    settings = Settings(scheme="message-signatures", secrets_file=public)
    assert read_private_key(private, settings, "another").id == "another"
    elsewhere = Settings(scheme="message-signatures", secrets_file=str(other))
    with pytest.raises(ConfigurationError, match="no public key that goes with"):
        read_private_key(private, elsewhere, None)


def test_rsa_in_the_settings_says_which_of_its_two_algorithms_the_key_is_of(tmp_path):
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "rsa.key").write_bytes(pem)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    text = PublicKey("old", public, "rsa-v1_5-sha256").text
    (tmp_path / "keys").write_text(f"old: {text}\n")
    settings = Settings(scheme="message-signatures", secrets_file=str(tmp_path / "keys"))
    found = read_private_key(str(tmp_path / "rsa.key"), settings, None)
    assert (found.id, found.algorithm) == ("old", "rsa-v1_5-sha256")


@pytest.mark.parametrize(("content", "why"), [(None, "No such file"), (b"x", "no private key")])
def test_a_file_without_a_private_key_is_refused_by_its_name(edgeauth, tmp_path, content, why):
    if content is not None:
        (tmp_path / "edge.key").write_bytes(content)
    done = edgeauth("sign", "--url", URL, "--key-file", "edge.key", env=ENV)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--key-file 'edge.key'" in done.stderr
    assert why in done.stderr


def test_covered_fields_and_the_digest_of_the_body_are_signed(edgeauth, tmp_path):
    (tmp_path / "body").write_bytes(b'{"amount": 5}')
    env = {**ENV, "EDGEAUTH_COMPONENTS": "@method,@path,content-type,content-digest"}
    args = ("sign", "--method", "POST", "--url", URL, "--at", str(AT), "--body")
    given = ("-H", "Content-Type: application/json")
    from_file = edgeauth(*args, "body", *given, env=env)
    from_input = edgeauth(*args, "-", *given, env=env, input=b'{"amount": 5}')

    digest = b64encode(hashlib.sha256(b'{"amount": 5}').digest()).decode()
    for done in (from_file, from_input):
        fields = fields_in(done.stdout)
        assert fields[0] == ("Content-Digest", f"sha-256=:{digest}:")
        sent = request("POST", fields, more=[("Content-Type", "application/json")])
        identity = Settings.from_environ(env).build_scheme().verify(sent, now=AT)
        assert identity.body.value == hashlib.sha256(b'{"amount": 5}').digest()


def test_a_covered_field_that_is_not_there_cannot_be_signed(edgeauth):
    env = {**ENV, "EDGEAUTH_COMPONENTS": "@method,x-note"}
    done = edgeauth("sign", "--url", URL, env=env)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "cannot be signed" in done.stderr


def test_the_host_that_is_signed_is_a_host_that_is_given(edgeauth):
    done = edgeauth(
        *("sign", "--url", "http://127.0.0.1:8000", "--at", str(AT)),
        *("--header", "Host: shop.example"),
        env=ENV,
    )
    sent = request("GET", fields_in(done.stdout), target="/")
    assert Settings.from_environ(ENV).build_scheme().verify(sent, now=AT)


@pytest.mark.parametrize(
    ("url", "target", "host"),
    [
        ("https://shop.example", "/", "shop.example"),
        ("HTTPS://me:pw@Shop.Example:443/a%2Fb?#frag", "/a%2Fb?", "Shop.Example:443"),
        ("http://[::1]:8000?q", "/?q", "[::1]:8000"),
    ],
)
def test_the_target_is_taken_as_it_is_written(edgeauth, url, target, host):
    env = {**ENV, "EDGEAUTH_COMPONENTS": "@method,@request-target,host"}
    done = edgeauth("sign", "--url", url, "--at", str(AT), env=env)
    sent = request("GET", fields_in(done.stdout), target=target, host=host)
    assert Settings.from_environ(env).build_scheme().verify(sent, now=AT)


def test_json_is_one_object_of_the_fields(edgeauth):
    done = edgeauth("sign", "--url", URL, "--json", "--at", str(AT), env=ENV)
    fields = json.loads(done.stdout)
    assert list(fields) == ["Signature-Input", "Signature"]
    sent = request("GET", list(fields.items()))
    assert Settings.from_environ(ENV).build_scheme().verify(sent, now=AT)


def test_json_has_the_one_field_of_a_scheme_with_one(edgeauth):
    done = edgeauth("sign", "--json", env={"EDGEAUTH_SECRET": SECRET})
    assert list(json.loads(done.stdout)) == ["Edge-Auth"]


def test_the_curl_command_sends_the_request_that_was_signed(edgeauth, tmp_path):
    (tmp_path / "body").write_bytes(b"x")
    done = edgeauth(
        *("sign", "--method", "POST", "--curl", URL, "-H", "X-Note: it's", "--body", "body"),
        env=ENV,
    )
    words = shlex.split(done.stdout)
    assert words[:6] == ["curl", "--globoff", "--request", "POST", "--header", "X-Note: it's"]
    assert [word.partition(":")[0] for word in words[7:10:2]] == ["Signature-Input", "Signature"]
    assert words[-3:] == ["--data-binary", "@body", URL]
    head = edgeauth("sign", "--method", "HEAD", "--curl", URL, env=ENV).stdout
    assert shlex.split(head)[:3] == ["curl", "--globoff", "--head"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), "signs one request, and none is named"),
        (("--url", URL, "--curl", URL), "give one of them"),
        (("--curl", URL, "--json"), "give one of them"),
        (("--url", "shop.example/x"), "--url 'shop.example/x' is no URL"),
        (("--url", "https://x/\u00a0y"), "is no URL"),
        (("--url", "https://x/\u00fc"), "not printable ASCII"),
        (("--url", URL, "--method", "A B"), "is no method"),
        (("--url", URL, "-H", "no colon"), "write 'Name: value'"),
        (("--url", URL, "-H", "A: b\nC: d"), "write 'Name: value'"),
        (("--url", URL, "--body", "absent"), "--body 'absent'"),
        (("--url", URL, "--pop", "LHR"), "--pop has no meaning"),
    ],
)
def test_what_cannot_be_meant_is_refused(edgeauth, args, words):
    done = edgeauth("sign", *args, env=ENV)
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr


def test_a_body_that_no_request_has_is_refused(edgeauth, tmp_path, monkeypatch):
    monkeypatch.setattr("edgeauth.ops.cli.outgoing._MOST", 4)
    (tmp_path / "body").write_bytes(b"12345")
    done = edgeauth("sign", "--url", URL, "--body", "body", env=ENV)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "has 4 bytes or more" in done.stderr


def test_of_several_schemes_a_private_key_is_for_the_first_that_can_use_it(
    edgeauth, pair, tmp_path
):
    private, public = pair
    (tmp_path / "edgeauth.toml").write_text(
        f'[[schemes]]\nsecret = "{SECRET}"\n'
        f'[[schemes]]\nscheme = "message-signatures"\nsecrets_file = "{public}"\n'
    )
    args = ("sign", "--config", "edgeauth.toml", "--url", URL)
    by_secret, by_key = edgeauth(*args), edgeauth(*args, "--key-file", private)
    assert by_secret.stdout.startswith("Edge-Auth: ")
    assert by_key.stdout.startswith("Signature-Input: ")


def test_a_private_key_has_no_meaning_where_a_secret_signs(edgeauth, pair):
    private, _ = pair
    env = {"EDGEAUTH_SECRET": SECRET}
    done = edgeauth("sign", "--key-file", private, "--key-id", "k", env=env)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--key-file has no meaning for the scheme edge-auth" in done.stderr
