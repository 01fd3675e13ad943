"""What README.md prints is what happens."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from support.programs import program

from edgeauth import sign
from edgeauth.ops.shown import shown_settings
from edgeauth.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def test_the_signature_is_the_one_that_openssl_makes():
    line, printed = re.search(r"^\$ (printf .*openssl.*)\n(.*)$", README, re.MULTILINE).groups()
    program("openssl")
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == printed
    digest = printed.split()[0]
    assert sign("some-pre-shared-secret", pop="LHR", timestamp=1_700_000_000).endswith(digest)
    assert f"Edge-Auth: 1700000000,LHR,0x{digest}" in README


def test_the_explanation_of_a_refusal_is_the_one_of_the_tested_page():
    (block,) = re.findall(r"```console\n(\$ edgeauth verify .*?)```", README, re.DOTALL)
    assert block in (ROOT / "docs" / "command-line.md").read_text("utf-8")


def table_of_settings():
    """The names of each row, and what is said of their defaults."""
    (table,) = re.findall(r"\| name \| default.*?\n\n", README, re.DOTALL)
    rows = [row.split(" | ") for row in table.strip().splitlines()[2:]]
    return [(re.findall(r"`([a-z_]+)`", row[0]), row[1].replace("`", "")) for row in rows]


def test_every_setting_of_the_gate_and_of_its_default_kind_is_in_the_table():
    known = {shown.name for shown in shown_settings(Settings())}
    assert sorted(name for names, _ in table_of_settings() for name in names) == sorted(
        {*known, "schemes"}
    )


def test_the_defaults_in_the_table_are_those_of_the_settings():
    told = {}
    for names, default in table_of_settings():
        each = (
            default.split(", ")
            if len(default.split(", ")) == len(names)
            else [default] * len(names)
        )
        told |= dict(zip(names, each, strict=True))
    for shown in shown_settings(Settings()):
        if shown.value in (None, ()):
            assert told[shown.name] in {"off", "none", "any", "one is required", "/"}
        else:
            assert told[shown.name] == str(shown.value).replace("True", "true")


@pytest.mark.parametrize("target", re.findall(r"^\$ make ([a-z-]+)", README, re.MULTILINE))
def test_every_target_is_in_the_makefile(target):
    assert f"\n{target}:" in (ROOT / "Makefile").read_text("utf-8")


# A package index shows this page, and has none of these files: there a link must have its host.
BASE = "https://github.com/edgeauth/edgeauth/blob/main/"
LINKS = dict(re.findall(r"^\[([a-z0-9/-]+)\]: (\S+)$", README, re.MULTILINE))


@pytest.mark.parametrize("link", LINKS.values())
def test_every_link_to_a_file_of_ours_names_one_and_a_heading_of_it(link):
    file, _, heading = link.removeprefix(BASE).partition("#")

    assert link.startswith(BASE)
    assert (ROOT / file).exists()
    text = (ROOT / file).read_text("utf-8").lower() if heading else ""
    assert not heading or f"# {heading.replace('-', ' ')}\n" in text


def test_the_site_has_the_same_base():
    assert f'repository = "{BASE.removesuffix("/blob/main/")}"' in (
        ROOT / "docs" / "conf.py"
    ).read_text("utf-8")


def test_every_link_has_a_place_and_every_place_a_link():
    assert set(re.findall(r"\]\[([^]]+)\]", README)) == set(LINKS)


def test_no_link_or_image_needs_the_repository_around_it():
    assert re.findall(r"\]\((?!https://|#)[^)]*\)|<img|src=", README) == []


def test_it_leads_to_the_tutorial_and_the_start_page_before_anything_else():
    assert re.findall(r"\]\[([^]]+)\]", README)[:2] == ["tutorial", "start"]
