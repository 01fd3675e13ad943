"""A probe of message signatures against real origins: of one that is right every row passes, of
one with a hole just the rows that find it fail.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.processes import HOST
from support.servers import SERVERS
from support.signed_requests import KEY

from edgeauth.ops.private_key import new_pair
from edgeauth.ops.probe.judge import run
from edgeauth.ops.probe.wire import Target
from edgeauth.ops.schemes.message_signatures.attacks import attacks, genuine
from edgeauth.ops.schemes.probe_rows import Plan
from edgeauth.schemes.message_signatures import MessageSignatureScheme
from edgeauth.schemes.message_signatures.arguments import COMPONENTS

if TYPE_CHECKING:
    from edgeauth.ops.probe.judge import Result

PAGE = "/page/1?q=1"


def probed(folder: Path, hole: str = "", plan: Plan | None = None, **options) -> list[Result]:
    """What comes of all rows of the kind, as settings with *options* would have them."""
    scheme = MessageSignatureScheme([KEY], **{"tag": "edge", **options})
    server = SERVERS["uvicorn-httptools"]
    more = [part for part in scheme.components if part not in {f'"{one}"' for one in COMPONENTS}]
    env = {"HOLE": hole, "MORE_COMPONENTS": " ".join(more)}
    with server.serving("support.careless_origin:app", folder, env=env) as origin:
        _, port = origin.address
        target = Target.parse(f"http://{HOST}:{port}{PAGE}")
        here = (plan or Plan("", ""))._replace(authority=target.authority, path=target.path)
        rows = [*attacks(scheme, here), *genuine(scheme, here)]
        return list(run(rows, target, rate=1000, timeout=10))


def failing(results: list[Result]) -> set[str]:
    return {one.row.id for one in results if one.outcome == "fail"}


def test_of_a_right_origin_every_row_passes(tmp_path):
    results = probed(tmp_path)
    assert failing(results) == set()
    tried = {one.row.id: one.answer for one in results if one.outcome == "pass"}
    answered = {id_ for id_, answer in tried.items() if answer == "200"}
    assert answered == {"signed", "signed-next"}
    # A second line of a field, or a long one, may be refused before the gate.
    assert set(tried.values()) == {"200", "403"}
    assert {one.row.id for one in results if one.outcome == "not tried"} == {"other-body"}


@pytest.mark.parametrize(
    ("hole", "rows"),
    [
        ("replay", {"replayed"}),
        ("method", {"other-method"}),
        ("path", {"other-path"}),
        ("host", {"other-host"}),
        ("query", {"other-query"}),
        (
            "components",
            {"unsigned @method", "unsigned @authority", "unsigned @path", "unsigned @query"},
        ),
        ("nonce", {"no-nonce"}),
        ("window", {"stale", "future", "past-expires"}),
        ("tag", {"another-tag"}),
        ("first", {"good-twice", "two-of-the-tag", "one-forged"}),
    ],
)
def test_of_an_origin_with_a_hole_just_the_rows_fail_that_find_it(hole, rows, tmp_path):
    assert failing(probed(tmp_path, hole)) == rows


WITH_BODY = {"components": (*COMPONENTS, "content-digest")}


def test_where_a_digest_is_signed_another_body_is_refused(tmp_path):
    results = probed(tmp_path, **WITH_BODY)
    assert failing(results) == set()
    assert {one.row.id for one in results if one.outcome == "not tried"} == set()


def test_a_body_that_nobody_compares_is_found(tmp_path):
    assert failing(probed(tmp_path, "body", **WITH_BODY)) == {"other-body"}


def test_what_the_settings_do_not_ask_for_is_not_tried(tmp_path):
    results = probed(
        tmp_path,
        "components",
        Plan("", "", again="replay_methods is unsafe"),
        components=("@method",),
        require_nonce=False,
        tag=None,
    )
    idle = {one.row.id for one in results if one.outcome == "not tried"}
    assert idle == {
        *("other-path", "other-host", "other-query", "other-body"),
        *("no-nonce", "another-tag", "replayed"),
    }


def test_without_a_key_only_what_needs_none_is_tried(tmp_path):
    results = probed(tmp_path, plan=Plan("", "", no_key="no secret was given"))
    assert failing(results) == set()
    assert {one.row.id for one in results if one.outcome == "pass"} == {
        *("forged", "forged-64", "forged-nothing", "unknown-key", "empty-signature"),
        *("input-alone", "signature-alone", "long", "empty-secret", "null-secret"),
    }
    assert {one.meaning for one in results if one.outcome == "not tried"} == {"no secret was given"}


ROOT = Path(__file__).parents[2]


def test_the_command_signs_with_a_private_key_where_the_origin_can_only_verify(tmp_path):
    pem, public = new_pair("edge-2026")
    (tmp_path / "edge.key").write_bytes(pem)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / public.id).write_bytes(public.pem)
    settings = {
        "EDGEAUTH_SCHEME": "message-signatures",
        "EDGEAUTH_TAG": "edge",
        "EDGEAUTH_SECRETS_DIR": str(tmp_path / "keys"),
        "EDGEAUTH_REPLAY": "memory",
    }
    origin = {**settings, "PYTHONPATH": str(ROOT)}
    server = SERVERS["uvicorn-h11"]
    with server.serving("example_apps.starlette_app.app:app", tmp_path, env=origin) as running:
        url = f"http://{HOST}:{running.address[1]}/"
        done = subprocess.run(
            [
                *(sys.executable, "-m", "edgeauth", "probe", url, "--json", "--rate", "100"),
                *("--key-file", str(tmp_path / "edge.key"), "--websocket", "/ws"),
            ],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **settings},
        )
    assert done.stderr == ""
    rows = {row["id"]: row for row in json.loads(done.stdout)["rows"]}
    assert {id_ for id_, row in rows.items() if row["outcome"] == "fail"} == set(), rows
    assert done.returncode == 0
    assert rows["signed-websocket"]["answer"] == "101"
    assert rows["key-confusion edge-2026"]["outcome"] == "pass"
    assert {id_ for id_, row in rows.items() if row["outcome"] == "not tried"} == {"other-body"}
