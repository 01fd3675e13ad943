"""Through all parsers and adapters in one process: what was found, some more, and planted faults.

Django is set up once a process, so each run has one of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_TESTS = Path(__file__).parents[1]
_CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())
_GATES = ("asgi", "django-asgi", "wsgi", "django-wsgi", "flask", "service")
_REASONS = (
    *("ok", "exempt", "pass", "missing", "malformed", "bad-signature"),
    *("expired", "future", "pop", "address"),
)


def compared(*arguments: str | Path, planted: str = "") -> subprocess.CompletedProcess[str]:
    """A run of the comparison, after the statements *planted*."""
    return subprocess.run(
        [sys.executable, "-c", f"{planted}\nfrom differential.run import main; main()", *arguments],
        env={**os.environ, "PYTHONPATH": str(_TESTS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_every_kept_request_is_decided_alike_behind_every_adapter():
    run = compared(*_CORPUS)

    assert run.returncode == 0, run.stdout
    assert f"{len(_CORPUS)} requests" in run.stdout
    # Else a kept request would be judged by no rules, which finds nothing.
    assert "damaged the rules" not in run.stdout


def test_requests_of_the_grammar_are_decided_alike_and_for_every_reason():
    run = compared("--cases", "800", "--seed", "4")

    assert run.returncode == 0, run.stdout
    for gate in _GATES:
        (line,) = [line for line in run.stdout.splitlines() if f"decided: {gate}:" in line]
        assert [reason for reason in _REASONS if f" {reason} " not in line] == [], line


@pytest.mark.parametrize(
    ("planted", "told"),
    [
        pytest.param(
            "from edgeauth.asgi import ScopeRequest\n"
            "whole = ScopeRequest.header\n"
            "ScopeRequest.header = lambda self, name: whole(self, name)[:1]",
            "asgi behind",
            id="ASGI reads the first of several fields",
        ),
        pytest.param(
            "from edgeauth.wsgi import EnvironRequest\n"
            "exact = EnvironRequest.path.fget\n"
            "EnvironRequest.path = property(lambda self: exact(self).lower())",
            "wsgi behind",
            id="WSGI has no case in exempt paths",
        ),
        pytest.param(
            "from edgeauth.django.middleware import EdgeAuthMiddleware\n"
            "EdgeAuthMiddleware._strip = lambda *_: None",
            "shows the credential to the application",
            id="Django keeps the credential",
        ),
        pytest.param(
            "from urllib.parse import unquote\n"
            "from edgeauth.service.original_request import AskedRequest\n"
            "raw = AskedRequest.path.fget\n"
            "AskedRequest.path = property(lambda self: unquote(raw(self)))",
            "service behind",
            id="the service decodes paths",
        ),
        pytest.param(
            "from edgeauth import asgi\n"
            "class Wide(asgi.ScopeRequest):\n"
            "    def header(self, name):\n"
            "        folded = name.lower().encode().replace(b'-', b'_')\n"
            "        return [v for n, v in self._scope['headers']"
            " if n.replace(b'-', b'_') == folded]\n"
            "asgi.ScopeRequest = Wide",
            "asgi behind",
            id="ASGI takes an underscore for a dash",
        ),
        pytest.param(
            "from edgeauth.wsgi import EnvironRequest\n"
            "exact = EnvironRequest.header\n"
            "EnvironRequest.header = lambda self, name: "
            "tuple(v.decode('latin-1').strip().encode('latin-1') for v in exact(self, name))",
            "wsgi behind",
            id="WSGI strips what is no white space in HTTP",
        ),
    ],
)
def test_a_planted_difference_is_found_by_the_kept_requests_or_some_more(planted, told):
    for arguments in ([*_CORPUS], ["--cases", "800", "--seed", "4"]):
        run = compared(*arguments, planted=planted)
        if run.returncode:
            break

    assert run.returncode == 1, run.stdout
    assert told in run.stdout
