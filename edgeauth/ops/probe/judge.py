"""Sends the rows of a plan one after the other, and judges what came back."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import unquote

from edgeauth.errors import EdgeAuthError
from edgeauth.ops.probe.wire import Answer, Target, send

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from edgeauth.ops.schemes.probe_rows import Row

REFUSED = frozenset({401, 403})

# What is so long and goes out may be a credential.
_LONG = re.compile(r"[A-Za-z0-9_+=-]{16,}")
_MAX_SHOWN = 200

_FAILURES = {
    "unreachable": "the connection failed",
    "closed": "the connection was closed without an answer",
    "timeout": "no answer in time",
    "no-http": "the answer is no HTTP",
}


class Unreachable(EdgeAuthError):
    """Nothing answers at the address: nothing was learnt about a gate."""


class Result(NamedTuple):
    """What a row showed.

    Attributes:
        row: what was tried.
        outcome: ``pass``, ``fail``, or ``not tried``.
        answer: what came back, in a word: a status, a failure, or nothing.
        meaning: what that means, where it is no pass.
    """

    row: Row
    outcome: Literal["pass", "fail", "not tried"]
    answer: str
    meaning: str


def run(
    rows: Iterable[Row],
    target: Target,
    *,
    rate: float,
    timeout: float,
    refused: frozenset[int | str] = REFUSED,
) -> Iterator[Result]:
    """Try *rows* in order, at most *rate* a second, each for *timeout* seconds at most.

    Args:
        rows: what to send.
        target: where.
        rate: requests a second.
        timeout: seconds.
        refused: the statuses that are a refusal; ``closed`` stands for a connection that is
            closed without an answer.

    Raises:
        Unreachable: the first request found no server.
    """
    reached = False
    for row in rows:
        if row.request is None:
            yield Result(row, "not tried", "", row.means)
            continue
        if reached:
            time.sleep(1 / rate)
        sent = row.request(int(time.time()))
        answer = send(target, sent, timeout=timeout)
        if not reached and answer.failure == "unreachable":
            raise Unreachable(
                f"nothing was learnt: {answer.detail}. An origin behind a firewall looks like "
                "this from outside; try it from inside as well, with --connect"
            )
        reached = True
        if answer.status is not None:
            answer = answer._replace(detail=_place(answer.detail, sent, target))
        yield judge(row, answer, refused)


def _place(location: str, sent: bytes, target: Target) -> str:
    """Where a redirect leads, as it may be shown to others: credentials come back in some."""
    place = re.split("[?#]", location, maxsplit=1)[0]
    known = set(_LONG.findall(target.authority + target.path))
    if any(piece in unquote(place) for piece in {*_LONG.findall(sent.decode("latin-1"))} - known):
        return "a place that is not shown, since what was sent is in it"
    return place[:_MAX_SHOWN]


def judge(row: Row, answer: Answer, refused: frozenset[int | str]) -> Result:
    """Whether *answer* is what *row* expects."""
    word = str(answer.status or answer.failure)
    got: int | str | None = answer.status or answer.failure
    if row.expected == "refused":
        right = got in refused or got in row.also
    elif row.expected == "answered":
        right = got not in refused and _is_success(answer.status)
    else:
        right = answer.status == 101  # noqa: PLR2004 - Switching Protocols
    if right:
        return Result(row, "pass", word, "")
    return Result(row, "fail", word, _meaning(row, answer, refused))


def _is_success(status: int | None) -> bool:
    return status is not None and 200 <= status <= 299  # noqa: PLR2004 - success in HTTP


def _meaning(row: Row, answer: Answer, refused: frozenset[int | str]) -> str:
    status = answer.status
    if status is None:
        text = _FAILURES[answer.failure or ""]
        return f"{text} ({answer.detail})" if answer.detail else text
    if 300 <= status <= 399:  # noqa: PLR2004 - redirection in HTTP
        return (
            f"a redirect to {answer.detail or 'nowhere'}: something answers before the gate, or "
            "instead of it; probe the URL that it leads to as well"
        )
    if status >= 500:  # noqa: PLR2004 - server errors in HTTP
        return "the origin failed: the request got past the gate or broke it; look at its log"
    if row.expected == "refused" or status in refused:
        return row.means
    return "not refused, but no page either: give the URL of a page that exists"
