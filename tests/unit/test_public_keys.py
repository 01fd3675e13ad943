"""Keys of cryptography: what they are, and what is none."""

from __future__ import annotations

import base64
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from support.rfc9421 import published_key

from edgeauth import BadSignature, ConfigurationError, Key, KeyRing, Passes, sign
from edgeauth.public_keys import (
    ALGORITHMS,
    PublicKey,
    _cryptography,
    checked_algorithm,
    is_public,
    pem_of,
)
from edgeauth.schemes.message_signatures import MessageSigner, PrivateKey

MESSAGE = b"what is signed"
MAKERS = {
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ecdsa-p256-sha256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-p384-sha384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "rsa-pss-sha512": lambda: rsa.generate_private_key(65537, 2048),
    "rsa-v1_5-sha256": lambda: rsa.generate_private_key(65537, 2048),
}


def pems(private):
    """The PEM of both sides of a key."""
    return (
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    )


@pytest.fixture(scope="module")
def made():
    """A pair of PEMs of each algorithm."""
    return {name: pems(make()) for name, make in MAKERS.items()}


def test_there_is_a_maker_of_each_algorithm():
    assert set(MAKERS) == set(ALGORITHMS)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_what_a_private_key_signs_its_public_key_verifies_and_nothing_else(made, name):
    private, public = made[name]
    signature = PrivateKey("k", private, name).sign(MESSAGE)
    key = PublicKey("k", public.decode(), name)

    key.verify(signature, MESSAGE)
    flipped = bytes([signature[0] ^ 1]) + signature[1:]
    for forged, message in (
        (signature, MESSAGE + b"!"),
        (flipped, MESSAGE),
        (signature[:-1], MESSAGE),
        (signature + b"\0", MESSAGE),
        (b"", MESSAGE),
        (bytes(len(signature)), MESSAGE),
    ):
        with pytest.raises(BadSignature, match=r"^key k did not make this signature$"):
            key.verify(forged, message)


@pytest.mark.parametrize(("name", "length"), [("ecdsa-p256-sha256", 64), ("ecdsa-p384-sha384", 96)])
def test_an_ecdsa_signature_is_two_numbers_of_one_length_and_never_der(made, name, length):
    private, public = made[name]
    key, extra = PrivateKey("k", private, name), _cryptography()
    hashed, _ = extra[name]
    der = key._key.sign(MESSAGE, hashed)

    assert {len(key.sign(MESSAGE)) for _ in range(20)} == {length}
    good, half = key.sign(MESSAGE), length // 2
    PublicKey("k", public, name).verify(good, MESSAGE)
    # The same two numbers, longer.
    for other in (
        der,
        good[:half] + b"\0" + good[half:],
        b"\0" + good[:half] + b"\0" + good[half:],
    ):
        with pytest.raises(BadSignature):
            PublicKey("k", public, name).verify(other, MESSAGE)


def test_a_key_of_one_algorithm_is_none_of_another(made):
    for name, (private, public) in made.items():
        for other in ALGORITHMS:
            if name.partition("-")[0] == "rsa" == other.partition("-")[0] or name == other:
                continue
            with pytest.raises(ConfigurationError, match="'k' is no public key for"):
                PublicKey("k", public, other)
            with pytest.raises(ConfigurationError, match="'k' is no private key for"):
                PrivateKey("k", private, other)


def test_a_signature_of_one_rsa_algorithm_is_none_of_the_other(made):
    private, public = made["rsa-pss-sha512"]
    signature = PrivateKey("k", private, "rsa-pss-sha512").sign(MESSAGE)
    with pytest.raises(BadSignature):
        PublicKey("k", public, "rsa-v1_5-sha256").verify(signature, MESSAGE)


