"""The function for Lambda@Edge, run for each request as CloudFront runs it."""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support import edge_tools
from support.edge_tools import INTEGRATIONS
from support.processes import HOST, Listening, free_port, running
from support.signing_edges import HMAC_KEY, SignsEachRequest, ask, dying, lines, signed_origin
from support.workerd import JAVASCRIPT

LAMBDA_EDGE = INTEGRATIONS / "lambda-edge"
PROGRAMS = Path(__file__).parent / "lambda-edge"


@contextlib.contextmanager
def cloudfront(folder: Path, module: str, *origins: int, path: str = "", **env: str):
    """CloudFront with the function in *module*, in front of *origins*."""
    for file in [*(LAMBDA_EDGE / "src").iterdir(), JAVASCRIPT, *PROGRAMS.glob("*.mjs")]:
        shutil.copy(file, folder)
    port = free_port()
    log = folder / "cloudfront.log"
    argv = [edge_tools.node(), folder / "cloudfront.mjs", folder / module, str(port), path]
    with running([*argv, *map(str, origins)], address=(HOST, port), log=log, env=env):
        yield Listening(port, log)


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    with signed_origin(tmp_path_factory.mktemp("origin")) as started:
        yield started


@pytest.fixture(scope="module", params=["hmac-sha256", "ed25519"])
def edge(request, origin, tmp_path_factory):
    key = HMAC_KEY if request.param == "hmac-sha256" else origin.private_key
    folder = tmp_path_factory.mktemp("function")
    with cloudfront(folder, "given.mjs", origin.at.port, KEY=key) as started:
        yield started


class TestLambdaEdge(SignsEachRequest):
    """The function, with a key that it is given."""


def test_the_path_of_the_origin_is_signed_as_cloudfront_puts_it_before(origin, tmp_path):
    with cloudfront(tmp_path, "given.mjs", origin.at.port, path="/shop", KEY=HMAC_KEY) as edge:
        assert ask(edge.port, "GET", "/a%2Fb?c").report["target"] == "/shop/a%2Fb?c"


def test_what_a_function_changes_is_signed_as_it_leaves(origin, tmp_path):
    with cloudfront(tmp_path, "changing.mjs", origin.at.port, KEY=HMAC_KEY) as edge:
        report = ask(edge.port, "GET", "/a?b=c").report
        assert ask(edge.port, "GET", "/gone").status == 410
    assert report["target"] == "/below/v2/a?only=this"
    assert lines(report, "host") == ["origin.example"]


def test_the_second_origin_of_a_group_gets_another_signature(origin, tmp_path):
    with (
        dying() as (port, seen),
        cloudfront(tmp_path, "given.mjs", port, origin.at.port, KEY=HMAC_KEY) as edge,
    ):
        report = ask(edge.port, "GET", "/again").report
    [first] = seen
    assert b"Signature: edge=" in first
    assert lines(report, "signature")[0].encode() not in first


def test_the_key_is_kept_for_five_minutes_and_outlives_a_failure(origin, tmp_path):
    keys = {"KEY": HMAC_KEY, "OTHER_KEY": origin.private_key}
    with cloudfront(tmp_path, "rotating.mjs", origin.at.port, **keys) as edge:
        asked = [ask(edge.port, "GET", f"/{at}").body.decode() for at in (0, 299, 300, 599, 600)]
    assert asked == ["1 edge-hmac", "1 edge-hmac", "2 edge-hmac", "2 edge-hmac", "3 edge-ed25519"]
    assert "the key was not read again: throttled" in edge.log.read_text()


@contextlib.contextmanager
def secrets_manager(text: str):
    """What answers as Secrets Manager does: where it listens, and what it was asked for."""
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append({"action": self.headers["X-Amz-Target"], **asked})
            body = json.dumps({"Name": asked["SecretId"], "SecretString": text}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://{HOST}:{server.server_address[1]}", seen
        server.shutdown()
        thread.join()


def test_the_example_reads_the_key_from_secrets_manager_once(origin, tmp_path):
    (tmp_path / "node_modules").symlink_to(edge_tools.aws_sdk())
    with secrets_manager(HMAC_KEY) as (url, seen):
        env = {
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": url,
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "of-nobody",
        }
        with cloudfront(tmp_path, "index.mjs", origin.at.port, **env) as edge:
            assert [ask(edge.port, "GET", "/").status for _ in range(3)] == [200] * 3
    assert seen == [{"action": "secretsmanager.GetSecretValue", "SecretId": "edgeauth"}]


@pytest.mark.parametrize("key", ["", "no id", "edge-ed25519: -----BEGIN PRIVATE KEY-----\nAAAA"])
def test_with_a_key_that_cannot_be_used_the_function_says_so_and_the_origin_refuses(
    origin, tmp_path, key
):
    own = [("Signature-Input", "junk"), ("Signature", "junk")]
    with cloudfront(tmp_path, "given.mjs", origin.at.port, KEY=key) as edge:
        assert ask(edge.port, "GET", "/unsigned", own).status == 403
    assert "edgeauth: not signed: " in edge.log.read_text()
    assert origin.last()["reason"] == "missing"
