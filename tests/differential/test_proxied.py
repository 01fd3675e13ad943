"""Raw requests through each proxy; and a hole that is made on purpose is seen."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.proxies import HAPROXY, INGRESS_NGINX, NGINX, Kind

from differential.through_proxies import KINDS, run

if TYPE_CHECKING:
    from support.proxies import Places

_CASES, _SEED = 120, 1


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_arrives_behind_a_proxy_is_signed_or_exempt_and_bears_no_other_field(kind: Kind):
    findings = run(kind, _CASES, _SEED)

    assert findings.broken == []
    # Of nothing but refusals nothing would be learnt.
    assert findings.told["arrived exempt"] > 5
    assert findings.told["arrived signed"] > 5
    assert findings.told["403"] > 20


def _changed(kind: Kind, written: str, here: str) -> Kind:
    """*kind* with *written* in its configuration replaced."""

    def prepare(places: Places) -> list[str | Path]:
        argv = kind.prepare(places)
        option = "-c" if "-c" in argv else "-f"
        config = Path(argv[argv.index(option) + 1])
        text = config.read_text()
        assert written in text
        config.write_text(text.replace(written, here))
        return argv

    return replace(kind, prepare=prepare)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        # What was shipped before: the controller sets no X-Original-URI, and the service read it.
        pytest.param(
            replace(INGRESS_NGINX, proxy="nginx"),
            "nobody signed it, and no exemption names it",
            id="a field that the proxy does not set",
        ),
        pytest.param(
            _changed(NGINX, "listen ", "underscores_in_headers on; listen "),
            "which is another field to a CGI-like application",
            id="underscores",
        ),
        pytest.param(
            _changed(
                HAPROXY, "http-request return status 411", "http-request set-var(txn.a) int(1)"
            ),
            "a trailer arrived",
            id="trailers",
        ),
        pytest.param(
            _changed(
                _changed(NGINX, "proxy_set_header X-Original-Upgrade $websocket;", ""),
                "proxy_set_header Sec-WebSocket-",
                "proxy_set_header X-Untold-",
            ),
            "nobody signed it, and no exemption names it",
            id="a handshake that is not told",
        ),
    ],
)
def test_a_hole_that_is_made_on_purpose_is_found(kind: Kind, sentence: str):
    broken = run(kind, 4 * _CASES, _SEED).broken

    assert any(sentence in found for found in broken), broken


def test_the_command_repeats_a_run_of_one_seed_and_says_what_came_of_it():
    done = subprocess.run(
        [sys.executable, "-m", "differential.through_proxies", "--cases", "18", "--seed", "7"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": "tests"},
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("seed 7\nnginx: ")
    assert [line.partition(":")[0] for line in done.stdout.splitlines()[1:]] == [
        kind.name for kind in KINDS
    ]
