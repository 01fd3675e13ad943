"""Which secrets no settings take, and that no real one is among them."""

from __future__ import annotations

import base64
import random
import re
import string
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)
from support.rfc9421 import published_key
from support.vectors import VECTOR_SECRET, rows

from edgeauth.settings.guessable import PUBLISHED, why_guessable, why_published

ROOT = Path(__file__).parents[3]
PAGES = [
    ROOT / "README.md",
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / "example_apps").rglob("*.md"),
    *(ROOT / "integrations").rglob("*.md"),
]
# How a page shows a secret: a variable, an argument of openssl, a file, a line of one, a list.
SHOWN = re.compile(
    r"""(?x) EDGEAUTH_SECRET=["']?([\w./+=-]{16,})
    | -hmac\ ([\w-]{16,}) | printf\ ([\w-]{16,})\ >
    | ^\ +[\w.-]+\ \[not_[^]]+\]:\ ?([\w-]{16,})
    | Scheme\(\["([^"]{16,})"\]""",
    re.MULTILINE,
)


def shown(text):
    return {next(filter(None, groups)) for groups in SHOWN.findall(text)}


@pytest.mark.parametrize(
    "secret",
    [
        *PUBLISHED,
        "Some_Pre_Shared_Secret",
        '"some-pre-shared-secret"',
        "changemechangeme",
        "change-me-change-me",
        "CHANGE ME PLEASE 123",
        "<your-secret-here>",
        "replace_with_your_secret",
        "passwordpassword",
        "Passw0rd-Passw0rd",
        "supersecretpassword!",
        "this-is-my-secret",
        "mysecretpassword2024",
        "edgeauth-secret-1",
        "x" * 16,
        "0" * 64,
        "\x00" * 16,
        "0101010101010101",
        "12341234123412341",
        "0123456789abcdef",
        "0123456789abcdef0123456789abcdef",
        "fedcba9876543210",
        "abcdefghijklmnop",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "1234567890123456",
        "qwertyuiopasdfgh",
        "QWERTYUIOPASDFGHJKL",
        "1q2w3e4r5t6y7u8i",
        "1qaz2wsx3edc4rfv",
        "aabbaabbabababba",
    ],
)
def test_what_everybody_knows_or_tries_is_told(secret):
    why = why_guessable(secret.encode())
    assert why
    assert secret not in why


def test_every_secret_that_a_page_shows_is_refused():
    found = {secret for page in PAGES for secret in shown(page.read_text("utf-8"))}
    assert {"some-pre-shared-secret", "the-secret-of-november"} <= found
    assert [secret for secret in found if why_guessable(secret.encode()) is None] == []


def test_every_secret_of_the_test_vectors_is_refused():
    secrets = {VECTOR_SECRET} | {secret for row in rows() for secret in row.secrets}
    assert [secret for secret in secrets if why_guessable(secret.encode()) is None] == []


@pytest.mark.parametrize(
    "secret",
    [
        "purple-otter-mends-clocks",
        "the-password-of-our-shop",
        "five geese cross the river",
        "Tr0ub4dor&3 and its sequel",
        "a-secret-of-the-probe-tests",
        "secret-8301-7465-9274-6301",
        "0f83b1a2c94d57e6a8b0c1d2e3f40516",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "\u4f60\u597d\u4e16\u754c\u671d\u9633",
    ],
)
def test_what_is_only_weak_or_looks_odd_is_left_to_the_doctor(secret):
    assert why_guessable(secret.encode()) is None


def made(chance):
    """Secrets as programs and people make them by chance, from 64 bits on."""
    for size in (8, 12, 16, 32):
        raw = chance.randbytes(size)
        yield raw.hex()
        yield raw.hex().upper()
    for size in (12, 16, 24, 32):
        raw = chance.randbytes(size)
        yield base64.b64encode(raw).decode()
        yield base64.urlsafe_b64encode(raw).decode().rstrip("=")
    printable = string.ascii_letters + string.digits + string.punctuation
    for letters in (string.ascii_lowercase, string.digits, printable):
        yield "".join(chance.choices(letters, k=20))
    syllables = ["".join(chance.choices(string.ascii_lowercase, k=5)) for _ in range(4)]
    yield "-".join(syllables)


def test_no_secret_that_was_made_by_chance_is_refused():
    chance = random.Random(20_261_127)  # noqa: S311 - the same ones in each run
    refused = [
        secret
        for _ in range(500)
        for secret in made(chance)
        if why_guessable(secret.encode()) is not None
    ]
    assert refused == []


PUBLISHED_SEEDS = {
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60": "RFC 8032",
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb": "RFC 8032",
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7": "RFC 8032",
    bytes(32).hex(): "tries first",
    (b"\x01" * 32).hex(): "tries first",
    (b"\xff" * 32).hex(): "tries first",
    bytes(range(32)).hex(): "tries first",
    bytes(range(1, 33)).hex(): "tries first",
}


@pytest.mark.parametrize("seed", PUBLISHED_SEEDS)
def test_a_public_key_whose_private_half_is_published_is_told(seed):
    public = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)).public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert PUBLISHED_SEEDS[seed] in why_published(der)
    assert why_published(der[:-1] + b"?") is None


@pytest.mark.parametrize("name", ["ed25519", "ecc-p256", "rsa", "rsa-pss"])
def test_a_public_key_of_rfc_9421_is_told(name):
    public = load_pem_public_key(published_key(name, "pem").encode())
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert why_published(der) == "it is printed in RFC 9421"
