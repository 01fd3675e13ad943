"""``make soak``: exits 0 if every count agrees and nothing is leaked."""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from support.redis import redis_server
from support.service import short_folder

from soak import once, once_proxied
from soak.document import show, write
from soak.stretches import Course, run
from soak.targets import COMMANDS, TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What part of the seconds a fault of a replay store lasts: 3 of 240, and 1.2 through nginx.
_OF_THE_TIME = 80
_OF_THE_TIME_PROXIED = 200
_DOCUMENT = Path(__file__).parents[2] / "reports" / "soak.md"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=240, help="over all set-ups")
    options = parser.parse_args()
    courses = [_run(name, options.seconds / len(TARGETS)) for name in TARGETS]
    storms = list(_storms(options.seconds / _OF_THE_TIME))
    proxied = list(_proxied(options.seconds / _OF_THE_TIME_PROXIED))
    if any(found.problems for found in (*courses, *storms, *proxied)):
        return 1
    write(_DOCUMENT, courses, (*storms, *proxied), options.seconds)
    return 0


def _run(name: str, seconds: float) -> Course:
    with short_folder() as folder:
        course = run(name, seconds, folder)
    show(course)
    return course


def _storms(seconds: float) -> Iterator[once.Storm]:
    for name, kind in itertools.product(COMMANDS, ("sqlite", "redis")):
        with short_folder() as folder, redis_server(folder) as redis:
            yield from _told(once.run(name, kind, seconds, folder, redis))


def _proxied(seconds: float) -> Iterator[once.Storm]:
    for kind in ("sqlite", "redis"):
        with short_folder() as folder, redis_server(folder) as redis:
            yield from _told(once_proxied.run(kind, seconds, folder, redis))


def _told(storms: Iterable[once.Storm]) -> Iterator[once.Storm]:
    for storm in storms:
        print(storm, *storm.problems[:5], sep="\n  ", flush=True)  # noqa: T201
        yield storm


if __name__ == "__main__":
    sys.exit(main())
