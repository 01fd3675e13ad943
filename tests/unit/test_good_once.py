"""A signature that was seen is refused by the scheme of docs/message-signatures.md."""

from __future__ import annotations

import re
from pathlib import Path

from support.signed_requests import KEY, NOW, signed

from edgeauth import Guard, Key
from edgeauth.replay import ReplayStoreError, open_store
from edgeauth.schemes.message_signatures import MessageSignatureScheme

PAGE = (Path(__file__).parents[2] / "docs" / "message-signatures.md").read_text("utf-8")


def good_once(*, store):
    """The class of the page."""
    (block,) = [b for b in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "GoodOnce(" in b]
    names = {
        "Guard": Guard,
        "MessageSignatureScheme": MessageSignatureScheme,
        "key": Key("k", "a" * 20),
    }
    exec(block, names)
    return names["GoodOnce"]([KEY], store=store)


def test_a_signature_is_admitted_once_and_refused_then():
    guard, request = Guard(good_once(store=open_store("memory"))), signed(nonce="n-1")

    first, second = (guard.check(request, now=NOW) for _ in range(2))

    assert (first.reason, second.reason) == ("ok", "replayed")
    assert "once" in first.identity.covers
    assert guard.check(signed(nonce="n-2"), now=NOW).reason == "ok"


class Broken:
    """A store that does not answer."""

    waits = False

    def remember(self, _key, _until, *, now):
        raise ReplayStoreError(f"nothing at {now}")


def test_a_store_that_does_not_answer_is_a_refusal():
    assert not Guard(good_once(store=Broken())).check(signed(nonce="n-1"), now=NOW).allowed


def test_what_is_not_authentic_never_reaches_the_store():
    forged = signed(nonce="n-1", key=Key(KEY.id, "another-secret-of-somebody"))

    assert Guard(good_once(store=Broken())).check(forged, now=NOW).reason == "bad-signature"