@pytest.mark.parametrize("name", ["rsa", "rsa-pss", "ed25519", "ecc-p256"])
def test_the_keys_that_the_rfc_publishes_are_read_in_their_own_forms(name):
    algorithm = {
        "rsa": "rsa-v1_5-sha256",
        "rsa-pss": "rsa-pss-sha512",
        "ed25519": "ed25519",
        "ecc-p256": "ecdsa-p256-sha256",
    }[name]
    private = PrivateKey("k", published_key(name, "key"), algorithm)
    PublicKey("k", published_key(name, "pem"), algorithm).verify(private.sign(MESSAGE), MESSAGE)


def test_a_short_rsa_key_is_refused():
    private, public = pems(rsa.generate_private_key(65537, 1024))  # noqa: S505 - to be refused
    for algorithm in ("rsa-pss-sha512", "rsa-v1_5-sha256"):
        with pytest.raises(ConfigurationError, match="has 1024 bits"):
            PublicKey("k", public, algorithm)
        with pytest.raises(ConfigurationError, match="has 1024 bits"):
            PrivateKey("k", private, algorithm)


@pytest.mark.parametrize("key_id", ["", "a b", "x" * 65, 7])
def test_an_id_is_that_of_any_key(made, key_id):
    private, public = made["ed25519"]
    with pytest.raises(ConfigurationError, match="a key id must be"):
        PublicKey(key_id, public, "ed25519")
    with pytest.raises(ConfigurationError, match="a key id must be"):
        PrivateKey(key_id, private, "ed25519")


@pytest.mark.parametrize("algorithm", ["hmac-sha256", "none", "Ed25519", ""])
def test_an_algorithm_is_one_that_a_public_key_can_have(made, algorithm):
    with pytest.raises(ConfigurationError, match="must be one of ed25519"):
        PublicKey("k", made["ed25519"][1], algorithm)


@pytest.mark.parametrize("pem", [b"", "-----BEGIN PUBLIC KEY-----", None, 7, "private", "x448"])
def test_what_is_no_public_key_is_refused_and_not_shown(made, pem):
    private, _ = made["ed25519"]
    text = {"private": private, "x448": pems(ed448.Ed448PrivateKey.generate())[1]}.get(pem, pem)
    with pytest.raises(ConfigurationError, match="no public key") as caught:
        PublicKey("k", text, "ed25519")
    assert caught.value.__cause__ is None
    assert private.decode().splitlines()[1] not in str(caught.value)


def test_what_is_no_private_key_is_refused_and_not_shown(made):
    for pem in (made["ed25519"][1], b"", "text", None):
        with pytest.raises(ConfigurationError, match="is no private key in PEM without a password"):
            PrivateKey("k", pem, "ed25519")


def test_a_key_is_known_by_its_id_and_algorithm(made):
    private, public = made["ed25519"]
    assert repr(PublicKey("k", public, "ed25519")) == "<PublicKey 'k' ed25519>"
    assert repr(PrivateKey("k", private, "ed25519")) == "<PrivateKey 'k' ed25519>"


def test_a_public_key_may_be_dated(made):
    public = made["ed25519"][1]
    dated = PublicKey("k", public, "ed25519", not_before=1, not_after=2)

    assert [dated.valid_at(moment) for moment in (0.9, 1, 2, 2.1)] == [False, True, True, False]
    assert dated.dated
    assert not PublicKey("k", public, "ed25519").dated
    with pytest.raises(ConfigurationError, match="must not be later"):
        PublicKey("k", public, "ed25519", not_before=2, not_after=1)


def test_a_public_key_that_is_read_from_pem_keeps_its_dates(made):
    key = PublicKey.from_text("k", made["ed25519"][1].decode(), 1, 2)

    assert (key.not_before, key.not_after, key.algorithm) == (1, 2, "ed25519")


def test_an_algorithm_that_a_public_key_can_have_is_given_back():
    assert [checked_algorithm("k", name) for name in ALGORITHMS] == list(ALGORITHMS)


def test_without_the_package_a_public_key_says_what_to_install(made, monkeypatch):
    _cryptography.cache_clear()
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    private, public = made["ed25519"]
    words = r"^key 'k' needs .*: pip install 'edgeauth\[signatures\]'$"
    try:
        with pytest.raises(ConfigurationError, match=words):
            PublicKey("k", public, "ed25519")
        with pytest.raises(ConfigurationError, match=words):
            PrivateKey("k", private, "ed25519")
    finally:
        _cryptography.cache_clear()


