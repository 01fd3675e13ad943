"""Rows of a probe that alter a request which was truly signed, as whoever captured it could."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from edgeauth.errors import ConfigurationError
from edgeauth.ops.schemes.probe_rows import Plan, Row, bad
from edgeauth.schemes.base import Outgoing

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeauth.ops.schemes.probe_rows import Fields

# Beyond the window by so much that clocks which differ a little do not matter.
_BEYOND = 30


def from_captured(
    scheme: Any,  # noqa: ANN401 - of any kind that signs requests
    plan: Plan,
    *,
    skew: float,
    signs_query: bool = True,
    signs_host: bool = False,
) -> list[Row]:
    """Requests that were signed for something else, or at another time.

    Args:
        scheme: what signs, and is asked.
        plan: what is known of the origin.
        skew: seconds between signing and sending that are accepted.
        signs_query, signs_host: whether these are signed.
    """
    idle = plan.no_key or _cannot_sign(scheme, plan)
    path, _, query = plan.path.partition("?")
    mark = f"?{query}" if query else ""
    more = f"{path}?{query}&edgeauth-probe=1" if query else f"{path}?edgeauth-probe=1"
    far = int(skew) + _BEYOND
    window = "an old or early signature is accepted: look at max_skew and the clocks"
    signed = _signer(scheme, plan)
    tried = [
        (
            "other-method",
            "signed for HEAD, sent as GET",
            "the method is not signed: what was signed to read may change something",
            signed(method="HEAD"),
            None,
        ),
        (
            "other-path",
            "signed for another path",
            "the path is not signed: one signature opens every page",
            signed(target=f"{path}x{mark}"),
            None,
        ),
        (
            "other-query",
            "signed with another query",
            "the query is not signed: parameters can be changed",
            signed(target=more),
            None if signs_query else "what these settings accept leaves the query unsigned",
        ),
        (
            "other-host",
            "signed for another host",
            "the host is not signed: what was signed for another site is good here",
            signed(authority="edgeauth-probe.invalid"),
            None if signs_host else "what these settings accept leaves the host unsigned",
        ),
        ("stale", f"signed {far} s ago", window, signed(moved=-far), None),
        ("future", f"signed {far} s ahead", window, signed(moved=far), None),
        (
            "good-twice",
            "each field twice",
            "one of two signatures counts, so a client may add its own beside the edge's",
            lambda now: signed()(now) * 2,
            None,
        ),
    ]
    return [
        bad(plan, id_, title, means, fields)
        if idle is None and why is None
        else Row(id_, title, "refused", None, idle or why or "")
        for id_, title, means, fields, why in tried
    ]


def _signer(scheme: Any, plan: Plan) -> Callable[..., Fields]:  # noqa: ANN401
    def signed(
        *, method: str = "GET", target: str = "", authority: str = "", moved: int = 0
    ) -> Fields:
        def fields(now: int) -> list[tuple[str, bytes]]:
            sent = Outgoing(method, authority or plan.authority, target or plan.path, (), b"")
            made = scheme.credential(now=now + moved, request=sent)
            return [(name, value.encode()) for name, value in made.items()]

        return fields

    return signed


def _cannot_sign(scheme: Any, plan: Plan) -> str | None:  # noqa: ANN401
    try:
        _signer(scheme, plan)()(int(time.time()))
    except ConfigurationError as error:
        return str(error)
    return None
