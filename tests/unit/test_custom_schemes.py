"""The schemes of docs/custom-schemes.md do what the page says of them."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path

import pytest
from support.requests import PlainRequest

import edgeauth
from edgeauth import Guard, KeyRing, Settings, sign
from edgeauth.ops.schemes import Tools
from edgeauth.schemes.registry import _check_class

NOW = 1_700_000_000
PAGE = Path(__file__).parents[2] / "docs" / "custom-schemes.md"
TEXT = PAGE.read_text("utf-8")
SOURCES = "".join(path.read_text("utf-8") for path in Path(edgeauth.__file__).parent.rglob("*.py"))


@pytest.fixture(scope="module")
def page():
    """The names that the page defines."""
    names = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        exec(compile(block, PAGE.name, "exec"), names)
    return names


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ([("X-Edge-Pop", b"LHR"), ("X-Edge-Token", b"a-token-for-london-1")], "ok"),
        ([("X-Edge-Pop", b"JFK"), ("X-Edge-Token", b"a-token-for-london-1")], "bad-signature"),
        ([("X-Edge-Pop", b"XXX"), ("X-Edge-Token", b"")], "bad-signature"),
        ([("X-Edge-Pop", b"LHR")], "missing"),
        ([("X-Edge-Pop", b"LHR")] * 2 + [("X-Edge-Token", b"a-token-for-london-1")], "missing"),
    ],
)
def test_the_token_of_a_pop_is_good_for_that_pop_alone(page, fields, reason):
    guard = Guard(page["TokenPerPop"]({"LHR": "a-token-for-london-1", "JFK": "another-token"}))
    assert guard.check(PlainRequest(fields=fields), now=NOW).reason == reason
    assert set(guard.stripped_headers) == {"X-Edge-Token", "X-Edge-Pop"}


def test_the_kind_of_the_page_has_what_settings_need(page):
    kind = page["EdgeToken"]
    _check_class(kind, "edge-token", "the page")
    defaults = {option.name: option.default for option in kind.OPTIONS}
    guard = Guard(kind.from_options(KeyRing(["a-token-of-the-edge-1"]), defaults))
    for token, reason in (
        (b"a-token-of-the-edge-1", "ok"),
        (b"a-token-of-nobody", "bad-signature"),
        (None, "missing"),
    ):
        fields = [] if token is None else [("X-Edge-Token", token)]
        verdict = guard.check(PlainRequest(fields=fields), now=NOW)
        assert verdict.reason == reason
        assert verdict.scheme == (kind.kind if reason == "ok" else None)


def test_the_tables_of_the_page_are_read():
    (toml,) = [
        block
        for block in re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
        if "[[schemes]]" in block
    ]
    settings = Settings.from_mapping(tomllib.loads(toml))
    assert [scheme.kind for scheme in settings.schemes] == ["edge-auth", "shared-secret"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ([("Edge-Auth", b"signed")], "ok"),
        ([("X-Origin-Secret", b"the-old-secret-in-a-header")], "ok"),
        ([("X-Origin-Secret", b"a-wrong-secret-in-a-header")], "bad-signature"),
        ([("Edge-Auth", b"junk")], "malformed"),
        ([], "missing"),
    ],
)
def test_any_of_several_schemes_accepts_and_the_nearest_miss_is_the_reason(page, fields, reason):
    value = sign("the-new-secret-of-the-signature", pop="LHR", timestamp=NOW).encode()
    given = [(name, value if sent == b"signed" else sent) for name, sent in fields]
    assert page["guard"].check(PlainRequest(fields=given), now=NOW).reason == reason


def test_the_page_names_every_tool_that_a_kind_can_bring():
    [paragraph] = re.findall(
        r"^For the commands, write `TOOLS.*?\n\n", TEXT, re.DOTALL | re.MULTILINE
    )
    for field in dataclasses.fields(Tools):
        assert f"`{field.name}" in paragraph


@pytest.mark.parametrize("member", re.findall(r"^\| `(\w+)(?:\(| = True)?", TEXT, re.MULTILINE))
def test_what_the_page_says_that_a_scheme_can_have_is_asked_for(member):
    assert re.search(rf"[\"\.]{member}\b", SOURCES)
