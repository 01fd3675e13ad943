"""A probe of AWS SigV4 against real origins: of one that is right every row passes, of one with a
hole just the rows that find it fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.processes import HOST
from support.servers import SERVERS
from support.sigv4 import KEY, REGION

from edgeauth.ops.probe.judge import run
from edgeauth.ops.probe.wire import Target
from edgeauth.ops.schemes import tools_of
from edgeauth.ops.schemes.probe_rows import Plan
from edgeauth.schemes.aws_sigv4 import AwsSigV4Scheme

if TYPE_CHECKING:
    from pathlib import Path

    from edgeauth.ops.probe.judge import Result

PAGE = "/page/1?q=1"


def probed(folder: Path, hole: str = "", no_key: str | None = None, **options) -> list[Result]:
    scheme = AwsSigV4Scheme([KEY], region=REGION, **options)
    server = SERVERS["uvicorn-httptools"]
    with server.serving("support.careless_sigv4:app", folder, env={"HOLE": hole}) as origin:
        target = Target.parse(f"http://{HOST}:{origin.address[1]}{PAGE}")
        plan = Plan(target.authority, target.path, no_key=no_key)
        rows = tools_of(scheme.kind).attacks(scheme, plan)
        return list(run(rows, target, rate=1000, timeout=10))


def outcomes(results: list[Result], outcome: str) -> set[str]:
    return {one.row.id for one in results if one.outcome == outcome}


def test_of_a_right_origin_every_row_passes(tmp_path):
    results = probed(tmp_path)
    assert outcomes(results, "fail") == set()
    assert outcomes(results, "not tried") == set()
    assert {one.answer for one in results} == {"403"}


@pytest.mark.parametrize(
    ("hole", "rows"),
    [
        ("method", {"other-method"}),
        ("path", {"other-path"}),
        ("query", {"other-query"}),
        ("host", {"other-host"}),
        ("window", {"stale", "future"}),
        ("scope", {"other-region", "other-service"}),
        ("fields", {"unsigned-field"}),
        ("duplicates", {"good-twice"}),
        ("presigned", {"presigned"}),
        ("body", {"other-body"}),
    ],
)
def test_of_an_origin_with_a_hole_just_the_rows_fail_that_find_it(hole, rows, tmp_path):
    assert outcomes(probed(tmp_path, hole), "fail") == rows


def test_what_needs_a_key_is_not_tried_without_one(tmp_path):
    results = probed(tmp_path, no_key="there is no secret")
    assert "forged" in outcomes(results, "pass")
    assert outcomes(results, "not tried") >= {"stale", "presigned", "other-body", "good-twice"}


def test_what_the_settings_allow_is_not_tried(tmp_path):
    results = probed(tmp_path, presigned=True, unsigned_payload=True)
    assert outcomes(results, "not tried") == {"presigned", "other-body"}
