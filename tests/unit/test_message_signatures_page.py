"""What docs/message-signatures.md says of settings is what is read; its commands run elsewhere."""

from __future__ import annotations

import re
import tomllib
from base64 import b64decode
from pathlib import Path

import pytest

from edgeauth import ConfigurationError, Settings
from edgeauth.schemes.message_signatures import MessageSignatureScheme

PAGE = (Path(__file__).parents[2] / "docs" / "message-signatures.md").read_text("utf-8")
OPTIONS = {option.name: option for option in MessageSignatureScheme.OPTIONS}
ROWS = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \| ", PAGE, re.MULTILINE))


def test_the_table_has_each_option_of_the_kind():
    assert ROWS.keys() & OPTIONS.keys() == OPTIONS.keys()


@pytest.mark.parametrize("name", OPTIONS)
def test_the_defaults_of_the_table_are_those_of_the_settings(name):
    words = {"none": None, "true": True}
    written = ROWS[name].replace("`", "")
    default = OPTIONS[name].default
    shown = " ".join(default) if isinstance(default, list | tuple) else default
    assert words.get(written, written) in {shown, str(shown)}


def test_its_files_of_settings_are_read():
    blocks = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    first, component = map(tomllib.loads, blocks)

    assert Settings.from_mapping(first).only_scheme().kind == "message-signatures"
    options = Settings.from_mapping({**first, **component}).only_scheme().options
    assert list(options["components"]) == component["components"]


def test_nobody_can_use_the_public_key_of_the_pages():
    rotation = (Path(__file__).parents[2] / "docs" / "rotation.md").read_text("utf-8")
    [line] = re.findall(r"^    edge-2026: (ed25519:\S+)$", rotation, re.MULTILINE)
    [shown] = re.findall(r"-----BEGIN PUBLIC KEY-----\n(.*?)\n", PAGE)
    assert b64decode(shown).endswith(b64decode(line.partition(":")[2]))

    settings = Settings.from_mapping({"scheme": "message-signatures", "secret": line})
    with pytest.raises(ConfigurationError, match="printed in RFC 9421"):
        settings.build_scheme()
