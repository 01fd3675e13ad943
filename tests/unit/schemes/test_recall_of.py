"""Which schemes are asked for what they accepted before."""

from __future__ import annotations

import pytest
from support.requests import PlainRequest
from support.vectors import SECRET

from edgeauth import EdgeAuthScheme, EdgeIdentity, Guard, SharedSecretScheme
from edgeauth.schemes.base import recall_of


class Own:
    """A scheme of a user's that remembers."""

    headers = ("X-Own",)

    def verify(self, request, *, now):
        return self.identity

    def recall(self, value, now):
        return self.identity if value == b"known" else None

    identity = EdgeIdentity(None, None, "own", scheme="own")


class Stricter(Own):
    """Verifies more and remembers as before."""

    def verify(self, request, *, now):
        return super().verify(request, now=now)


class Remembering(Own):
    """Remembers otherwise and verifies as before."""

    def recall(self, value, now):
        return self.identity


class Both(Own):
    def verify(self, request, *, now):
        return self.identity

    def recall(self, value, now):
        return None


class Silent(Own):
    """Has everything of another one, and nothing of its own."""


class NotCallable(Own):
    verify = Own.verify
    recall = 5


class Slotted:
    __slots__ = ()
    headers = ("X-Own",)

    def verify(self, request, *, now):
        return Own.identity

    def recall(self, value, now):
        return Own.identity


@pytest.mark.parametrize(
    ("scheme", "asked"),
    [
        (EdgeAuthScheme([SECRET]), True),
        (Own(), True),
        (Both(), True),
        (Slotted(), True),
        (Stricter(), False),
        (Remembering(), False),
        (Silent(), False),
        (NotCallable(), False),
        (SharedSecretScheme([SECRET]), False),
        (object(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_scheme_is_asked_if_its_class_itself_says_how_it_verifies_and_remembers(scheme, asked):
    assert (recall_of(scheme) is not None) is asked


@pytest.mark.parametrize("name", ["verify", "recall"])
def test_a_scheme_with_a_method_of_its_own_put_on_it_is_not_asked(name):
    scheme = Own()
    setattr(scheme, name, lambda *_, **__: None)
    assert recall_of(scheme) is None


def test_a_guard_asks_a_scheme_of_a_users_own():
    guard = Guard(Own())
    verdict = guard.check(PlainRequest())
    assert verdict.scheme == "own"
    assert guard.recall(b"known", "GET", "/") is verdict
    assert guard.recall(b"other", "GET", "/") is None


def test_what_a_scheme_recalls_is_an_identity_or_nothing():
    class Wrong(Own):
        def verify(self, request, *, now):
            return self.identity

        def recall(self, value, now):
            return True

    assert Guard(Wrong()).recall(b"known", "GET", "/") is None


def test_to_ask_a_scheme_leaves_its_attributes_as_fast_as_they_were():
    # Python keeps the attributes of an object in a quicker place until its __dict__ is asked for.
    class Watched(Own):
        asked = False

        def verify(self, request, *, now):
            return self.identity

        def recall(self, value, now):
            return None

        @property
        def __dict__(self):
            type(self).asked = True
            return {}

    assert recall_of(Watched()) is not None
    assert not Watched.asked