def test_signatures_by_a_secret_import_no_package_beyond_the_core():
    code = """
import sys
before = set(sys.modules)
from edgeauth import Key
from edgeauth.schemes.message_signatures import MessageSignatureScheme, MessageSigner
key = Key("edge-1", "a-secret-that-signs-whole-requests")
made = MessageSigner(key).sign("GET", "/", "shop.example", created=1_760_000_000)
import types
fields = {"Host": [b"shop.example"], **{n: [v.encode()] for n, v in made.items()}}
request = types.SimpleNamespace(
    method="GET", target=b"/", host=b"shop.example", handshake=False, header=fields.get
)
assert MessageSignatureScheme([key]).verify(request, now=1_760_000_000).key_id == "edge-1"
print(*{name.partition(".")[0] for name in set(sys.modules) - before})
"""
    ran = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert set(ran.stdout.split()) - sys.stdlib_module_names == {"edgeauth", "itsdangerous"}


class TestSigner:
    KEY = Key("edge-1", "a-secret-that-signs-whole-requests")

    def sign(self, signer=(), **options):
        return MessageSigner(self.KEY, **dict(signer)).sign(
            options.pop("method", "GET"),
            options.pop("target", "/"),
            options.pop("host", "shop.example"),
            **options,
        )

    def test_each_signature_has_a_nonce_of_its_own_and_the_time(self):
        made = [self.sign()["Signature-Input"] for _ in range(2)]
        assert made[0] != made[1]
        assert all(";created=1" in text or ";created=2" in text for text in made)

    def test_a_signature_by_a_secret_names_its_algorithm_if_asked(self):
        text = self.sign({"include_alg": True}, created=1, expires=2, nonce="n")["Signature-Input"]
        assert text.endswith(';created=1;keyid="edge-1";alg="hmac-sha256";expires=2;nonce="n"')

    @pytest.mark.parametrize(
        ("signer", "options"),
        [
            ({"label": "Edge"}, {}),
            ({"label": ""}, {}),
            ({"label": "ü"}, {}),
            ({"label": 7}, {}),
            ({"tag": ""}, {}),
            ({"scheme": "ws"}, {}),
            ({"components": ["@status"]}, {}),
            ({}, {"created": -1}),
            ({}, {"created": 1.5}),
            ({}, {"created": True}),
            ({}, {"created": 10**12}),
            ({}, {"expires": "soon"}),
            ({}, {"nonce": 'a"b'}),
            ({}, {"nonce": "ü"}),
            ({}, {"nonce": "\ud800" + '"'}),
            ({}, {"nonce": "x" * 257}),
            ({}, {"target": "a"}),
            ({}, {"target": "/ü"}),
            ({}, {"method": "G\nT"}),
            ({}, {"host": ""}),
            ({"components": ["x-note"]}, {}),
            ({"components": ["x-note"]}, {"fields": [("X-Note", "ü")]}),
        ],
        ids=str,
    )
    def test_what_cannot_be_signed_is_refused(self, signer, options):
        with pytest.raises(ConfigurationError):
            self.sign(signer, **options)

    def test_the_host_is_a_field_unless_another_is_given(self):
        part = {"components": ["host"]}
        alone = self.sign(part, created=1, nonce="n")
        given = self.sign(part, created=1, nonce="n", fields=[("HOST", b"other.example")])
        assert alone != given == self.sign(part, created=1, nonce="n", host="other.example")

    def test_a_tag_is_a_quoted_string_and_a_time_may_be_the_first(self):
        made = self.sign({"tag": 'a"b\\c'}, created=0, nonce="n")["Signature-Input"]
        assert made.endswith(r';created=0;keyid="edge-1";nonce="n";tag="a\"b\\c"')


