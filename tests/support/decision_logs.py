"""Files of decisions as a busy site in report-only mode would have them."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

from edgeauth import AddressList
from edgeauth.report.reading import parse
from edgeauth.report.summary import Summary

if TYPE_CHECKING:
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
    fixed = random.Random(seed)  # noqa: S311 - the same lines every time
    pops = ("LHR", "FRA", "JFK", "NRT", "GRU", "SYD")
    paths = tuple(f"/products/{number}" for number in range(500))
    with path.open("w", encoding="ascii") as file:
        for number in range(count):
            time = START + days * 86_400 * number / count
            line = {
                "time": round(time, 3),
                "allowed": True,
                "reason": "ok",
                "enforced": True,
                "method": "GET",
                "path": fixed.choice(paths),
                "peer": f"151.101.{fixed.randrange(64)}.{fixed.randrange(256)}",
                "key": "2026-10" if number < count / 2 else "2026-11",
                "pop": fixed.choice(pops),
                "age": round(fixed.expovariate(0.6), 3),
            }
            chance = fixed.random()
            if chance < 0.03:
                line |= _refused("missing")
                line["peer"] = f"{fixed.randrange(11, 100)}.{fixed.randrange(256)}.7.7"
                line["path"] = f"/{fixed.getrandbits(64):x}/<script>alert(1)</script>\x1b[2J"
            elif chance < 0.032:
                line |= _refused("missing") | {"method": "POST", "path": "/checkout"}
            elif chance < 0.0325:
                line |= {"reason": "expired", "enforced": False, "age": fixed.randrange(61, 90)}
            elif chance < 0.0327:
                line |= _refused("bad-signature") | {"peer": "45.33.32.156"}
            file.write(json.dumps(line) + "\n")


def _refused(reason: str) -> dict[str, object]:
    return {"reason": reason, "enforced": False, "key": None, "pop": None, "age": None}
