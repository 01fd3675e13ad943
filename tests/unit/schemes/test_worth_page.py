"""docs/explanation/worth.md says of each kind what its code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.requests import PlainRequest

from edgeauth import Key, KeyRing, VerificationError
from edgeauth.schemes.base import Outgoing, may_admit_once
from edgeauth.schemes.registry import built_in_kinds, scheme_class

PAGE = (Path(__file__).parents[3] / "docs" / "explanation" / "worth.md").read_text("utf-8")
ROWS = {
    cells[1].split("`")[1]: [cell.strip() for cell in cells[2:-1]]
    for cells in (line.split("|") for line in PAGE.splitlines() if line.startswith("| ["))
}
SIGNED, LONG, REPLAY = range(3)
SECONDS = {"s": 1, "min": 60}


def test_every_kind_has_a_row():
    assert sorted(ROWS) == sorted(built_in_kinds())


@pytest.mark.parametrize("kind", built_in_kinds())
def test_a_store_helps_where_credentials_are_good_once(kind):
    helps = ROWS[kind][REPLAY] != "no help"

    assert helps == may_admit_once(scheme_class(kind))


@pytest.mark.parametrize("kind", built_in_kinds())
def test_the_time_is_the_default_of_the_option(kind):
    defaults = {option.name: option.default for option in scheme_class(kind).OPTIONS}
    age = defaults.get("max_age", defaults.get("max_skew"))
    told = re.fullmatch(r"(\d+) (s|min)", ROWS[kind][LONG])

    assert (int(told[1]) * SECONDS[told[2]] if told else None) == age


NOW = 1_760_000_000.0
KEYS = KeyRing([Key("edge-1", "YS1zZWNyZXQtb2YtYS1wYWdlLTEyMw==")])
NEEDED = {
    "aws-sigv4": {"region": "eu-west-1"},
    "azure-shared-key": {"account": "edge"},
    "alibaba-oss": {"bucket": "shop", "region": "cn-hangzhou"},
    "signed-token": {"header": "X-Token", "algorithm": "HS256", "issuer": "edge"},
    "azure-front-door": {"front_door_ids": ("a0a0a0a0-bbbb-cccc-dddd-e1e1e1e1e1e1",)},
}
OTHERWISE = {
    "method": {"method": "PUT"},
    "host": {"host": b"other.example"},
    "path": {"path": "/b", "target": b"/b?x=1"},
    "query": {"query": b"x=2", "target": b"/a?x=2"},
}


# What is presented as a certificate is no field of a request.
@pytest.mark.parametrize("kind", sorted({*built_in_kinds()} - {"client-certificate"}))
def test_what_is_signed_is_what_cannot_be_changed(kind):
    cls = scheme_class(kind)
    options = {option.name: option.default for option in cls.OPTIONS} | NEEDED.get(kind, {})
    scheme = cls.from_options(KEYS, options)
    sent = Outgoing("GET", "shop.example", "/a?x=1")
    fields = scheme.credential(now=NOW, request=sent)

    def accepted(**changed):
        as_sent = {"path": "/a", "target": b"/a?x=1", "query": b"x=1", "host": b"shop.example"}
        lines = [("Host", (as_sent | changed)["host"])]
        lines += [(name, value.encode()) for name, value in fields.items()]
        request = PlainRequest(**as_sent | changed, fields=lines)
        try:
            scheme.verify(request, now=NOW)
        except VerificationError:
            return False
        return True

    signed = [name for name, changed in OTHERWISE.items() if not accepted(**changed)]

    assert accepted()
    assert ", ".join(signed) == ROWS[kind][SIGNED].replace("nothing", "")
