"""A probe of Akamai's G2O against real origins: of one that is right every row passes, of one with
a hole just the rows that find it fail.
"""

from __future__ import annotations

import pytest
from support.processes import HOST
from support.servers import SERVERS
from support.signed_requests import KEY

from edgeauth.ops.probe.judge import run
from edgeauth.ops.probe.wire import Target
from edgeauth.ops.schemes.akamai_g2o.attacks import attacks, genuine
from edgeauth.ops.schemes.probe_rows import Plan
from edgeauth.schemes.akamai_g2o import AkamaiG2OScheme


def probed(folder, hole="", plan=None, **options):
    """What comes of all rows of the kind, as settings with *options* would have them."""
    scheme = AkamaiG2OScheme([KEY], **options)
    server = SERVERS["uvicorn-httptools"]
    with server.serving("support.careless_g2o:app", folder, env={"HOLE": hole}) as origin:
        target = Target.parse(f"http://{HOST}:{origin.address[1]}/page/1?q=1")
        here = (plan or Plan("", ""))._replace(authority=target.authority, path=target.path)
        rows = [*attacks(scheme, here), *genuine(scheme, here)]
        return list(run(rows, target, rate=1000, timeout=10))


def ids(results, outcome):
    return {one.row.id for one in results if one.outcome == outcome}


def test_of_a_right_origin_every_row_passes(tmp_path):
    results = probed(tmp_path)
    assert ids(results, "fail") == set()
    assert ids(results, "not tried") == {"other-method"}
    answered = {one.row.id for one in results if one.answer == "200"}
    assert answered == {"signed", "signed-next"}


@pytest.mark.parametrize(
    ("hole", "rows"),
    [
        ("replay", {"replayed"}),
        ("prefix", {"empty-signature", "truncated"}),
        ("path", {"other-path"}),
        ("query", {"other-query"}),
        ("versions", {"version-1", "version-2", "version-3", "version-4"}),
        ("window", {"stale", "future"}),
        ("time", {"time-of-200-digits"}),
        ("client", {"other-client"}),
        ("first", {"data-twice", "good-twice"}),
    ],
)
def test_of_an_origin_with_a_hole_just_the_rows_fail_that_find_it(hole, rows, tmp_path):
    found = ids(probed(tmp_path, hole), "fail")
    # Whether a signature begins with the letter that is tried is left to chance.
    assert found - {"first-character"} == rows


def test_without_a_key_only_what_needs_none_is_tried(tmp_path):
    results = probed(tmp_path, plan=Plan("", "", no_key="no secret was given"))
    assert ids(results, "fail") == set()
    assert ids(results, "pass") == {
        *("forged", "unknown-key", "empty-signature", "first-character", "data-alone"),
        *("sign-alone", "long", "time-of-200-digits", "version-9", "empty-secret", "null-secret"),
    }


def test_what_the_sign_string_has_not_is_not_tried(tmp_path):
    results = probed(tmp_path, sign_string=lambda _request: b"")
    assert {one.row.id for one in results if one.outcome == "not tried"} == {
        *("other-method", "other-path", "other-query"),
    }
