"""ARCHITECTURE.md, "How to add a proxy", done with one that is in no table."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]

# What its author writes in original_request.py. Python runs a file of this name when it starts,
# so the service that the tests start knows the kind too.
_KIND = """
from edgeauth.service import original_request

original_request.KINDS["another"] = original_request._kind(
    "X-Another-Method", "X-Another-URI", "Host", told_why=True
)
"""

# And in proxies.py: nginx with a configuration that tells in other fields.
_PROXY = """
from support import proxies

fields = {"X-Original-Method": "X-Another-Method", "X-Original-URI": "X-Another-URI"}
added = proxies.Kind(
    "another", "another", proxies.nginx("nginx.conf", fields), proxies.NGINX.complaints
)
proxies.KINDS = (*proxies.KINDS, added)
"""


@pytest.fixture
def added(tmp_path):
    """Runs the tests, and all that they start, with the proxy."""
    (tmp_path / "sitecustomize.py").write_text(_KIND)
    (tmp_path / "another_proxy.py").write_text(_PROXY)
    folders = (str(tmp_path), str(_ROOT / "tests"))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        # The plugin is imported before pytest can rewrite the assertions of what it imports.
        quiet = ("-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-rA", *quiet, "-p", "another_proxy", *arguments],
            cwd=_ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(folders)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    return run


def test_the_probe_and_the_doctor_send_its_fields(added):
    run = added(
        "tests/unit/ops/probe/test_spoofable.py",
        "tests/unit/ops/doctor/test_spoofed.py",
        *("-k", "another or Another"),
    )

    assert run.returncode == 0, run.stdout
    assert "test_what_each_kind_of_proxy_reads_is_sent_for_an_exempt_path[another]" in run.stdout
    assert "[X-Another-URI]" in run.stdout


def test_the_real_program_is_asked_what_every_proxy_is_asked(added):
    suites = ("tests/integrations/test_proxies.py", "tests/integrations/test_proxied_fields.py")

    run = added(*suites, "-k", "another and (spoofed or signed or exempt)")

    assert run.returncode == 0, run.stdout
    for suite in suites:
        assert f"PASSED {suite}" in run.stdout
    # Its own fields are among those of a client that decide nothing.
    assert "spoofed-another" in run.stdout
