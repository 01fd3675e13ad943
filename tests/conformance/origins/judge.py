"""A guard that a test can ask for any options and any time, request by request.

One server process then serves every row: the request names how it is to be judged, in a
``Test-Judge`` header of JSON. This lives with the tests; the package has no such door.
"""

from __future__ import annotations

import json
import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from support.vectors import NOW, PASS_SECRET, VECTOR_SECRET

from edgeauth import (
    AddressList,
    EdgeAuthScheme,
    Guard,
    Key,
    Passes,
    SharedSecretScheme,
    Verdict,
)
from edgeauth._record import decision_log

if TYPE_CHECKING:
    from edgeauth import Request

# The clock of the vectors stands still, and the tests look for a line of each refusal.
decision_log.LINES_PER_PERIOD = 1_000_000


class JudgedGuard(Guard):
    """Judges each request by its own ``Test-Judge`` header, and writes each reason down.

    The reasons go to the file named by ``CONFORMANCE_DECISIONS``, a line a decision, before
    the request is answered: this is how a test learns what a client is never told.
    The latest verdict of any of them is at ``JudgedGuard.latest``, for whoever runs them in
    the same process.
    """

    latest: ClassVar[Verdict | None] = None

    def __init__(self) -> None:
        # With passes, so that adapters remove that header too.
        super().__init__(EdgeAuthScheme([VECTOR_SECRET]), passes=Passes(PASS_SECRET))
        self._decisions = os.open(
            os.environ["CONFORMANCE_DECISIONS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT
        )

    def check(self, request: Request, *, now: float | None = None) -> Verdict:
        wanted = request.header("Test-Judge")
        options: dict[str, Any] = json.loads(wanted[0]) if wanted else {}
        moment = options.pop("now", NOW)
        verdict = _guard(json.dumps(options)).check(request, now=moment)
        os.write(self._decisions, verdict.reason.encode() + b"\n")
        JudgedGuard.latest = verdict
        return verdict


@lru_cache
def _guard(options: str) -> Guard:
    given = json.loads(options)
    of_guard = {
        name: given.pop(name)
        for name in ("trusted_proxies", "exempt", "mode", "mount_points")
        if name in given
    }
    if "addresses" in given:
        of_guard["addresses"] = AddressList(given.pop("addresses"))
    if given.pop("passes", False):
        of_guard["passes"] = Passes(PASS_SECRET)
    secrets = given.pop("secrets", [VECTOR_SECRET])
    keys = [Key(**key) if isinstance(key, dict) else key for key in secrets]
    schemes = {"edge-auth": EdgeAuthScheme, "shared-secret": SharedSecretScheme}
    return Guard(schemes[given.pop("scheme", "edge-auth")](keys, **given), **of_guard)