SECRET = "an-example-secret-of-32-bytes-ok"
RFC_ED25519 = "ed25519:JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs="


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_public_key_is_written_on_one_line_and_read_again(made, name):
    private, public = made[name]
    key = PublicKey("k", public, name)
    again = PublicKey.from_text("k", key.text, 1, 2)

    assert "\n" not in key.text
    assert (again.text, again.algorithm) == (key.text, name)
    assert (again.not_before, again.not_after, again.dated) == (1, 2, True)
    again.verify(PrivateKey("k", private, name).sign(MESSAGE), MESSAGE)


def test_the_line_of_an_ed25519_key_has_its_32_bytes_and_that_of_others_its_der():
    assert PublicKey("k", published_key("ed25519", "pem")).text == RFC_ED25519
    pem = published_key("ecc-p256", "pem")
    armoured = "".join(pem.splitlines()[1:-1])
    assert PublicKey("k", pem).text == f"ecdsa-p256-sha256:{armoured}"


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [
        ("ed25519", "ed25519"),
        ("ecdsa-p256-sha256", "ecdsa-p256-sha256"),
        ("ecdsa-p384-sha384", "ecdsa-p384-sha384"),
        ("rsa-v1_5-sha256", "rsa-pss-sha512"),
    ],
)
def test_the_algorithm_of_pem_is_that_of_the_key_and_of_rsa_it_is_pss(made, name, algorithm):
    private, public = made[name]
    assert PublicKey.from_text("k", public.decode()).algorithm == algorithm
    assert PrivateKey("k", private).algorithm == algorithm
    assert PrivateKey("k", private).public.der == PublicKey("k", public).der


def test_a_key_that_no_algorithm_is_for_is_refused():
    _, public = pems(ec.generate_private_key(ec.SECP521R1()))
    with pytest.raises(ConfigurationError, match="'k' is of a kind that no algorithm here is for"):
        PublicKey("k", public)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ed25519:", "has 0 bytes; an Ed25519 key has 32"),
        ("ed25519:AAAA", "has 3 bytes"),
        ("ed25519:JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs", "no base64"),
        ("ed25519:JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0b\u00df=", "no base64"),
        ("ed25519:Jr QLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=", "no base64"),
        ("ed25519:Jr\nQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=", "no base64"),
        ("ecdsa-p256-sha256:AAAA", "no public key"),
        ("ecdsa-p384-sha384:" + RFC_ED25519.partition(":")[2], "no public key"),
        ("Ed25519:JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=", "form that is not known"),
        ("ed25519-sha512:JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=", "form that is not known"),
        ("ecdsa-p256:MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE", "form that is not known"),
        ("rsa-pss-sha256:MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A", "form that is not known"),
        ("P-256:MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE", "form that is not known"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKj me@here", "form that is not known"),
        ("MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=", "form that is not known"),
        ("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE", "form that is not known"),
        ("MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE", "form that is not known"),
        ("MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A", "form that is not known"),
        ("-----BEGIN PUBLIC KEY-----", "no public key"),
        ("-----BEGIN CERTIFICATE-----\nAAAA", "no public key"),
    ],
)
def test_a_text_that_is_a_public_key_in_part_is_refused_and_never_a_secret(text, why, tmp_path):
    assert is_public(text)
    (tmp_path / "k").write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match=why):
        KeyRing.from_directory(tmp_path)


def test_a_private_key_in_a_directory_of_keys_is_refused_and_not_shown(made, tmp_path):
    private, _ = made["ed25519"]
    (tmp_path / "k").write_bytes(private)
    with pytest.raises(ConfigurationError, match="a private key, which only the edge") as caught:
        KeyRing.from_directory(tmp_path)
    assert private.decode().splitlines()[1] not in str(caught.value)


