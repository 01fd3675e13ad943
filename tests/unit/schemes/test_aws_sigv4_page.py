"""What docs/schemes/aws-sigv4.md says of the scheme, held against the scheme."""

from __future__ import annotations

import re
from pathlib import Path

from edgeauth import Guard
from edgeauth.reasons import REASONS
from edgeauth.schemes.aws_sigv4 import AwsSigV4Scheme

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "schemes" / "aws-sigv4.md").read_text("utf-8")


def table(head: str) -> str:
    return re.search(rf"^\| {re.escape(head)}.*?\n\n", PAGE, re.DOTALL | re.MULTILINE)[0]


def test_the_table_has_every_setting_and_its_default():
    told = dict(re.findall(r"^\| `(\w+)` \| ?`?([^|`]*?)`? ?\|", table("setting"), re.MULTILINE))
    for option in AwsSigV4Scheme.OPTIONS:
        default = "" if option.default is None else str(option.default)
        assert told.pop(option.name) == (default if default != "False" else "false")
    assert told == {}


def test_each_reason_of_the_page_is_one():
    named = {
        word
        for row in re.findall(r"^\| (`.*?) \|", table("reason"), re.MULTILINE)
        for word in re.findall(r"`([\w-]+)`", row)
    }
    assert named == {
        *("missing", "malformed", "bad-signature", "claims", "coverage", "expired", "future"),
        "replayed",
    }
    assert named <= set(REASONS)


def test_the_python_of_the_page_runs():
    [block] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict = {}
    exec(block, names)
    assert isinstance(names["guard"], Guard)
