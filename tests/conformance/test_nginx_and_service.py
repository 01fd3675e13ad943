"""nginx with its shipped configuration, asking the decision service."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.processes import HOST, free_port, running
from support.proxies import NGINX, proxying
from support.service import serving, short_folder

from conformance.quirks import expected_of
from conformance.rows import Row, all_rows
from conformance.targets import Outcome, Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.wire import Answer

_TESTS = Path(__file__).parents[1]

# nginx writes X-Forwarded-For itself, so rows of addresses would tell of nothing that a client
# sent (tests/integrations has the addresses). Its answer to HTTP/0.9 has no status.
ROWS = [row for row in all_rows() if not row.id.startswith(("address-", "http-0.9"))]


class ProxiedTarget(Target):
    """nginx answers a refusal with a page of its own."""

    def _outcome(self, reply: Answer, method: str, decided: Iterator[str]) -> Outcome:
        if reply.status == 403:
            return Outcome(f"403 {next(decided, 'undecided')}")
        if reply.status == 400:
            # nginx's own, before it asked, or that of the application's server, after it.
            next(decided, None)
        return super()._outcome(reply, method, decided)


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with short_folder() as folder:
        decisions, port = folder / "decisions", free_port()
        decisions.touch()
        environ = {"PYTHONPATH": str(_TESTS), "CONFORMANCE_DECISIONS": str(decisions)}
        launcher = "from conformance.origins.judged_service import main; main()"
        application = [sys.executable, "-m", "uvicorn", "conformance.origins.behind_proxy:app"]
        # The one change to the shipped file: how a row is to be judged goes along.
        judged = replace(NGINX, prepare=lambda places: _judged(NGINX.prepare(places)))
        with (
            running(
                [*application, "--port", str(port), "--no-access-log", "--http=h11"],
                address=(HOST, port),
                log=folder / "app.log",
                env=environ,
            ),
            serving(folder=folder, launcher=launcher, environ=environ) as service,
            proxying(judged, folder, str(service.address), port) as nginx,
        ):
            yield ProxiedTarget((HOST, nginx.port), "nginx", service.log, decisions)


def _judged(argv: list[Any]) -> list[Any]:
    config = Path(argv[argv.index("-c") + 1])
    written = "proxy_set_header Edge-Auth $http_edge_auth;"
    text = config.read_text()
    assert text.count(written) == 1
    config.write_text(
        text.replace(written, f"{written} proxy_set_header Test-Judge $http_test_judge;")
    )
    return argv


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_the_same_bytes_get_the_same_verdict(row: Row, target: Target):
    outcomes = target.exchange(row.sent, row.methods)

    assert tuple(outcome.text for outcome in outcomes) == expected_of(row, target.server)
    for saw in (outcome.saw for outcome in outcomes if outcome.saw):
        assert not saw["credential_visible"]
        assert saw["other_headers_visible"] == (b"Test-Judge" in row.sent)
        if row.identity:
            assert saw["identity"] == list(row.identity)