def test_each_refusal_names_the_key(made):
    private, public = made["ed25519"]
    unknown = pems(ec.generate_private_key(ec.SECP521R1()))
    for build in (
        lambda: PublicKey("edge-7", public, "none"),
        lambda: PrivateKey("edge-7", private, "none"),
        lambda: PublicKey("edge-7", unknown[1]),
        lambda: PrivateKey("edge-7", unknown[0]),
        lambda: PublicKey.from_text("edge-7", "ed25519:AAAA"),
        lambda: PublicKey.from_text("edge-7", "ed25519:?"),
        lambda: PublicKey.from_text("edge-7", f"ed25519:{'A' * 43}="),
    ):
        with pytest.raises(ConfigurationError, match=r"^key 'edge-7'"):
            build()


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_public_key_of_a_private_one_has_its_id_and_algorithm(made, name):
    public = PrivateKey("edge-7", made[name][0], name).public
    assert (public.id, public.algorithm) == ("edge-7", name)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_pem_of_a_key_in_der_is_what_other_programs_write(made, name):
    pem = made[name][1].decode()
    assert pem_of(PublicKey("k", pem, name).der) == pem


@pytest.mark.parametrize("sign", [0, 0x80])
@pytest.mark.parametrize(
    "point",
    [
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        # The first two again, with the prime added: another spelling of the same points.
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    ],
)
def test_an_ed25519_key_for_which_anybody_can_sign_is_refused(point, sign):
    raw = bytearray.fromhex(point)
    raw[-1] |= sign
    with pytest.raises(ConfigurationError, match="anybody can sign for it"):
        PublicKey.from_text("k", f"ed25519:{base64.b64encode(raw).decode()}")


def test_for_a_point_of_order_one_anybody_could_sign():
    identity = b"\x01" + bytes(31)
    key = ed25519.Ed25519PublicKey.from_public_bytes(identity)
    key.verify(identity + bytes(32), b"whatever it says")


def test_a_file_holds_secrets_and_public_keys_side_by_side(made, tmp_path):
    line = PublicKey("k", made["rsa-pss-sha512"][1]).text
    file = tmp_path / "keys"
    file.write_text(
        f"old: {SECRET}\nedge-1 [not_after=2026-12-08T00:00:00Z]: {RFC_ED25519}\nedge-2:{line}\n",
        "utf-8",
    )
    old, first, second = ring = KeyRing.from_file(file)

    assert [key.id for key in ring.newest_first] == ["old"]
    assert isinstance(old, Key)
    assert (first.text, first.dated) == (RFC_ED25519, True)
    assert second.algorithm == "rsa-pss-sha512"
    assert ring.signing_key() is old


def test_a_directory_holds_pem_too(made, tmp_path):
    (tmp_path / "edge-1").write_bytes(made["ecdsa-p384-sha384"][1])
    (tmp_path / "edge-2").write_text(f"{RFC_ED25519}\r\n", "utf-8")
    one, two = KeyRing.from_directory(tmp_path)
    assert (one.algorithm, two.text) == ("ecdsa-p384-sha384", RFC_ED25519)


@pytest.mark.parametrize("text", [RFC_ED25519, published_key("ed25519", "pem")])
@pytest.mark.parametrize("kind", [str, str.encode])
def test_the_text_of_a_public_key_is_no_secret_for_anything(text, kind):
    for build in (
        lambda secret: Key("k", secret),
        lambda secret: KeyRing([secret]),
        Passes,
        lambda secret: sign(secret, pop=None),
    ):
        with pytest.raises(ConfigurationError, match="is a key of a pair"):
            build(kind(text))


def test_a_ring_of_public_keys_signs_nothing_and_says_so():
    ring = KeyRing([PublicKey.from_text("edge-1", RFC_ED25519)])
    with pytest.raises(ConfigurationError, match=r"public ones \(edge-1\), which sign nothing"):
        ring.signing_key()


def test_a_ring_does_not_take_one_public_key_twice_or_alone():
    one, two = (PublicKey.from_text(name, RFC_ED25519) for name in ("a", "b"))
    with pytest.raises(ConfigurationError, match="same secret or public key"):
        KeyRing([one, two])
    with pytest.raises(ConfigurationError, match="not a single one"):
        KeyRing(one)
