"""ARCHITECTURE.md, "How to add a server", done with one that is in no table."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_TESTS = Path(__file__).parents[1]

# What its author writes: a line in servers.py, and what the first run of the tests has found.
_ADDED = """
from support.server_facts import DROPPED, FACTS, JOINED, Facts
from support.servers import SERVERS, Server

SERVERS["another"] = Server(
    "wsgi",
    "uvicorn --http=h11 --interface=wsgi --no-access-log {app}",
    "--port={port}",
    "--uds={path}",
)
FACTS["another"] = Facts("Another", {look_alike}, DROPPED, None, "no", None, "PATH:0")
"""


@pytest.fixture
def added(tmp_path):
    """Runs Python that knows the server."""

    def run(*arguments: str, look_alike: str = "JOINED") -> subprocess.CompletedProcess[str]:
        source = _ADDED.replace("{look_alike}", look_alike)
        (tmp_path / "another_server.py").write_text(source)
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=_TESTS.parent,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(_TESTS)])},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    return run


def asking(*arguments: str) -> tuple[str, ...]:
    # The plugin is imported before pytest can rewrite the assertions of what it imports.
    quiet = ("-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
    return ("-m", "pytest", "-rA", *quiet, "-p", "another_server", *arguments)


def test_every_fact_is_asked_of_it_and_the_page_is_found_to_miss_its_row(added):
    run = added(*asking("tests/integrations/test_server_facts.py", "-k", "another or page"))

    assert "1 failed, 5 passed" in run.stdout, run.stdout
    assert (
        "FAILED tests/integrations/test_server_facts.py::test_every_server_is_in_the" in run.stdout
    )
    assert "| Another | joined | dropped | no | no | none |" in run.stdout


def test_a_fact_that_is_wrong_fails(added):
    asked = asking("tests/integrations/test_server_facts.py", "-k", "another and underscore")

    assert added(*asked, look_alike="DROPPED").returncode == 1


def test_the_suites_of_all_servers_have_it(added):
    suites = ("tests/conformance/test_unix_sockets.py", "tests/conformance/test_gone_peers.py")

    run = added(*asking(*suites, "-k", "another"))

    assert run.returncode == 0, run.stdout
    for suite in suites:
        assert f"PASSED {suite}" in run.stdout


def test_the_route_matrix_has_it(added):
    matrix = "import another_server; from differential.routes.run import main; main()"

    run = added("-c", matrix, "--server", "another", "--cases", "100", "--seed", "3")

    assert run.returncode == 0, run.stdout
    assert "100 requests, 0 of them did what they must not" in run.stdout
