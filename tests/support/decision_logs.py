"""Files of decisions as a busy site in report-only mode would have them."""

from __future__ import annotations

import json
import random
from math import log
from typing import TYPE_CHECKING

from edgeauth import AddressList
from edgeauth.ops.report.reading import parse
from edgeauth.ops.report.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

START = 1_700_000_000
LINE = {
    "time": START,
    "allowed": True,
    "reason": "ok",
    "enforced": True,
    "method": "GET",
    "path": "/",
    "peer": "151.101.1.57",
    "key": "2026",
    "pop": "LHR",
    "age": 1.5,
}
REFUSED = {"reason": "missing", "enforced": False, "key": None, "pop": None, "age": None}


def text(*changes):
    """Lines that differ from an accepted request in what is given."""
    return "".join(json.dumps({**LINE, **change}) + "\n" for change in changes)


def summed(*changes, max_age=60, max_future=5):
    """The summary of such lines."""
    summary = Summary(AddressList.fastly(), max_age=max_age, max_future=max_future)
    summary.read("log", map(parse, text(*changes).encode().splitlines()))
    return summary


DAYS = 9


def write_decisions(path: Path, count: int, *, seed: int = 20, days: float = DAYS) -> None:
    """Write *count* decisions of *days* days, the same ones each time.

    Most are accepted. The edge does not sign one path, its key changes halfway, a few
    requests are late, and strangers try a new path each time, some of them hostile.
    """
    # Nothing but random() of its methods is fast, and a million lines need many numbers.
    chance = random.Random(seed).random  # noqa: S311 - the same lines every time
    pops = ("LHR", "FRA", "JFK", "NRT", "GRU", "SYD")
    with path.open("w", encoding="ascii") as file:
        for number in range(count):
            # As json.dumps writes it, which takes several times as long.
            line = (
                f'{{"time": {round(START + days * 86_400 * number / count, 3)}, "allowed": true,'
                ' "reason": "ok", "enforced": true, "method": "GET",'
                f' "path": "/products/{int(chance() * 500)}",'
                f' "peer": "151.101.{int(chance() * 64)}.{int(chance() * 256)}",'
                f' "key": "{"2026-10" if number < count / 2 else "2026-11"}",'
                f' "pop": "{pops[int(chance() * len(pops))]}",'
                f' "age": {round(-log(1 - chance()) / 0.6, 3)}}}\n'
            )
            drawn = chance()
            if drawn < 0.0327:
                line = json.dumps(json.loads(line) | _refused(drawn, chance)) + "\n"
            file.write(line)


def _refused(drawn: float, chance: Callable[[], float]) -> dict[str, object]:
    """How a refused decision differs from an accepted one; *drawn* says why it is refused."""
    if drawn < 0.03:
        peer = f"{11 + int(chance() * 89)}.{int(chance() * 256)}.7.7"
        path = f"/{int(chance() * 2**64):x}/<script>alert(1)</script>\x1b[2J"
        return REFUSED | {"peer": peer, "path": path}
    if drawn < 0.032:
        return REFUSED | {"method": "POST", "path": "/checkout"}
    if drawn < 0.0325:
        return {"reason": "expired", "enforced": False, "age": 61 + int(chance() * 29)}
    return REFUSED | {"reason": "bad-signature", "peer": "45.33.32.156"}
