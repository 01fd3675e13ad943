"""``edgeauth help``: commands and topics."""

from __future__ import annotations

import pytest
from command_tables import all_commands

from edgeauth.ops.cli import COMMANDS
from edgeauth.ops.cli.help import COMPLETION, TOPICS
from edgeauth.reasons import REASONS
from edgeauth.schemes.registry import kinds, scheme_class
from edgeauth.settings import OPTIONS


def words_of(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("name", ["", "keys", "keys rotate", *dict(all_commands())])
def test_a_command_is_explained_as_by_its_own_help(edgeauth, name):
    explained = edgeauth("help", *name.split())
    assert explained.exit_code == 0
    assert explained.stdout.startswith(edgeauth(*name.split(), "--help").stdout)


def test_every_topic_is_listed_and_explained(edgeauth):
    listed = edgeauth("help").stdout.partition("Topics:")[2]
    for topic in TOPICS:
        assert f"\n  {topic} " in listed
        assert topic in words_of(edgeauth("help", "--help").stdout)
        assert edgeauth("help", topic).exit_code == 0


def test_every_setting_and_every_reason_is_explained(edgeauth):
    settings = edgeauth("help", "settings").stdout
    own = (option.name for kind in kinds() for option in scheme_class(kind).OPTIONS)
    assert all(f"\n  {name} " in settings for name in (*OPTIONS, *own, "workers"))
    reasons = words_of(edgeauth("help", "reasons").stdout)
    assert all(f"{code} {reason.meaning}" in reasons for code, reason in REASONS.items())


def test_the_lines_of_completion_can_be_copied_whatever_the_width(edgeauth):
    shown = edgeauth("help", "completion", env={"COLUMNS": "40"}).stdout.splitlines()
    assert {f"  {line}" for line in COMPLETION.values()} < set(shown)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("vrify", "No such command or topic 'vrify'. Did you mean verify?"),
        ("reason", "Did you mean reasons?"),
        ("keys rotat", "No such command or topic 'rotat'. Did you mean rotate?"),
        ("verify more", "No such command or topic 'more'."),
        ("reasons more", "reasons is a topic: nothing comes behind it"),
    ],
)
def test_what_is_not_there_is_wrong_usage_with_a_suggestion(edgeauth, words, says):
    result = edgeauth("help", *words.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr


def test_a_narrow_terminal_gets_each_topic(edgeauth):
    for topic in (*TOPICS, *COMMANDS):
        assert edgeauth("help", topic, env={"COLUMNS": "1"}).exit_code == 0
