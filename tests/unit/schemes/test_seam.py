"""What a scheme says of itself beside what it verifies, and what it is asked to sign."""

from __future__ import annotations

import pytest

from edgeauth.schemes.base import Outgoing, may_admit_once, needs_body


class Says:
    def __init__(self, **said):
        vars(self).update(said)


@pytest.mark.parametrize(("asked", "name"), [(may_admit_once, "once"), (needs_body, "needs_body")])
def test_only_a_plain_yes_is_one(asked, name):
    assert asked(Says(**{name: True})) is True
    for other in (Says(**{name: False}), Says(**{name: 1}), Says(**{name: None}), Says()):
        assert asked(other) is False


def test_of_a_request_that_is_sent_no_more_is_known_than_is_said():
    sent = Outgoing("GET", "shop.example", "/")

    assert (sent.fields, sent.body, sent.client) == ((), None, None)
