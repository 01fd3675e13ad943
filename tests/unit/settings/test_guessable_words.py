"""Each published secret, each usual word and each row of characters is told by itself."""

from __future__ import annotations

import pytest

from edgeauth.settings.guessable import PUBLISHED, why_guessable


@pytest.mark.parametrize(
    ("secret", "where"),
    [
        ("some-pre-shared-secret", "edgeauth's documentation"),
        ("only-for-this-example-app", "edgeauth's documentation"),
        ("the-secret-of-november", "edgeauth's documentation"),
        ("the-secret-of-december", "edgeauth's documentation"),
        ("the-new-secret-of-the-signature", "edgeauth's documentation"),
        ("the-old-secret-in-a-header", "edgeauth's documentation"),
        ("the-edge-has-another-secret", "edgeauth's documentation"),
        ("a-secret-that-edge-and-origin-share", "edgeauth's documentation"),
        ("an-example-secret-of-32-bytes-ok", "edgeauth's test vectors"),
        ("the-secret-before-that-one-12345", "edgeauth's test vectors"),
        (
            "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==",
            "RFC 9421",
        ),
        ("correct-horse-battery-staple", "xkcd 936"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "the documentation of AWS"),
        ("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "the test suite of AWS"),
        ("JBSWY3DPEHPK3PXP", "the documentation of many TOTP libraries"),
    ],
)
def test_where_a_secret_is_published_is_told(secret, where):
    assert where in why_guessable(secret.encode())
    # As it is printed there, so that it is found.
    assert where in PUBLISHED[secret]


OF_WORDS = "it is made of words that everybody tries"
# What people write in place of a secret; each between others, so that it must be known by itself.
WORDS = """
    change changed replace insert placeholder todo fixme please example sample demo test testing
    dummy fake default foobar password passw0rd p4ssw0rd p@ssw0rd passwd pass passphrase secret
    s3cr3t s3cret private hidden secure security credential key token value string text word
    phrase bits bytes chars shared pre edge auth header origin fastly cdn server app admin
    administrator root user login welcome letmein iloveyou my me your our the this that is it in
    here some very super ultra mega top long strong random really new only for and not use with
    production prod dev local qwerty asdf monkey dragon hunter master baseball football lorem
    ipsum dolor sit amet abc xyz xxx none null empty
"""


def test_a_secret_of_usual_words_is_told_whichever_they_are():
    told = {word: why_guessable(f"{word}-hidden-login-".encode() * 6) for word in WORDS.split()}
    other = {word: why for word, why in told.items() if why != OF_WORDS}
    assert other == {}


@pytest.mark.parametrize(
    "row",
    [
        "poiuytrewqpoiuyt",
        "asdfghjklkjhgfds",
        "zxcvbnmnbvcxzxcv",
        "p0o9i8u7y6t5r4e3w2q1",
        "8901234567890123",
        "789abcdef0123456",
        "ABCDEF0123456789",
        "POIUYTREWQPOIUYT",
        "6789abcde6789abcde",
        "9abcdef019abcdef01",
    ],
)
def test_a_secret_along_a_keyboard_or_a_count_is_told(row):
    assert why_guessable(row.encode()) == "it is a row of characters"


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("k7vq2mzp" * 3, "again and again"),
        ("k7vq2mzpt" * 3, None),
        ("xj" * 7 + "jjxxjj" + "x" * 11, "so few different characters"),
        ("xjxxjxjjxjxxjxjjjxxjjxxxjxjjxjxj", None),
        ("abcdmnoptuvwfghi", None),
        ("AbCdEfGhIjKlMnOp", None),
        ("acegikmoqsuwyace", None),
        # An X among rows of a keyboard is none of them.
        ("XpoiuytreXpoiuytre", None),
        ("XlkjhgfdsXlkjhgfds", None),
        ("XmnbvcxzxXmnbvcxzx", None),
        ("X9012345678X90a", None),
        ("X9abcdefgX9abcdefg", None),
        ("Xf0123456Xf0123456", None),
        ("X1q2w3e4rX1q2w3e4r", None),
        ("X1qaz2wsxX1qaz2wsx", None),
        ("default-my-is-it-in-the-for", None),
        ("abcdmnoptuvwxyzz", "a row of characters"),
        ("hidden-secure-placeholder-q7mz", "words that everybody tries"),
        ("hidden-secure-placeholder-q7mzt", None),
        ("text-my-text-is-it", "words that everybody tries"),
        ("text-my-is-it-in-the-for", None),
    ],
)
def test_the_bounds_of_what_is_told(secret, why):
    told = why_guessable(secret.encode())
    assert told is None if why is None else why in told
