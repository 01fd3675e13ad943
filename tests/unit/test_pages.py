"""The pages lead where they say: links to files, targets of make, tests by their path."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(ROOT.glob("reports/*.md")),
    *sorted(ROOT.glob("integrations/**/README.md")),
]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_of_ours_leads_to_one(page):
    text = re.sub(r"(?s)^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE)
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text)

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.name != "CHANGELOG.md"],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_every_target_of_make_that_a_page_names_is_there(page):
    named = re.findall(r"(?:`|^    |\$ )make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE)

    assert set(named) <= TARGETS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_extra_that_a_page_installs_is_one(page):
    named = re.findall(r"edgeauth\[([a-z, ]+)\]", page.read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    assert {*re.findall(r"[a-z]+", " ".join(named))} <= {*project["optional-dependencies"]}


def test_the_loop_is_what_contributing_names_first():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")

    assert re.findall(r"make ([a-z-]+)  ", text)[0] == "check"


def test_the_lab_reports_are_not_among_the_pages_for_users():
    assert not {path.name for path in (ROOT / "docs").iterdir()} & {"mutation.md", "soak.md"}
    assert (ROOT / "reports" / "mutation.md").is_file()
