"""make audit never takes silence for a clean bill: pip-audit runs against a stand-in service."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support.processes import free_port

ROOT = Path(__file__).parents[2]
KNOWN_TO_BE_BAD = "jinja2==2.4.1"  # as in tools/audit.py


@contextmanager
def service(*vulnerable):
    """An advisory service in OSV's words that knows something of these packages or releases."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = asked["package"]["name"].lower()
            known = name in vulnerable or f"{name}=={asked['version']}" in vulnerable
            advisory = {"id": "PYSEC-0-0", "summary": "planted", "affected": []}
            body = json.dumps({"vulns": [advisory]} if known else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def audit(url, *options):
    return subprocess.run(
        [
            *(sys.executable, ROOT / "tools" / "audit.py", "--vulnerability-service=osv"),
            *("--osv-url", url, *options),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_lock_without_a_known_vulnerability_passes():
    with service(KNOWN_TO_BE_BAD) as url:
        audited = audit(url)
    assert audited.returncode == 0
    assert "no known vulnerability" in audited.stdout


@pytest.mark.parametrize("options", [(), ("--where-possible",)])
def test_a_vulnerable_package_in_the_lock_fails(options):
    with service(KNOWN_TO_BE_BAD, "click") as url:
        audited = audit(url, *options)
    assert audited.returncode == 1
    assert "PYSEC-0-0" in audited.stdout


@pytest.mark.parametrize(("options", "code"), [((), 2), (("--where-possible",), 0)])
def test_a_service_that_knows_nothing_is_not_believed(options, code):
    with service() as url:
        audited = audit(url, *options)
    assert audited.returncode == code
    assert "NOT CHECKED" in audited.stderr


@pytest.mark.parametrize(("options", "code"), [((), 2), (("--where-possible",), 0)])
def test_a_service_that_cannot_be_reached_is_told(options, code):
    audited = audit(f"http://127.0.0.1:{free_port()}", *options)
    assert audited.returncode == code
    assert "NOT CHECKED" in audited.stderr
