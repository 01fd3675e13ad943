"""Secrets that anybody knows, or that a computer finds at once.

With one of these a gate is open to whoever has read a manual, so no settings make a guard of
it. What is merely weak is for ``edgeauth doctor`` to tell: a secret that nobody printed and
that is not made of usual words, a pattern or a few characters is never refused here.
"""

from __future__ import annotations

import math

_README = "it is printed in edgeauth's documentation"
_VECTORS = "it is that of edgeauth's test vectors"

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
    "correct-horse-battery-staple": "it is printed in xkcd 936",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY": "it is printed in the documentation of AWS",
    "JBSWY3DPEHPK3PXP": "it is printed in the documentation of many TOTP libraries",
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
        for before, character in zip("\0" + text, text, strict=False)
    )


def _follows(before: str, character: str) -> bool:
    pair = before + character
    return abs(ord(before) - ord(character)) <= 1 or pair in _STEPS or pair[::-1] in _STEPS
