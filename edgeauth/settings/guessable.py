"""Secrets that anybody knows, or that a computer finds at once.

With one of these a gate is open to whoever has read a manual, so no settings make a guard of
it. What is merely weak is for ``edgeauth doctor`` to tell: a secret that nobody printed and
that is not made of usual words, a pattern or a few characters is never refused here.
"""

from __future__ import annotations

import hashlib
import math
from itertools import pairwise

_README = "it is printed in edgeauth's documentation"
_VECTORS = "it is that of edgeauth's test vectors"
_RFC_9421 = "it is printed in RFC 9421"
_RFC_8032 = "it is printed in RFC 8032"
_SEED = "its private key is what anybody tries first"

# Each with where it is published.
PUBLISHED = {
    "some-pre-shared-secret": _README,
    "an-example-secret-of-32-bytes-ok": _VECTORS,
    "the-secret-before-that-one-12345": _VECTORS,
    "only-for-this-example-app": _README,
    "the-secret-of-november": _README,
    "the-secret-of-december": _README,
    "the-new-secret-of-the-signature": _README,
    "the-old-secret-in-a-header": _README,
    "the-edge-has-another-secret": _README,
    "a-secret-that-edge-and-origin-share": _README,
    # As bytes no setting can have it.
    "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==": (
        _RFC_9421
    ),
    "correct-horse-battery-staple": "it is printed in xkcd 936",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY": "it is printed in the documentation of AWS",
    "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY": "it is printed in the test suite of AWS",
    "JBSWY3DPEHPK3PXP": "it is printed in the documentation of many TOTP libraries",
}

# Public keys whose private half everybody has, by the SHA-256 of their DER.
_PAIRS = {
    "34571606cb7a0d71be377e671ddcccae2a169ed7733598214129231cd30c4a3c": _RFC_9421,
    "55f96361b78cbb84f1fc604b0718e82bd91abb46d8fc25ae871b35fbbf8b7974": _RFC_9421,
    "c73eecd318bd3813f2402a660d8a90010ca35d609d19377d5ee7af200713229f": _RFC_9421,
    "72859cbaf21a0b398b1f25712bbed148b1d85a0c6b824176eb306405caa6f0b2": _RFC_9421,
    "06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9": _RFC_8032,
    "deb2ded39dc26fce0e6085b6fc34bf6b5941913bbfe2ea614113cff9e004c170": _RFC_8032,
    "8d39ba50abe50f77b6bb8ae7b6927aff7ffbeba35ad2837c0e51e82bcbcc60d5": _RFC_8032,
    # Ed25519 of 32 bytes that are 0, 1 or 255, or that count from 0 or from 1.
    "339e2ff917630507b6a423b5ce084e285d1fa65d93b3e27a6195d3bbebc9ae23": _SEED,
    "fd110d301d2f077de1414b8f99f441b1403fab207b2052fbd2c065e4ee8e7dc2": _SEED,
    "8d5eb75dbb64464ac9369d2416a026c99aad4ebf9cdb7c73adda86dd17815b0f": _SEED,
    "a050837d85070582ccf7394b0988847cc312cb88259b894899f6f239cf1791a5": _SEED,
    "646d6be49d9f0048f94f67749eca35156eed4f7a7be18e4fc4a94bfd44e300b0": _SEED,
}

# What people write to be replaced later, or instead of a secret. The longest first, so that
# no part of a word is taken for another.
_WORDS = sorted(
    (
        *("change", "changed", "replace", "insert", "placeholder", "todo", "fixme", "please"),
        *("example", "sample", "demo", "test", "testing", "dummy", "fake", "default", "foobar"),
        *("password", "passw0rd", "p4ssw0rd", "p@ssw0rd", "passwd", "pass", "passphrase"),
        *("secret", "s3cr3t", "s3cret", "private", "hidden", "secure", "security", "credential"),
        *("key", "token", "value", "string", "text", "word", "phrase", "bits", "bytes", "chars"),
        *("shared", "pre", "edge", "auth", "header", "origin", "fastly", "cdn", "server", "app"),
        *("admin", "administrator", "root", "user", "login", "welcome", "letmein", "iloveyou"),
        *("my", "me", "your", "our", "the", "this", "that", "is", "it", "in", "here", "some"),
        *("very", "super", "ultra", "mega", "top", "long", "strong", "random", "really", "new"),
        *("only", "for", "and", "not", "use", "with", "production", "prod", "dev", "local"),
        *("qwerty", "asdf", "monkey", "dragon", "hunter", "master", "baseball", "football"),
        *("lorem", "ipsum", "dolor", "sit", "amet", "abc", "xyz", "xxx", "none", "null", "empty"),
    ),
    key=len,
    reverse=True,
)
_SEPARATORS = frozenset(" \t\0-_.:/\"'<>")

# Rows and columns of a keyboard, and where counting goes on, in hex too.
_ROWS = (
    *("qwertyuiop", "asdfghjkl", "zxcvbnm", "90", "9a", "f0"),
    *("1q2w3e4r5t6y7u8i9o0p", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p"),
)
_STEPS = {row[place : place + 2] for row in _ROWS for place in range(len(row) - 1)}

# Of 64 random bits in hex, the fewest that the length of a secret admits, less than one in a
# million is taken for one of these; of what edgeauth keygen makes, none ever.
_SHORT_UNIT = 8
_FEW_BITS = 32
_A_ROW = 4
_BESIDE_WORDS = 5
_WORD = 4
_MANY = 8


def why_guessable(secret: bytes) -> str | None:
    """Why nobody must use *secret*, in words that do not tell it; None if nothing is known."""
    text = secret.decode("latin-1")
    bare = _bare(text)
    for published, where in PUBLISHED.items():
        if bare == _bare(published):
            return where
    if any(text == (text[:unit] * len(text))[: len(text)] for unit in range(1, _SHORT_UNIT + 1)):
        return "it is a short text again and again"
    if len(text) * math.log2(len(set(text))) < _FEW_BITS:
        return "it has so few different characters that a computer tries all such secrets"
    if _surprises(text.lower() if text.isupper() else text) < _A_ROW:
        return "it is a row of characters"
    if _is_of_words(bare):
        return "it is made of words that everybody tries"
    return None


def why_published(der: bytes) -> str | None:
    """Why everybody can sign for the public key *der*; None if nothing is known."""
    return _PAIRS.get(hashlib.sha256(der).hexdigest())


def _bare(text: str) -> str:
    return "".join(character for character in text.lower() if character not in _SEPARATORS)


def _is_of_words(bare: str) -> bool:
    """Whether next to nothing remains without the usual words, and they are no accident."""
    rest, letters = bare, 0
    for word in _WORDS:
        if len(word) >= _WORD:
            letters += rest.count(word) * len(word)
        rest = rest.replace(word, "\0")
    return letters >= _MANY and _surprises(rest) < _BESIDE_WORDS


def _surprises(text: str) -> int:
    """How many characters do not follow from the one before."""
    return sum(
        character not in _SEPARATORS and not _follows(before, character)
        for before, character in pairwise("\0" + text)
    )


def _follows(before: str, character: str) -> bool:
    pair = before + character
    return abs(ord(before) - ord(character)) <= 1 or pair in _STEPS or pair[::-1] in _STEPS
