"""What replay stores share: how long a key may be, and what may have been admitted before."""

from __future__ import annotations

import hashlib
import math

import pytest

from edgeauth.replay import ReplayStoreError
from edgeauth.replay.base import bounded, digest_of, is_alike, refuse_older

NOW = 1_700_000_000.0


def test_a_key_stands_for_itself_as_long_as_it_has_sixty_four_bytes():
    assert bounded(b"k" * 64) == b"k" * 64
    assert bounded(b"k" * 65) == bytes(33) + hashlib.sha256(b"k" * 65).digest()
    assert len(bounded(b"k" * 10_000)) == 65
    assert bounded(b"") == b""


def test_a_question_with_a_name_is_kept_by_its_digest_and_one_without_by_nothing():
    assert digest_of(b"name") == hashlib.sha256(b"name").digest()
    assert digest_of(b"") == b""


@pytest.mark.parametrize(
    ("digest", "by", "later", "alike"),
    [
        (digest_of(b"name"), b"name", 0, True),
        (digest_of(b"name"), b"name", 1, True),
        (digest_of(b"name"), b"name", -1, True),
        (digest_of(b"name"), b"name", 1.1, False),
        (digest_of(b"name"), b"name", -1.1, False),
        (digest_of(b"name"), b"other", 0, False),
        (digest_of(b"name"), b"", 0, False),
        (b"", b"", 0, False),
        (b"", b"name", 0, False),
    ],
)
def test_the_same_question_within_a_second_is_asked_again(digest, by, later, alike):
    assert is_alike(digest, NOW, by, NOW + later) is alike


@pytest.mark.parametrize(
    ("since", "until", "refused"),
    [
        (NOW - 0.1, math.inf, True),
        (NOW, -math.inf, False),
        # Without a time of its own it is as old as the longest that was asked for.
        (None, NOW + 59.9, True),
        (None, NOW + 60, False),
    ],
)
def test_what_may_be_older_than_the_memory_is_refused(since, until, refused):
    if not refused:
        assert refuse_older(NOW, until, since, 60) is None
        return
    with pytest.raises(ReplayStoreError, match=r"^the store lost what it remembered, and this "):
        refuse_older(NOW, until, since, 60)
