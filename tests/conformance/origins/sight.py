"""What an application behind the gate saw of a request, as the JSON that it answers with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgeauth import Verdict


def sight(verdict: Verdict, path: str, header_names: Iterable[str]) -> bytes:
    """The body of the answer: *path* as it was routed, header names and CGI variables."""
    names = {name.lower() for name in header_names}
    who = verdict.identity
    return json.dumps(
        {
            "allowed": verdict.allowed,
            "reason": verdict.reason,
            "enforced": verdict.enforced,
            "identity": who and [who.timestamp, who.pop, who.key_id],
            "holder": verdict.holder,
            "path": path,
            "fields": sorted(names),
            "credential_visible": not names.isdisjoint({"edge-auth", "http_edge_auth"}),
            "other_headers_visible": not names.isdisjoint({"test-judge", "http_test_judge"}),
        }
    ).encode()
